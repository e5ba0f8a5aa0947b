import { failure, success, type Result } from "./result.ts";

/** The parts of a SPIFFE ID. */
export type SpiffeId = { readonly trustDomain: string; readonly path: string; readonly segments: readonly string[] };

/** Longest SPIFFE ID (SPIFFE-ID, section 2.3). */
const MAX_ID = 2048;
const MAX_TRUST_DOMAIN = 255;

/**
 * Reads a SPIFFE ID (SPIFFE-ID, section 2): the scheme in lower case, a trust domain of lower-case letters, digits,
 * dots, hyphens and underscores, and a path of segments of letters, digits, dots, hyphens and underscores, none of
 * them empty, "." or "..". There is no port, user, query, fragment or percent-encoding.
 */
export function parseSpiffeId(text: string): Result<SpiffeId> {
  const invalid = (why: string): Result<SpiffeId> =>
    failure(`invalid SPIFFE ID ${JSON.stringify(text.slice(0, 128))}: ${why}`);
  if (text.length > MAX_ID) return invalid(`longer than ${MAX_ID} characters`);
  if (!text.startsWith("spiffe://")) return invalid("does not begin with spiffe://");
  const rest = text.slice("spiffe://".length);
  const slash = rest.indexOf("/");
  const trustDomain = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? "" : rest.slice(slash);
  if (trustDomain.length > MAX_TRUST_DOMAIN || !/^[a-z0-9._-]+$/.test(trustDomain)) return invalid("bad trust domain");
  const segments = path === "" ? [] : path.slice(1).split("/");
  if (segments.some((segment) => !/^[A-Za-z0-9._-]+$/.test(segment) || segment === "." || segment === ".."))
    return invalid("bad path");
  return success({ trustDomain, path, segments });
}
