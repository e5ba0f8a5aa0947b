/**
 * Who a chain of certificates proves the other side to be: path validation (RFC 5280, section 6) against the bundle of
 * the peer's own trust domain, then the rules for leaves (SPIFFE X509-SVID, sections 4 and 5).
 */
import type { Bundles } from "./bundle.ts";
import { isStrong, readCertificate, type Certificate } from "./certificate.ts";
import { KEY_USAGE, OID } from "./oids.ts";
import { buildPath, checkPath } from "./path.ts";
import type { PeerRefusal, PeerRefusalCode } from "./refusal.ts";
import { parseSpiffeId, type SpiffeId } from "./spiffe-id.ts";

export type PeerValidation =
  { readonly ok: true; readonly peer: VerifiedPeer } | ({ readonly ok: false } & PeerRefusal);

/** The longest chain that is read. */
export const MAX_CHAIN = 8;

/**
 * Somebody whose certificate was verified. Made by `validatePeer` alone: the class is exported as a type, and its private
 * field keeps look-alikes out.
 */
class VerifiedPeer {
  readonly id: SpiffeId;
  /** When the validity of the leaf or of what vouches for it begins and ends, Unix milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Serial number of the leaf, hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the leaf, hexadecimal. */
  readonly fingerprint: string;
  readonly #brand = true;

  constructor(id: SpiffeId, leaf: Certificate, notBefore: number, notAfter: number) {
    this.id = id;
    this.notBefore = notBefore;
    this.notAfter = notAfter;
    this.serial = leaf.serial;
    this.fingerprint = leaf.fingerprint;
  }

  /** Whether a value is a peer that was verified, and no copy of one. */
  static is(value: object): value is VerifiedPeer {
    return #brand in value && value.#brand;
  }
}
export type { VerifiedPeer };

/** Whether a value is a peer that `validatePeer` made. */
export function isVerifiedPeer(value: object): value is VerifiedPeer {
  return VerifiedPeer.is(value);
}

/**
 * Verifies a peer's chain, DER, the leaf first. Only the bundle of the trust domain that the leaf names is looked at, so
 * no authority can vouch for another's workloads. `now` is Unix milliseconds.
 */
export function validatePeer(chain: readonly Uint8Array[], bundles: Bundles, now: number): PeerValidation {
  if (chain.length === 0) return refuse("identity_missing", "no client certificate was presented");
  if (chain.length > MAX_CHAIN) {
    return refuse("identity_malformed", `the chain has more than ${String(MAX_CHAIN)} certificates`);
  }
  const certificates: Certificate[] = [];
  for (const [i, der] of chain.entries()) {
    const reading = readCertificate(der);
    if (!reading.ok)
      return refuse("identity_malformed", `certificate ${String(i + 1)} of the chain: ${reading.message}`);
    certificates.push(reading.certificate);
  }
  const [leaf, ...intermediates] = certificates as [Certificate, ...Certificate[]];

  const named = readId(leaf);
  if (!named.ok) return refuse("identity_invalid", named.message);
  const { id } = named;
  const bundle = bundles.get(id.trustDomain);
  if (bundle === undefined) {
    return refuse("trust_domain_unknown", `trust domain ${id.trustDomain} is not trusted here`);
  }

  const path = buildPath(leaf, intermediates, bundle.roots);
  if (path === undefined) {
    const message = `no chain from the certificate of ${id.uri} to a root of trust domain ${id.trustDomain}`;
    return refuse("identity_untrusted", message);
  }
  const broken = checkPath(path, id, now) ?? checkLeaf(leaf);
  if (broken !== undefined) return refuse(broken.code, broken.message);
  const notBefore = Math.max(...path.map((certificate) => certificate.notBefore));
  const notAfter = Math.min(...path.map((certificate) => certificate.notAfter));
  return { ok: true, peer: new VerifiedPeer(id, leaf, notBefore, notAfter) };
}

function readId(
  leaf: Certificate,
): { readonly ok: true; readonly id: SpiffeId } | { readonly ok: false; readonly message: string } {
  const uris = leaf.extensions.subjectAltName?.uris ?? [];
  const [uri] = uris;
  if (uri === undefined) return { ok: false, message: "the certificate has no URI subject alternative name" };
  if (uris.length > 1) {
    return {
      ok: false,
      message: `the certificate has ${String(uris.length)} URI subject alternative names, and must have one`,
    };
  }
  const reading = parseSpiffeId(uri);
  if (!reading.ok) return { ok: false, message: reading.message };
  if (reading.id.path === "") {
    return { ok: false, message: `${uri} is the ID of a trust domain, and cannot authenticate a workload` };
  }
  return reading;
}

const EMPTY_NAME_BYTES = 2;

/** The rules for a leaf that its path does not settle (X509-SVID, sections 4 and 5.2). */
function checkLeaf(leaf: Certificate): PeerRefusal | undefined {
  const { basicConstraints, keyUsage, subjectAltName, extendedKeyUsage } = leaf.extensions;
  const invalid = (why: string): PeerRefusal => ({ code: "identity_invalid", message: `the certificate ${why}` });
  if (basicConstraints?.ca === true) return invalid("is a CA certificate, and cannot authenticate a workload");
  if (basicConstraints?.pathLength !== undefined) return invalid("has a path length, and is not a CA certificate");
  if (keyUsage === undefined) return invalid("has no key usage");
  if (!keyUsage.critical) return invalid("has a key usage that is not critical");
  if (!keyUsage.bits.has(KEY_USAGE.digitalSignature)) return invalid("has a key usage without digitalSignature");
  if (keyUsage.bits.has(KEY_USAGE.keyCertSign)) return invalid("has the key usage keyCertSign");
  if (keyUsage.bits.has(KEY_USAGE.cRLSign)) return invalid("has the key usage cRLSign");
  if (extendedKeyUsage !== undefined) {
    for (const [name, purpose] of [
      ["serverAuth", OID.serverAuth],
      ["clientAuth", OID.clientAuth],
    ] as const) {
      if (!extendedKeyUsage.includes(purpose)) return invalid(`has an extended key usage without ${name}`);
    }
  }
  if (leaf.subject.length === EMPTY_NAME_BYTES && subjectAltName?.critical === false) {
    return invalid("has an empty subject, and its subject alternative name is not critical");
  }
  return hasStrongKey(leaf) ? undefined : invalid("has a key of a kind or size that is not accepted");
}

function hasStrongKey(leaf: Certificate): boolean {
  try {
    return isStrong(leaf.publicKey);
  } catch {
    return false;
  }
}

function refuse(code: PeerRefusalCode, message: string): PeerValidation {
  return { ok: false, code, message };
}
