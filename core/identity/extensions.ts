/** The certificate extensions that validation reads (RFC 5280, section 4.2). */
import type { Buffer } from "node:buffer";
import { contextTag, DerError, DerReader, TAG } from "./der.ts";
import { OID } from "./oids.ts";

export interface BasicConstraints {
  readonly critical: boolean;
  readonly ca: boolean;
  /** How many intermediate CA certificates may follow; absent means any number. */
  readonly pathLength?: number;
}

export interface KeyUsage {
  readonly critical: boolean;
  /** Bit numbers of RFC 5280, section 4.2.1.3. */
  readonly bits: ReadonlySet<number>;
}

export interface SubjectAltName {
  readonly critical: boolean;
  readonly uris: readonly string[];
  /** How many names of other types there are. */
  readonly others: number;
}

export interface Extensions {
  readonly basicConstraints?: BasicConstraints;
  readonly keyUsage?: KeyUsage;
  readonly subjectAltName?: SubjectAltName;
  /** Purposes, as object identifiers. */
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectKeyIdentifier?: Buffer;
  readonly authorityKeyIdentifier?: Buffer;
  /** What this code cannot process and RFC 5280 does not let it ignore. */
  readonly unsupported: readonly string[];
}

const MAX_EXTENSIONS = 32;
const MAX_NAMES = 256;

export const NO_EXTENSIONS: Extensions = { unsupported: [] };

/** Reads `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`. Throws DerError. */
export function readExtensions(list: DerReader): Extensions {
  const seen = new Set<string>();
  const unsupported: string[] = [];
  let extensions: Extensions = { unsupported };
  while (!list.done) {
    const extension = list.nested(TAG.sequence);
    const oid = extension.oid();
    if (seen.has(oid)) throw new DerError(`extension ${oid} is there twice`);
    if (seen.add(oid).size > MAX_EXTENSIONS) throw new DerError("too many extensions");
    const critical = readCritical(extension);
    const value = DerReader.over(extension.read(TAG.octetString));
    extension.finish();
    const read = readExtension(oid, critical, value);
    if (read !== undefined) {
      value.finish();
      extensions = { ...extensions, ...read };
    } else if (oid === OID.nameConstraints || (critical && oid !== OID.certificatePolicies)) {
      // Policies may be ignored: nobody asks for one, and policyConstraints, which would, are refused here.
      unsupported.push(oid);
    }
  }
  if (seen.size === 0) throw new DerError("empty list of extensions");
  return extensions;
}

function readCritical(extension: DerReader): boolean {
  if (extension.peek() !== TAG.boolean) return false;
  if (!extension.boolean()) throw new DerError("a default value is encoded");
  return true;
}

function readExtension(oid: string, critical: boolean, value: DerReader): Partial<Extensions> | undefined {
  switch (oid) {
    case OID.basicConstraints:
      return { basicConstraints: readBasicConstraints(critical, value.nested(TAG.sequence)) };
    case OID.keyUsage:
      return { keyUsage: { critical, bits: value.namedBits() } };
    case OID.subjectAltName:
      return { subjectAltName: readNames(critical, value.nested(TAG.sequence)) };
    case OID.extendedKeyUsage:
      return { extendedKeyUsage: readPurposes(value.nested(TAG.sequence)) };
    case OID.subjectKeyIdentifier:
      return { subjectKeyIdentifier: value.read(TAG.octetString) };
    case OID.authorityKeyIdentifier:
      return readAuthorityKeyIdentifier(value.nested(TAG.sequence));
    default:
      return undefined;
  }
}

function readBasicConstraints(critical: boolean, value: DerReader): BasicConstraints {
  let ca = false;
  if (value.peek() === TAG.boolean) {
    ca = value.boolean();
    if (!ca) throw new DerError("a default value is encoded");
  }
  if (value.done) return { critical, ca };
  const pathLength = value.smallInteger();
  value.finish();
  return { critical, ca, pathLength };
}

const FIRST_NAME = 0x80;
const LAST_NAME = 0xa8;
const URI_NAME: number = contextTag(6, false);

function readNames(critical: boolean, names: DerReader): SubjectAltName {
  const uris: string[] = [];
  let others = 0;
  for (let tag = names.peek(); tag !== undefined; tag = names.peek()) {
    if (uris.length + others === MAX_NAMES) throw new DerError("too many subject alternative names");
    if (tag < FIRST_NAME || tag > LAST_NAME) throw new DerError("malformed subject alternative name");
    const contents = names.read(tag);
    if (tag !== URI_NAME) others += 1;
    else if (contents.every((byte) => byte > 0x20 && byte < 0x7f)) uris.push(contents.toString("latin1"));
    else throw new DerError("a URI has a character that is not printable ASCII");
  }
  if (uris.length + others === 0) throw new DerError("empty list of subject alternative names");
  return { critical, uris, others };
}

function readPurposes(list: DerReader): readonly string[] {
  const purposes: string[] = [];
  while (!list.done) {
    if (purposes.length === MAX_EXTENSIONS) throw new DerError("too many purposes");
    purposes.push(list.oid());
  }
  if (purposes.length === 0) throw new DerError("empty list of purposes");
  return purposes;
}

/** Of the three members only the key identifier is used; the others name the issuer, whose signature says more. */
function readAuthorityKeyIdentifier(value: DerReader): Partial<Extensions> {
  const tag = contextTag(0, false);
  return value.peek() === tag ? { authorityKeyIdentifier: value.read(tag) } : {};
}
