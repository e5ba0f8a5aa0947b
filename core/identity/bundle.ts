/** Trust bundles: which roots vouch for a trust domain (SPIFFE Trust Domain and Bundle, section 4). Never merged. */
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { readCertificate, type Certificate } from "./certificate.ts";
import { isTrustDomain } from "./spiffe-id.ts";

export interface TrustBundle {
  readonly trustDomain: string;
  /** None means that everything of this trust domain is revoked. */
  readonly roots: readonly Certificate[];
  /** Names the content: equal for the same roots in any order. */
  readonly version: string;
}

/** Each trust domain's bundle, by its name. */
export type Bundles = ReadonlyMap<string, TrustBundle>;

export type BundleReading =
  { readonly ok: true; readonly bundle: TrustBundle } | { readonly ok: false; readonly message: string };

export type BundlesReading =
  { readonly ok: true; readonly bundles: Bundles } | { readonly ok: false; readonly message: string };

const MAX_ROOTS = 64;

/** A bundle of these roots, DER. */
export function bundleOf(trustDomain: string, roots: readonly Uint8Array[]): BundleReading {
  const fail = (why: string): BundleReading => ({
    ok: false,
    message: `the bundle of ${JSON.stringify(trustDomain)} ${why}`,
  });
  if (!isTrustDomain(trustDomain)) return fail("is of a name that is no trust domain");
  if (roots.length > MAX_ROOTS) return fail(`has more than ${String(MAX_ROOTS)} roots`);
  const certificates: Certificate[] = [];
  for (const [i, der] of roots.entries()) {
    const reading = readCertificate(der);
    if (!reading.ok) return fail(`has a root (${String(i + 1)}) that cannot be read: ${reading.message}`);
    if (reading.certificate.extensions.basicConstraints?.ca !== true) {
      return fail(`has a root (${String(i + 1)}) that is not a CA certificate`);
    }
    certificates.push(reading.certificate);
  }
  const version = hash(
    "sha256",
    certificates
      .map(({ fingerprint }) => fingerprint)
      .sort()
      .join(" "),
    "hex",
  );
  return { ok: true, bundle: { trustDomain, roots: certificates, version } };
}

/** Bundles as a snapshot has them: trust domain → roots, DER in base64. */
export function bundlesOf(roots: Readonly<Record<string, readonly string[]>>): BundlesReading {
  const bundles = new Map<string, TrustBundle>();
  for (const [trustDomain, certificates] of Object.entries(roots)) {
    const reading = bundleOf(
      trustDomain,
      certificates.map((text) => Buffer.from(text, "base64")),
    );
    if (!reading.ok) return reading;
    bundles.set(trustDomain, reading.bundle);
  }
  return { ok: true, bundles };
}
