/** Trust bundles as JWKS documents (SPIFFE Trust Domain and Bundle, section 4; X509-SVID, section 6). */
import { Buffer } from "node:buffer";
import { bundleOf, type TrustBundle } from "./bundle.ts";

export interface BundleDocument {
  readonly bundle: TrustBundle;
  /** Grows whenever the content changes; 64 bits. */
  readonly sequence?: bigint;
  /** How often to look for a newer one, in seconds; absent means about 300. */
  readonly refreshHintSeconds?: number;
}

export type BundleDocumentReading =
  { readonly ok: true; readonly document: BundleDocument } | { readonly ok: false; readonly message: string };

const MAX_DOCUMENT_BYTES = 1_048_576;
const MAX_SEQUENCE = 2n ** 64n - 1n;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Reads a bundle document of a trust domain that the caller configured; the document does not name it. */
export function readBundleDocument(json: string, trustDomain: string): BundleDocumentReading {
  const fail = (why: string): BundleDocumentReading => ({ ok: false, message: `the bundle of ${trustDomain} ${why}` });
  if (json.length > MAX_DOCUMENT_BYTES) return fail(`has more than ${String(MAX_DOCUMENT_BYTES)} bytes`);
  let document: unknown;
  try {
    document = JSON.parse(json, keepSequence);
  } catch {
    return fail("is not JSON");
  }
  const keys = member(document, "keys");
  if (!Array.isArray(keys)) return fail('has no list "keys"');
  const roots: Uint8Array[] = [];
  for (const [i, key] of keys.entries()) {
    const at = `keys[${String(i)}]`;
    // A key without `kty` or `use`, and a use that is not known, is ignored (section 4.2).
    if (typeof member(key, "kty") !== "string" || member(key, "use") !== "x509-svid") continue;
    if (member(key, "kid") !== undefined) return fail(`has a kid in ${at}, which an x509-svid key must not have`);
    const chain = member(key, "x5c");
    const [certificate] = Array.isArray(chain) && chain.length === 1 ? chain : [];
    if (typeof certificate !== "string" || !BASE64.test(certificate)) {
      return fail(`must have exactly one certificate, in base64, in ${at}.x5c`);
    }
    roots.push(Buffer.from(certificate, "base64"));
  }
  const reading = bundleOf(trustDomain, roots);
  if (!reading.ok) return reading;

  const sequence = member(document, "spiffe_sequence");
  if (sequence !== undefined && (typeof sequence !== "bigint" || sequence > MAX_SEQUENCE)) {
    return fail("has a spiffe_sequence that is not an integer of 64 bits");
  }
  const hint = member(document, "spiffe_refresh_hint");
  if (hint !== undefined && (typeof hint !== "number" || !Number.isSafeInteger(hint) || hint < 0)) {
    return fail("has a spiffe_refresh_hint that is not a number of seconds");
  }
  return {
    ok: true,
    document: {
      bundle: reading.bundle,
      ...(sequence === undefined ? {} : { sequence }),
      ...(hint === undefined ? {} : { refreshHintSeconds: hint }),
    },
  };
}

/** Writes a bundle document. */
export function writeBundleDocument({ bundle, sequence, refreshHintSeconds }: BundleDocument): string {
  const keys = bundle.roots.map((root) => ({
    ...root.publicKey.export({ format: "jwk" }),
    use: "x509-svid",
    x5c: [root.raw.toString("base64")],
  }));
  const members = [`"keys":${JSON.stringify(keys)}`];
  // As text: JSON has integers of any size, JavaScript's numbers do not.
  if (sequence !== undefined) members.push(`"spiffe_sequence":${String(sequence)}`);
  if (refreshHintSeconds !== undefined) members.push(`"spiffe_refresh_hint":${String(refreshHintSeconds)}`);
  return `{${members.join(",")}}`;
}

/** Reads the sequence from its digits, which a number would round. */
function keepSequence(key: string, value: unknown, ...context: readonly unknown[]): unknown {
  if (key !== "spiffe_sequence" || typeof value !== "number") return value;
  const digits = member(context[0], "source");
  return typeof digits === "string" && /^\d{1,20}$/.test(digits) ? BigInt(digits) : value;
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}
