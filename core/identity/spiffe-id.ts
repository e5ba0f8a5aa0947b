/**
 * SPIFFE IDs (SPIFFE-ID, sections 2.1 to 2.4). Read by hand: WHATWG's `URL` normalises, and an identity that is not byte
 * for byte what the certificate says is somebody else's.
 */

/** A valid SPIFFE ID. */
export interface SpiffeId {
  /** The whole ID, as it stands in the certificate. */
  readonly uri: string;
  readonly trustDomain: string;
  /** With its leading slash; empty for the trust domain's own ID. */
  readonly path: string;
}

export type SpiffeIdReading =
  { readonly ok: true; readonly id: SpiffeId } | { readonly ok: false; readonly message: string };

const SCHEME = "spiffe://";
const MAX_ID_BYTES = 2048;
const MAX_TRUST_DOMAIN_BYTES = 255;
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;
const PATH = /^[a-zA-Z0-9._/-]*$/;

/**
 * Reads a SPIFFE ID, in the canonical form only: the scheme and the trust domain in lower case, no userinfo, port, query,
 * fragment or percent-encoding, and no empty, "." or ".." segment. A path may be absent.
 */
export function parseSpiffeId(text: string): SpiffeIdReading {
  // What is allowed is ASCII, so characters are bytes wherever the length can decide.
  if (text.length > MAX_ID_BYTES) return refuse(`has more than ${String(MAX_ID_BYTES)} bytes`);
  if (!text.startsWith(SCHEME)) return refuse(`does not begin with ${SCHEME}`);
  const slash = text.indexOf("/", SCHEME.length);
  const trustDomain = slash === -1 ? text.slice(SCHEME.length) : text.slice(SCHEME.length, slash);
  const problem = trustDomainProblem(trustDomain);
  if (problem !== undefined) return refuse(problem);
  const path = slash === -1 ? "" : text.slice(slash);
  if (!PATH.test(path)) return refuse("has a path with a character other than letters, digits, '.', '_' and '-'");
  if (path !== "") {
    for (const segment of path.slice(1).split("/")) {
      if (segment === "") return refuse("has an empty path segment");
      if (segment === "." || segment === "..") return refuse(`has the path segment "${segment}"`);
    }
  }
  return { ok: true, id: { uri: text, trustDomain, path } };
}

/** Whether a name can be a trust domain. */
export function isTrustDomain(name: string): boolean {
  return trustDomainProblem(name) === undefined;
}

/** The ID of a workload: spiffe://<trust domain>/ns/<namespace>/sa/<service account>. Throws where a part is not valid. */
export function workloadId(trustDomain: string, namespace: string, serviceAccount: string): SpiffeId {
  for (const part of [namespace, serviceAccount]) {
    if (part.includes("/")) throw new Error(`${JSON.stringify(part)} cannot be part of a SPIFFE ID`);
  }
  return requireSpiffeId(`${SCHEME}${trustDomain}/ns/${namespace}/sa/${serviceAccount}`);
}

/** The ID of a trust domain itself, which its authorities carry. */
export function trustDomainId(trustDomain: string): SpiffeId {
  return requireSpiffeId(`${SCHEME}${trustDomain}`);
}

/** Reads an ID that must be valid, such as an option's; throws where it is not. */
export function requireSpiffeId(text: string): SpiffeId {
  const reading = parseSpiffeId(text);
  if (!reading.ok) throw new Error(reading.message);
  return reading.id;
}

function trustDomainProblem(name: string): string | undefined {
  if (name === "") return "has no trust domain";
  if (name.length > MAX_TRUST_DOMAIN_BYTES) {
    return `has a trust domain of more than ${String(MAX_TRUST_DOMAIN_BYTES)} bytes`;
  }
  if (!TRUST_DOMAIN.test(name)) {
    return "has a trust domain with a character other than lower-case letters, digits, '.', '_' and '-'";
  }
  return undefined;
}

function refuse(why: string): SpiffeIdReading {
  return { ok: false, message: `the SPIFFE ID ${why}` };
}
