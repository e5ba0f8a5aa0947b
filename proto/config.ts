/** The messages of config.proto. */
import { Buffer } from "node:buffer";
import { fieldsOf, MessageWriter } from "./wire.ts";

export interface Hello {
  readonly build: string;
  readonly features: readonly string[];
  /** Of the snapshot that the sidecar has; empty for none. */
  readonly version: string;
  readonly instance: string;
}

export interface Verdict {
  readonly version: string;
  readonly nonce: number;
  /** Of a NACK. */
  readonly reason: string;
}

export type ConfigRequest =
  | ({ readonly kind: "hello" } & Hello)
  | ({ readonly kind: "ack" } & Verdict)
  | ({ readonly kind: "nack" } & Verdict)
  /** Empty, or of a kind that a newer sidecar knows. */
  | { readonly kind: "unknown" };

export interface ConfigResponse {
  readonly version: string;
  readonly nonce: number;
  /** Empty if the sidecar has this version already. */
  readonly snapshot: Uint8Array;
}

/** The full name of `Config.Stream`. */
export const STREAM_PATH = "/sallyport.v1.Config/Stream";

export function encodeConfigRequest(request: ConfigRequest): Buffer {
  const writer = new MessageWriter();
  switch (request.kind) {
    case "hello":
      return writer.message(1, encodeHello(request)).finish();
    case "ack":
      return writer.message(2, encodeVerdict(request)).finish();
    case "nack":
      return writer.message(3, encodeVerdict(request)).finish();
    case "unknown":
      return writer.finish();
  }
}

export function decodeConfigRequest(bytes: Uint8Array): ConfigRequest {
  let request: ConfigRequest = { kind: "unknown" };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) request = { kind: "hello", ...decodeHello(field.bytes) };
    else if (field.number === 2) request = { kind: "ack", ...decodeVerdict(field.bytes) };
    else if (field.number === 3) request = { kind: "nack", ...decodeVerdict(field.bytes) };
  }
  return request;
}

export function encodeConfigResponse({ version, nonce, snapshot }: ConfigResponse): Buffer {
  return new MessageWriter().text(1, version).number(2, nonce).bytes(3, snapshot).finish();
}

export function decodeConfigResponse(bytes: Uint8Array): ConfigResponse {
  let response: ConfigResponse = { version: "", nonce: 0, snapshot: Buffer.alloc(0) };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) response = { ...response, version: field.text };
    else if (field.number === 2) response = { ...response, nonce: field.integer };
    else if (field.number === 3) response = { ...response, snapshot: field.bytes };
  }
  return response;
}

function encodeHello({ build, features, version, instance }: Hello): Buffer {
  return new MessageWriter().text(1, build).texts(2, features).text(3, version).text(4, instance).finish();
}

function decodeHello(bytes: Uint8Array): Hello {
  const features: string[] = [];
  let hello: Hello = { build: "", features, version: "", instance: "" };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) hello = { ...hello, build: field.text };
    else if (field.number === 2) features.push(field.text);
    else if (field.number === 3) hello = { ...hello, version: field.text };
    else if (field.number === 4) hello = { ...hello, instance: field.text };
  }
  return hello;
}

function encodeVerdict({ version, nonce, reason }: Verdict): Buffer {
  return new MessageWriter().text(1, version).number(2, nonce).text(3, reason).finish();
}

function decodeVerdict(bytes: Uint8Array): Verdict {
  let verdict: Verdict = { version: "", nonce: 0, reason: "" };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) verdict = { ...verdict, version: field.text };
    else if (field.number === 2) verdict = { ...verdict, nonce: field.integer };
    else if (field.number === 3) verdict = { ...verdict, reason: field.text };
  }
  return verdict;
}
