/** The messages of identity.proto. */
import type { Buffer } from "node:buffer";
import { fieldsOf, MessageWriter } from "./wire.ts";

export interface IssueRequest {
  readonly csr: Uint8Array;
  /** Empty on a renewal, where the certificate of the connection speaks. */
  readonly token: string;
  readonly configVersion: string;
}

export interface IssueResponse {
  readonly chain: readonly Uint8Array[];
  readonly roots: readonly Uint8Array[];
  readonly spiffeId: string;
  /** Unix milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The full name of `Identity.Issue`. */
export const ISSUE_PATH = "/sallyport.v1.Identity/Issue";

export function encodeIssueRequest({ csr, token, configVersion }: IssueRequest): Buffer {
  return new MessageWriter().bytes(1, csr).text(2, token).text(3, configVersion).finish();
}

export function decodeIssueRequest(bytes: Uint8Array): IssueRequest {
  let request: IssueRequest = { csr: new Uint8Array(), token: "", configVersion: "" };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) request = { ...request, csr: field.bytes };
    else if (field.number === 2) request = { ...request, token: field.text };
    else if (field.number === 3) request = { ...request, configVersion: field.text };
  }
  return request;
}

export function encodeIssueResponse(response: IssueResponse): Buffer {
  return new MessageWriter()
    .bytesList(1, response.chain)
    .bytesList(2, response.roots)
    .text(3, response.spiffeId)
    .number(4, response.notBefore)
    .number(5, response.notAfter)
    .finish();
}

export function decodeIssueResponse(bytes: Uint8Array): IssueResponse {
  const chain: Buffer[] = [];
  const roots: Buffer[] = [];
  let response: IssueResponse = { chain, roots, spiffeId: "", notBefore: 0, notAfter: 0 };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) chain.push(field.bytes);
    else if (field.number === 2) roots.push(field.bytes);
    else if (field.number === 3) response = { ...response, spiffeId: field.text };
    else if (field.number === 4) response = { ...response, notBefore: field.integer };
    else if (field.number === 5) response = { ...response, notAfter: field.integer };
  }
  return response;
}
