/** Certification paths (RFC 5280, section 6.1): found, then checked. */
import type { Certificate } from "./certificate.ts";
import { KEY_USAGE, OID } from "./oids.ts";
import type { PeerRefusal } from "./refusal.ts";
import { parseSpiffeId, type SpiffeId } from "./spiffe-id.ts";

/** Signatures verified for one chain, at most: a hostile chain costs no more. */
const MAX_SIGNATURES = 16;

/**
 * A path from the leaf to one of the roots, both in it, whose names and signatures hold; undefined where there is none.
 * What the peer sent beside the leaf may be in any order and may hold more than is needed (RFC 8446, section 4.4.2).
 */
export function buildPath(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  roots: readonly Certificate[],
): readonly Certificate[] | undefined {
  let left = MAX_SIGNATURES;
  const issues = (issuer: Certificate, subject: Certificate): boolean =>
    subject.mayBeIssuedBy(issuer) && left-- > 0 && subject.isSignedBy(issuer);

  const extend = (path: readonly Certificate[]): readonly Certificate[] | undefined => {
    const last = path.at(-1)!;
    const root = roots.find((candidate) => issues(candidate, last));
    if (root !== undefined) return [...path, root];
    for (const next of intermediates) {
      if (path.includes(next) || !issues(next, last)) continue;
      const whole = extend([...path, next]);
      if (whole !== undefined) return whole;
    }
    return undefined;
  };
  return extend([leaf]);
}

/** What is wrong with a path whose signatures hold; the leaf's own profile is not looked at. */
export function checkPath(path: readonly Certificate[], id: SpiffeId, now: number): PeerRefusal | undefined {
  for (const [i, certificate] of path.entries()) {
    const problem = checkTime(certificate, nameOf(i, path.length), now);
    if (problem !== undefined) return problem;
  }
  let below = 0;
  for (const [i, certificate] of path.entries()) {
    const name = nameOf(i, path.length);
    const [unsupported] = certificate.extensions.unsupported;
    if (unsupported !== undefined) return untrusted(`${name} has extension ${unsupported}, which is not supported`);
    if (i === 0) continue;
    const problem = checkAuthority(certificate, name, below, id);
    if (problem !== undefined) return problem;
    // Self-issued certificates do not count (RFC 5280, section 6.1.4, step l).
    if (!certificate.issuer.equals(certificate.subject)) below += 1;
  }
  return undefined;
}

function checkTime(certificate: Certificate, name: string, now: number): PeerRefusal | undefined {
  if (now < certificate.notBefore) {
    const message = `${name} is valid from ${iso(certificate.notBefore)}, and the time here is ${iso(now)}`;
    return { code: "identity_not_yet_valid", message };
  }
  if (now > certificate.notAfter) {
    return {
      code: "identity_expired",
      message: `${name} ended at ${iso(certificate.notAfter)}, and the time here is ${iso(now)}`,
    };
  }
  return undefined;
}

function checkAuthority(certificate: Certificate, name: string, below: number, id: SpiffeId): PeerRefusal | undefined {
  const { basicConstraints, keyUsage, extendedKeyUsage, subjectAltName } = certificate.extensions;
  if (basicConstraints?.ca !== true) return untrusted(`${name} is not a CA certificate`);
  if (keyUsage?.bits.has(KEY_USAGE.keyCertSign) !== true) return untrusted(`${name} lacks the key usage keyCertSign`);
  if (basicConstraints.pathLength !== undefined && below > basicConstraints.pathLength) {
    return untrusted(
      `${name} allows ${String(basicConstraints.pathLength)} intermediates, and ${String(below)} follow`,
    );
  }
  if (extendedKeyUsage !== undefined && !servesBoth(extendedKeyUsage)) {
    return untrusted(`${name} is not for both serverAuth and clientAuth`);
  }
  for (const uri of subjectAltName?.uris ?? []) {
    if (!uri.startsWith("spiffe:")) continue;
    const reading = parseSpiffeId(uri);
    if (!reading.ok) return untrusted(`${name}: ${reading.message}`);
    if (reading.id.trustDomain !== id.trustDomain) {
      return untrusted(`${name} belongs to trust domain ${reading.id.trustDomain}, not ${id.trustDomain}`);
    }
  }
  return undefined;
}

function servesBoth(purposes: readonly string[]): boolean {
  if (purposes.includes(OID.anyExtendedKeyUsage)) return true;
  return purposes.includes(OID.serverAuth) && purposes.includes(OID.clientAuth);
}

function nameOf(index: number, length: number): string {
  if (index === 0) return "the certificate";
  return index === length - 1 ? "its root" : `its intermediate ${String(index)}`;
}

function untrusted(message: string): PeerRefusal {
  return { code: "identity_untrusted", message };
}

function iso(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : String(ms);
}
