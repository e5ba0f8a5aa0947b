/** The contracts' methods, as @grpc/grpc-js takes them. */
import type { MethodDefinition } from "@grpc/grpc-js";
import * as config from "./config.ts";
import * as identity from "./identity.ts";

/** `Identity.Issue`. */
export const ISSUE: MethodDefinition<identity.IssueRequest, identity.IssueResponse> = {
  path: identity.ISSUE_PATH,
  requestStream: false,
  responseStream: false,
  requestSerialize: identity.encodeIssueRequest,
  requestDeserialize: identity.decodeIssueRequest,
  responseSerialize: identity.encodeIssueResponse,
  responseDeserialize: identity.decodeIssueResponse,
};

/** `Config.Stream`. */
export const STREAM: MethodDefinition<config.ConfigRequest, config.ConfigResponse> = {
  path: config.STREAM_PATH,
  requestStream: true,
  responseStream: true,
  requestSerialize: config.encodeConfigRequest,
  requestDeserialize: config.decodeConfigRequest,
  responseSerialize: config.encodeConfigResponse,
  responseDeserialize: config.decodeConfigResponse,
};
