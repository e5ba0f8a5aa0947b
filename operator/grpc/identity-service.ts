/** `Identity.Issue`: who is asking, then what is signed. */
import { status, type handleUnaryCall } from "@grpc/grpc-js";
import { callbackify } from "node:util";
import { readSigningRequest } from "../../core/identity/index.ts";
import type { IssueRequest, IssueResponse } from "../../proto/identity.ts";
import type { Attestation, Attestor, Issued, Issuer, IssueRefusal } from "../issuer/index.ts";
import type { Peers } from "./peers.ts";

/** Told of each certificate that was signed or refused. No token is in it. */
export interface Issuance {
  readonly outcome: "issued" | "refused";
  /** Empty where it is not known. */
  readonly spiffeId: string;
  readonly instance: string;
  /** Of a refusal; empty otherwise. */
  readonly code: string;
  readonly message: string;
  readonly notAfter: number;
}

export interface IdentityServiceOptions {
  readonly issuer: Issuer;
  readonly attestor: Attestor;
  readonly peers: Peers;
  readonly now: () => number;
  readonly onIssuance: (issuance: Issuance) => void;
}

export function identityService(options: IdentityServiceOptions): handleUnaryCall<IssueRequest, IssueResponse> {
  const answerTo = callbackify((request: IssueRequest, peerName: string) => answer(options, request, peerName));
  return (call, callback) => {
    answerTo(call.request, call.getPeer(), (error, response) => {
      if (error === null) callback(null, response);
      else callback(error instanceof Failure ? error.status : { code: status.INTERNAL, details: "internal error" });
    });
  };
}

async function answer(
  options: IdentityServiceOptions,
  request: IssueRequest,
  peerName: string,
): Promise<IssueResponse> {
  let result: Issued | IssueRefusal;
  try {
    result = await issue(options, request, peerName);
  } catch (error) {
    const refusal = { spiffeId: "", instance: "", code: "internal", message: String(error), notAfter: 0 };
    options.onIssuance({ outcome: "refused", ...refusal });
    throw new Failure(status.UNAVAILABLE, "the request cannot be answered now");
  }
  if (!result.ok) throw new Failure(status.PERMISSION_DENIED, `${result.code}: ${result.message}`);
  const { chain, id, notBefore, notAfter } = result;
  const roots = options.issuer.authority.roots.map((root) => root.raw);
  return { chain, roots, spiffeId: id.uri, notBefore, notAfter };
}

/** A status of gRPC's, on its way to the caller. */
class Failure extends Error {
  readonly status: { readonly code: status; readonly details: string };

  constructor(code: status, details: string) {
    super(details);
    this.status = { code, details };
  }
}

async function issue(
  options: IdentityServiceOptions,
  request: IssueRequest,
  peerName: string,
): Promise<Issued | IssueRefusal> {
  const { issuer, now, onIssuance } = options;
  const refused = (refusal: IssueRefusal, spiffeId: string, instance: string): IssueRefusal => {
    onIssuance({ outcome: "refused", spiffeId, instance, code: refusal.code, message: refusal.message, notAfter: 0 });
    return refusal;
  };
  // The key first: an attestor may bind a token to it, and must not do so for somebody who does not have it.
  const reading = readSigningRequest(request.csr);
  if (!reading.ok) return refused(reading, "", "");
  const attestation = await attest(options, request.token, reading.request.publicKeyInfo, peerName);
  if (!attestation.ok) {
    const code = request.token === "" ? "attestation_missing" : "attestation_failed";
    return refused({ ok: false, code, message: attestation.message }, "", "");
  }
  const { subject } = attestation;
  const result = issuer.issue(reading.request, subject, now());
  if (!result.ok) return refused(result, issuer.idOf(subject).uri, subject.instance);
  const { id, notAfter } = result;
  onIssuance({ outcome: "issued", spiffeId: id.uri, instance: subject.instance, code: "", message: "", notAfter });
  return result;
}

/** By the certificate of the connection where there is a good one, and what the attestor asks for besides; else by the token. */
async function attest(
  { attestor, issuer, peers, now }: IdentityServiceOptions,
  token: string,
  publicKeyInfo: Uint8Array,
  peerName: string,
): Promise<Attestation> {
  const verified = peers.verify(peerName, now());
  if (verified.ok) {
    const { uri } = verified.peer.id;
    const attestation = await attestor.renew(verified.peer, token, publicKeyInfo);
    if (!attestation.ok || issuer.idOf(attestation.subject).uri === uri) return attestation;
    return {
      ok: false,
      message: `the token is ${issuer.idOf(attestation.subject).uri}'s, and the connection is ${uri}'s`,
    };
  }
  if (token !== "") return attestor.attest(token, publicKeyInfo);
  return { ok: false, message: `there is no token, and the connection does not say who this is: ${verified.message}` };
}
