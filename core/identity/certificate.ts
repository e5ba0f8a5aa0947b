/** X.509 certificates as validation needs them (RFC 5280, section 4), read by this folder's own strict DER reader. */
import { Buffer } from "node:buffer";
import { createPublicKey, hash, verify, type KeyObject } from "node:crypto";
import { contextTag, DerError, DerReader, TAG } from "./der.ts";
import { NO_EXTENSIONS, readExtensions, type Extensions } from "./extensions.ts";
import { OID } from "./oids.ts";

/** The largest certificate that is read, in bytes. */
export const MAX_CERTIFICATE_BYTES = 32_768;

export type CertificateReading =
  { readonly ok: true; readonly certificate: Certificate } | { readonly ok: false; readonly message: string };

interface Fields {
  readonly raw: Buffer;
  readonly toBeSigned: Buffer;
  readonly signatureAlgorithm: string;
  readonly signature: Buffer;
  readonly serial: Buffer;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKeyInfo: Buffer;
  readonly extensions: Extensions;
}

/** A certificate that was read; nothing about it is verified. */
export class Certificate {
  /** DER. */
  readonly raw: Buffer;
  /** Distinguished names, DER. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** Unix milliseconds; both ends belong to the validity. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Buffer;
  readonly extensions: Extensions;
  readonly #fields: Fields;
  #publicKey: KeyObject | undefined;

  constructor(fields: Fields) {
    this.raw = fields.raw;
    this.issuer = fields.issuer;
    this.subject = fields.subject;
    this.notBefore = fields.notBefore;
    this.notAfter = fields.notAfter;
    this.publicKeyInfo = fields.publicKeyInfo;
    this.extensions = fields.extensions;
    this.#fields = fields;
  }

  /** Hexadecimal, as it stands. */
  get serial(): string {
    return this.#fields.serial.toString("hex");
  }

  /** SHA-256 of the certificate, hexadecimal. */
  get fingerprint(): string {
    return hash("sha256", this.raw, "hex");
  }

  /** Throws where the key is of no kind that OpenSSL reads. */
  get publicKey(): KeyObject {
    this.#publicKey ??= createPublicKey({ key: this.publicKeyInfo, format: "der", type: "spki" });
    return this.#publicKey;
  }

  /** Whether this certificate's names and key identifiers let `issuer` be its issuer. */
  mayBeIssuedBy(issuer: Certificate): boolean {
    if (!this.issuer.equals(issuer.subject)) return false;
    const { authorityKeyIdentifier } = this.extensions;
    const { subjectKeyIdentifier } = issuer.extensions;
    if (authorityKeyIdentifier === undefined || subjectKeyIdentifier === undefined) return true;
    return authorityKeyIdentifier.equals(subjectKeyIdentifier);
  }

  /** Whether `issuer`'s key made the signature, by an algorithm and with a key that are strong enough. */
  isSignedBy(issuer: Certificate): boolean {
    const { toBeSigned, signature, signatureAlgorithm } = this.#fields;
    return verifySignature(signatureAlgorithm, issuer, toBeSigned, signature);
  }
}

interface Algorithm {
  readonly keyType: "ec" | "rsa" | "ed25519";
  readonly digest: string | null;
}

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  [OID.ecdsaWithSHA256, { keyType: "ec", digest: "sha256" }],
  [OID.ecdsaWithSHA384, { keyType: "ec", digest: "sha384" }],
  [OID.ecdsaWithSHA512, { keyType: "ec", digest: "sha512" }],
  [OID.sha256WithRSAEncryption, { keyType: "rsa", digest: "sha256" }],
  [OID.sha384WithRSAEncryption, { keyType: "rsa", digest: "sha384" }],
  [OID.sha512WithRSAEncryption, { keyType: "rsa", digest: "sha512" }],
  [OID.ed25519, { keyType: "ed25519", digest: null }],
]);

const CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;

function verifySignature(oid: string, issuer: Certificate, data: Buffer, signature: Buffer): boolean {
  const algorithm = ALGORITHMS.get(oid);
  if (algorithm === undefined) return false;
  try {
    const key = issuer.publicKey;
    return (
      key.asymmetricKeyType === algorithm.keyType && isStrong(key) && verify(algorithm.digest, data, key, signature)
    );
  } catch {
    return false;
  }
}

/** Whether a key is of a kind and size that may vouch for somebody. */
export function isStrong(key: KeyObject): boolean {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  if (type === "ec") return namedCurve !== undefined && CURVES.has(namedCurve);
  if (type === "rsa") return modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS;
  return type === "ed25519";
}

/** Reads a certificate. Version 3 only: the others have no extensions, and so no identity. */
export function readCertificate(der: Uint8Array): CertificateReading {
  if (der.byteLength > MAX_CERTIFICATE_BYTES) {
    return { ok: false, message: `the certificate has more than ${String(MAX_CERTIFICATE_BYTES)} bytes` };
  }
  try {
    return { ok: true, certificate: new Certificate(readFields(der)) };
  } catch (error) {
    if (error instanceof DerError) return { ok: false, message: `the certificate is malformed: ${error.message}` };
    throw error;
  }
}

const V3 = 2;
const MAX_SERIAL_BYTES = 20;

function readFields(der: Uint8Array): Fields {
  const document = DerReader.over(der);
  const certificate = document.nested(TAG.sequence);
  document.finish();
  const toBeSigned = certificate.readWhole(TAG.sequence);
  const outer = certificate.readWhole(TAG.sequence);
  const signature = certificate.bytesOfBits();
  certificate.finish();

  const body = DerReader.over(toBeSigned).nested(TAG.sequence);
  const version = body.nested(contextTag(0, true));
  if (version.smallInteger() !== V3) throw new DerError("not of version 3");
  version.finish();
  const serial = body.integer();
  if (serial[0]! >= 0x80 || serial.length > MAX_SERIAL_BYTES) throw new DerError("serial number out of range");
  if (!body.readWhole(TAG.sequence).equals(outer)) throw new DerError("two signature algorithms");
  const issuer = body.readWhole(TAG.sequence);
  const validity = body.nested(TAG.sequence);
  const notBefore = validity.time();
  const notAfter = validity.time();
  validity.finish();
  const subject = body.readWhole(TAG.sequence);
  const publicKeyInfo = body.readWhole(TAG.sequence);
  for (const uniqueId of [1, 2]) {
    const tag = contextTag(uniqueId, false);
    if (body.peek() === tag) body.read(tag);
  }
  const list = body.optional(contextTag(3, true));
  const extensions = list === undefined ? NO_EXTENSIONS : readExtensions(list.nested(TAG.sequence));
  list?.finish();
  body.finish();
  return {
    raw: Buffer.from(der.buffer, der.byteOffset, der.byteLength),
    toBeSigned,
    signatureAlgorithm: readAlgorithm(outer),
    signature,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKeyInfo,
    extensions,
  };
}

/** An AlgorithmIdentifier without parameters, or with the NULL that RSA has (RFC 4055, section 5). */
export function readAlgorithm(der: Uint8Array): string {
  const reader = DerReader.over(der).nested(TAG.sequence);
  const oid = reader.oid();
  if (reader.optional(TAG.null)?.done === false) throw new DerError("malformed null");
  reader.finish();
  return oid;
}
