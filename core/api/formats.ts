import { Buffer } from "node:buffer";
import type { Format } from "./node.ts";

/** RFC 1123 label, as Kubernetes names namespaces and list items. */
const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

function format(name: string, pattern: string, words: string, more?: (value: string) => string | undefined): Format {
  const regex = new RegExp(`^(?:${pattern})$`, "u");
  return {
    name,
    pattern: `^(?:${pattern})$`,
    refuse: (value) => (regex.test(value) ? more?.(value) : `must be ${words}`),
  };
}

export const DNS_LABEL: Format = format(
  "dns-label",
  LABEL,
  "a DNS label: lower-case letters, digits and '-', starting and ending with a letter or digit",
);

export const DNS_SUBDOMAIN: Format = format(
  "dns-subdomain",
  `${LABEL}(\\.${LABEL})*`,
  "a DNS name: lower-case letters, digits, '-' and '.', each part starting and ending with a letter or digit",
);

/** Kubernetes' qualified name: an optional DNS prefix and "/", then up to 63 characters. */
export const LABEL_KEY: Format = format(
  "label-key",
  `(${LABEL}(\\.${LABEL})*/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?`,
  "a label key: an optional DNS prefix and '/', then letters, digits, '-', '_' and '.', starting and ending with a letter or digit",
  (value) =>
    value.slice(value.indexOf("/") + 1).length > 63 ? "must have at most 63 characters after '/'" : undefined,
);

export const LABEL_VALUE: Format = format(
  "label-value",
  "([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?",
  "a label value: letters, digits, '-', '_' and '.', starting and ending with a letter or digit",
);

/** Annotations' values are free; their keys are label keys with any case in the prefix, which nobody uses. */
export const TEXT: Format = format("text", "[^\\p{Cc}]*", "one line without control characters");

const RESERVED =
  "as break const continue else false for function if import in let loop null package namespace return true var void while";

/** CEL's IDENT without its reserved words (CEL language definition, Syntax). */
export const CEL_IDENTIFIER: Format = format(
  "cel-identifier",
  "[A-Za-z_][A-Za-z0-9_]*",
  "an identifier: letters, digits and '_', not starting with a digit",
  (value) => (RESERVED.split(" ").includes(value) ? `is a reserved word of CEL` : undefined),
);

/** SPIFFE-ID, section 2.1: no upper case, no port, no user. */
const TRUST_DOMAIN_PATTERN = "[a-z0-9._-]{1,255}";
export const TRUST_DOMAIN: Format = format(
  "trust-domain",
  TRUST_DOMAIN_PATTERN,
  "a SPIFFE trust domain: lower-case letters, digits, '.', '-' and '_'",
);

/**
 * A SPIFFE ID (SPIFFE-ID, section 2: segments of letters, digits, '.', '-' and '_', never empty, "." or ".."), a prefix of
 * some that ends in "/*", or "*".
 */
export const SPIFFE_PATTERN: Format = format(
  "spiffe-pattern",
  `\\*|spiffe://${TRUST_DOMAIN_PATTERN}(/[A-Za-z0-9._-]+)*(/\\*)?`,
  'a SPIFFE ID (spiffe://trust-domain/path), one that ends in "/*" for all below it, or "*" for every verified peer',
  (value) => {
    if (/\/\.{1,2}(?:\/|$)/u.test(value)) return 'must not have "." or ".." as a path segment';
    if (/^spiffe:\/\/[^/]*$/u.test(value))
      return 'must name a workload: add a path, or "/*" for all of the trust domain';
    return Buffer.byteLength(value) > 2048 ? "must have at most 2048 bytes" : undefined;
  },
);

/** RFC 3339, as the API server writes it. */
export const TIMESTAMP: Format = format(
  "date-time",
  "\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?Z",
  "a time such as 2026-11-21T07:00:00Z",
  (value) => (Number.isNaN(Date.parse(value)) ? "is not a time that exists" : undefined),
);
