import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";

export type Roots =
  { readonly ok: true; readonly roots: readonly string[] } | { readonly ok: false; readonly message: string };

const MAX_ROOTS = 32;

/**
 * The X.509 roots of a trust domain's bundle, DER in base64 (SPIFFE Trust Domain and Bundle, section 4; X509-SVID, section
 * 6.1): keys with use "x509-svid", each with exactly one certificate.
 */
export function readRoots(jwks: string, trustDomain: string): Roots {
  const fail = (why: string): Roots => ({ ok: false, message: `the bundle of ${trustDomain} ${why}` });
  let document: unknown;
  try {
    document = JSON.parse(jwks);
  } catch {
    return fail("is not JSON");
  }
  const keys = member(document, "keys");
  if (!Array.isArray(keys)) return fail('has no list "keys"');
  const roots = new Set<string>();
  for (const [i, key] of keys.entries()) {
    if (member(key, "use") !== "x509-svid") continue;
    const chain = member(key, "x5c");
    const [first] = Array.isArray(chain) && chain.length === 1 ? chain : [];
    if (typeof first !== "string") return fail(`must have exactly one certificate in keys[${String(i)}].x5c`);
    const root = rootOf(first);
    if (root === undefined) return fail(`has no CA certificate in keys[${String(i)}].x5c`);
    roots.add(root);
  }
  if (roots.size === 0) return fail('has no key with use "x509-svid"');
  if (roots.size > MAX_ROOTS) return fail(`has more than ${String(MAX_ROOTS)} roots`);
  return { ok: true, roots: [...roots] };
}

function rootOf(base64: string): string | undefined {
  try {
    const certificate = new X509Certificate(Buffer.from(base64, "base64"));
    return certificate.ca ? certificate.raw.toString("base64") : undefined;
  } catch {
    return undefined;
  }
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}
