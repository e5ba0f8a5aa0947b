/** Certificates that this project signs: roots, intermediates and X.509-SVIDs (RFC 5280; SPIFFE X509-SVID). P-256 only. */
import { Buffer } from "node:buffer";
import { hash, sign, type KeyObject } from "node:crypto";
import { readCertificate, type Certificate } from "./certificate.ts";
import { DerReader, TAG } from "./der.ts";
import * as der from "./der-writer.ts";
import { KEY_USAGE, OID } from "./oids.ts";
import type { SpiffeId } from "./spiffe-id.ts";

/** A certificate authority's certificate and its private key. */
export interface Authority {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

/** Unix milliseconds; certificates have whole seconds, so both are rounded down. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AuthorityOptions extends Validity {
  /** For people; the key's hash is added, so that two authorities never share a name. */
  readonly commonName: string;
  /** The trust domain's own ID (X509-SVID, section 3.2). */
  readonly id: SpiffeId;
  readonly publicKey: KeyObject;
  /** Sixteen random bytes. */
  readonly serial: Uint8Array;
  /** How many intermediates may follow. */
  readonly pathLength: number;
}

export interface LeafOptions extends Validity {
  readonly id: SpiffeId;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Uint8Array;
  /** Sixteen random bytes. */
  readonly serial: Uint8Array;
  /** Names beside the ID, for clients that look for the host that they called. */
  readonly hosts?: Hosts;
}

export interface Hosts {
  readonly dnsNames: readonly string[];
  /** Four bytes or sixteen each. */
  readonly addresses: readonly Uint8Array[];
}

/** A self-signed root. */
export function signRoot(options: AuthorityOptions, key: KeyObject): Certificate {
  const { publicKeyInfo, name, keyId } = describe(options);
  return signCertificate(
    { ...options, subject: name, issuer: name, publicKeyInfo, extensions: authorityExtensions(options, keyId) },
    key,
  );
}

/** An intermediate authority. */
export function signIntermediate(options: AuthorityOptions, issuer: Authority): Certificate {
  const { publicKeyInfo, name, keyId } = describe(options);
  const extensions = [...authorityExtensions(options, keyId), authorityKeyId(issuer.certificate)];
  const { subject } = issuer.certificate;
  return signCertificate({ ...options, subject: name, issuer: subject, publicKeyInfo, extensions }, issuer.key);
}

/** An X.509-SVID to the letter of X509-SVID, section 4: no subject, one URI, critical; key usage digitalSignature. DER. */
export function signLeaf(options: LeafOptions, issuer: Authority): Buffer {
  const { id, publicKeyInfo, hosts } = options;
  const extensions = [
    LEAF_CONSTRAINTS,
    LEAF_KEY_USAGE,
    LEAF_PURPOSES,
    extension(SUBJECT_ALT_NAME, der.sequence(uri(id), ...hostNames(hosts)), true),
    keyIdExtension(keyIdOf(publicKeyInfo)),
    authorityKeyId(issuer.certificate),
  ];
  const { subject } = issuer.certificate;
  return signDer({ ...options, subject: EMPTY_NAME, issuer: subject, publicKeyInfo, extensions }, issuer.key);
}

