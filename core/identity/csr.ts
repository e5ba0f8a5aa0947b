/** Certificate signing requests (PKCS #10, RFC 2986): made by a sidecar, read by the issuer. P-256 only. */
import { Buffer } from "node:buffer";
import { createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { readAlgorithm } from "./certificate.ts";
import { contextTag, DerError, DerReader, TAG } from "./der.ts";
import { bitString, element, oid, sequence } from "./der-writer.ts";
import { readExtensions, type Extensions } from "./extensions.ts";
import { OID } from "./oids.ts";

/** The largest request that is read, in bytes; one of this project's has about 230. */
export const MAX_CSR_BYTES = 8192;

export interface SigningRequest {
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Buffer;
  /** Whether it asks for a subject name. */
  readonly hasSubject: boolean;
  /** What it asks for; absent if nothing. */
  readonly extensions?: Extensions;
  /** Object identifiers of other attributes that it has. */
  readonly otherAttributes: readonly string[];
}

export type SigningRequestReading =
  | { readonly ok: true; readonly request: SigningRequest }
  | { readonly ok: false; readonly code: "csr_malformed" | "csr_key" | "csr_signature"; readonly message: string };

const ECDSA_SHA256: Buffer = sequence(oid(OID.ecdsaWithSHA256));
const EMPTY_NAME: Buffer = sequence();
const VERSION_1: Buffer = element(TAG.integer, Buffer.from([0]));
const NO_ATTRIBUTES: Buffer = element(contextTag(0, true));

/** A request without names: the issuer says who its caller is. The key is P-256. */
export function createSigningRequest(publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const publicKeyInfo = publicKey.export({ format: "der", type: "spki" });
  const body = sequence(VERSION_1, EMPTY_NAME, publicKeyInfo, NO_ATTRIBUTES);
  return sequence(body, ECDSA_SHA256, bitString(sign("sha256", body, privateKey)));
}

/** Reads a request and verifies that its sender has the private key. What it asks for is reported, not judged. */
export function readSigningRequest(der: Uint8Array): SigningRequestReading {
  if (der.byteLength > MAX_CSR_BYTES) {
    return { ok: false, code: "csr_malformed", message: `the request has more than ${String(MAX_CSR_BYTES)} bytes` };
  }
  try {
    return readFields(der);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return { ok: false, code: "csr_malformed", message: `the request is malformed: ${error.message}` };
  }
}

function readFields(der: Uint8Array): SigningRequestReading {
  const document = DerReader.over(der);
  const request = document.nested(TAG.sequence);
  document.finish();
  const body = request.readWhole(TAG.sequence);
  const algorithm = readAlgorithm(request.readWhole(TAG.sequence));
  const signature = request.bytesOfBits();
  request.finish();

  const info = DerReader.over(body).nested(TAG.sequence);
  if (info.smallInteger() !== 0) throw new DerError("not of version 1");
  const subject = info.readWhole(TAG.sequence);
  const publicKeyInfo = info.readWhole(TAG.sequence);
  const attributes = readAttributes(info.nested(contextTag(0, true)));
  info.finish();

  if (!isP256(publicKeyInfo)) {
    return { ok: false, code: "csr_key", message: "the request's key is not an elliptic-curve key on P-256" };
  }
  if (algorithm !== OID.ecdsaWithSHA256) {
    return {
      ok: false,
      code: "csr_signature",
      message: `the request is signed by ${algorithm}, not by ECDSA with SHA-256`,
    };
  }
  const publicKey = importKey(publicKeyInfo);
  if (publicKey === undefined) {
    return { ok: false, code: "csr_key", message: "the request's key is not a point on P-256" };
  }
  if (!proves(body, signature, publicKey)) {
    return {
      ok: false,
      code: "csr_signature",
      message: "the request's signature does not prove possession of its key",
    };
  }
  return { ok: true, request: { publicKey, publicKeyInfo, hasSubject: !subject.equals(EMPTY_NAME), ...attributes } };
}

const MAX_ATTRIBUTES = 16;

function readAttributes(list: DerReader): Pick<SigningRequest, "extensions" | "otherAttributes"> {
  const seen = new Set<string>();
  const otherAttributes: string[] = [];
  let extensions: Extensions | undefined;
  while (!list.done) {
    const attribute = list.nested(TAG.sequence);
    const type = attribute.oid();
    if (seen.has(type)) throw new DerError(`attribute ${type} is there twice`);
    if (seen.add(type).size > MAX_ATTRIBUTES) throw new DerError("too many attributes");
    const values = attribute.nested(TAG.set);
    attribute.finish();
    if (type !== OID.extensionRequest) {
      otherAttributes.push(type);
      continue;
    }
    extensions = readExtensions(values.nested(TAG.sequence));
    values.finish();
  }
  return { ...(extensions === undefined ? {} : { extensions }), otherAttributes };
}

const P256_ALGORITHM: Buffer = sequence(oid(OID.ecPublicKey), oid(OID.prime256v1));
const UNCOMPRESSED = 0x04;
const P256_POINT_BYTES = 65;

/** Whether this is a key on the named curve, its point uncompressed (RFC 5480, section 2). */
function isP256(publicKeyInfo: Buffer): boolean {
  const reader = DerReader.over(publicKeyInfo).nested(TAG.sequence);
  if (!reader.readWhole(TAG.sequence).equals(P256_ALGORITHM)) return false;
  const point = reader.bytesOfBits();
  reader.finish();
  return point.length === P256_POINT_BYTES && point[0] === UNCOMPRESSED;
}

function importKey(publicKeyInfo: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: publicKeyInfo, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

function proves(body: Buffer, signature: Buffer, publicKey: KeyObject): boolean {
  try {
    return verify("sha256", body, publicKey, signature);
  } catch {
    return false;
  }
}