interface Body extends Validity {
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKeyInfo: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

const SERIAL_BYTES = 16;
const ECDSA_SHA256: Buffer = der.sequence(der.oid(OID.ecdsaWithSHA256));
const EMPTY_NAME: Buffer = der.sequence();
const V3: Buffer = der.explicit(0, der.unsigned(Buffer.from([2])));

function signDer(body: Body, key: KeyObject): Buffer {
  if (body.serial.length !== SERIAL_BYTES) throw new Error(`a serial number is made of ${String(SERIAL_BYTES)} bytes`);
  if (body.notAfter <= body.notBefore) throw new Error("a certificate must end after it begins");
  const toBeSigned = der.sequence(
    V3,
    der.unsigned(nonZero(body.serial)),
    ECDSA_SHA256,
    body.issuer,
    der.sequence(der.time(body.notBefore), der.time(body.notAfter)),
    body.subject,
    body.publicKeyInfo,
    der.explicit(3, der.sequence(...body.extensions)),
  );
  return der.sequence(toBeSigned, ECDSA_SHA256, der.bitString(sign("sha256", toBeSigned, key)));
}

function signCertificate(body: Body, key: KeyObject): Certificate {
  const reading = readCertificate(signDer(body, key));
  if (!reading.ok) throw new Error(`an authority's own certificate cannot be read: ${reading.message}`);
  return reading.certificate;
}

/** Serial numbers are positive (RFC 5280, section 4.1.2.2). */
function nonZero(serial: Uint8Array): Uint8Array {
  return serial.some((byte) => byte !== 0) ? serial : Buffer.from([1]);
}

function describe({ publicKey, commonName }: AuthorityOptions): { publicKeyInfo: Buffer; name: Buffer; keyId: Buffer } {
  const publicKeyInfo = publicKey.export({ format: "der", type: "spki" });
  const keyId = keyIdOf(publicKeyInfo);
  const name = der.sequence(
    attribute(OID.organizationName, "Sallyport"),
    attribute(OID.commonName, commonName),
    attribute(OID.serialNumber, keyId.toString("hex")),
  );
  return { publicKeyInfo, name, keyId };
}

function attribute(type: string, value: string): Buffer {
  return der.setOf(der.sequence(der.oid(type), der.utf8String(value)));
}

const KEY_ID_BYTES = 20;

/** The leftmost 160 bits of the SHA-256 of the key's bits (RFC 7093, section 2, method 1). */
function keyIdOf(publicKeyInfo: Uint8Array): Buffer {
  const info = DerReader.over(publicKeyInfo).nested(TAG.sequence);
  info.read(TAG.sequence);
  return hash("sha256", info.bytesOfBits(), "buffer").subarray(0, KEY_ID_BYTES);
}

const SUBJECT_ALT_NAME: Buffer = der.oid(OID.subjectAltName);
const BASIC_CONSTRAINTS: Buffer = der.oid(OID.basicConstraints);
const KEY_USAGE_ID: Buffer = der.oid(OID.keyUsage);
const SUBJECT_KEY_ID: Buffer = der.oid(OID.subjectKeyIdentifier);
const AUTHORITY_KEY_ID: Buffer = der.oid(OID.authorityKeyIdentifier);

const LEAF_CONSTRAINTS: Buffer = extension(BASIC_CONSTRAINTS, der.sequence(), true);
const LEAF_KEY_USAGE: Buffer = extension(KEY_USAGE_ID, der.namedBits([KEY_USAGE.digitalSignature]), true);
const LEAF_PURPOSES: Buffer = extension(
  der.oid(OID.extendedKeyUsage),
  der.sequence(der.oid(OID.serverAuth), der.oid(OID.clientAuth)),
  false,
);

function extension(id: Uint8Array, value: Uint8Array, critical: boolean): Buffer {
  const contents = der.octetString(value);
  return critical ? der.sequence(id, der.TRUE, contents) : der.sequence(id, contents);
}

function authorityExtensions({ id, pathLength }: AuthorityOptions, keyId: Buffer): readonly Buffer[] {
  return [
    extension(BASIC_CONSTRAINTS, der.sequence(der.TRUE, der.unsigned(Buffer.from([pathLength]))), true),
    extension(KEY_USAGE_ID, der.namedBits([KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign]), true),
    extension(SUBJECT_ALT_NAME, der.sequence(uri(id)), false),
    keyIdExtension(keyId),
  ];
}

function keyIdExtension(keyId: Uint8Array): Buffer {
  return extension(SUBJECT_KEY_ID, der.octetString(keyId), false);
}

function authorityKeyId(issuer: Certificate): Buffer {
  const keyId = issuer.extensions.subjectKeyIdentifier;
  if (keyId === undefined) throw new Error("the issuer's certificate has no subject key identifier");
  return extension(AUTHORITY_KEY_ID, der.sequence(der.implicit(0, keyId)), false);
}

function uri(id: SpiffeId): Buffer {
  return der.implicit(6, Buffer.from(id.uri, "latin1"));
}

function hostNames(hosts: Hosts | undefined): readonly Buffer[] {
  if (hosts === undefined) return [];
  return [
    ...hosts.dnsNames.map((name) => der.implicit(2, Buffer.from(name, "latin1"))),
    ...hosts.addresses.map((address) => der.implicit(7, address)),
  ];
}
