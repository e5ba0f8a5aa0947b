import { chargeText } from "../budget.ts";
import type { FunctionDeclaration, Library } from "../declarations.ts";
import { matchGlob, MAX_GLOB } from "../pure/glob.ts";
import { parseSpiffeId } from "../pure/spiffe.ts";
import { BOOL, DOUBLE, listOf, STRING, TIMESTAMP, type CelType } from "../types.ts";
import { celError, type CelError, type ListValue, type Timestamp, type Value } from "../values.ts";
import { declare, method, overload } from "./declare.ts";

function glob(text: string, pattern: string): boolean | CelError {
  if (pattern.length > MAX_GLOB) return celError(`glob pattern is longer than ${MAX_GLOB} characters`);
  chargeText(text.length);
  return matchGlob(text, pattern);
}

function globAny(text: string, patterns: ListValue): boolean | CelError {
  for (const pattern of patterns) {
    if (typeof pattern !== "string") return celError("glob: every pattern must be a string", "no_such_overload");
    const matched = glob(text, pattern);
    if (matched !== false) return matched;
  }
  return false;
}

function idPart(
  name: string,
  doc: string,
  result: CelType,
  read: (id: { trustDomain: string; path: string; segments: readonly string[] }) => Value,
  example: string,
): FunctionDeclaration {
  const call = (text: string): Value | CelError => {
    const id = parseSpiffeId(text);
    return id.ok ? read(id.value) : celError(id.message);
  };
  return declare(
    `spiffe.${name}`,
    doc,
    [overload(`spiffe_${name}`, [STRING], result, call)],
    [`spiffe.${name}('spiffe://example.com/ns/apps/sa/chat')`, example],
  );
}

/** Sallyport's own functions. */
export const SALLYPORT: Library = {
  name: "sallyport",
  doc: "What policies about models and workloads need beside.",
  macros: [],
  functions: [
    declare(
      "glob",
      "Whether a string matches a pattern, or one of a list of patterns, in which `*` stands for any characters; as in a rule's `models`.",
      [
        method("string_glob_string", [STRING, STRING], BOOL, glob, {
          specialise: ([, pattern]) =>
            typeof pattern === "string" && pattern.length > MAX_GLOB
              ? celError(`glob pattern is longer than ${MAX_GLOB} characters`)
              : undefined,
        }),
        method("string_glob_list", [STRING, listOf(STRING)], BOOL, globAny),
      ],
      ["'mistral-7b'.glob('mistral-*')", "true"],
      ["'gpt-4o'.glob(['mistral-*', 'llama-*'])", "false"],
    ),
    declare(
      "secondsSince",
      "The seconds from another timestamp to this one, negative if the other is later.",
      [
        method(
          "timestamp_seconds_since",
          [TIMESTAMP, TIMESTAMP],
          DOUBLE,
          (now: Timestamp, then: Timestamp) => now.seconds - then.seconds + (now.nanos - then.nanos) / 1e9,
          { total: true },
        ),
      ],
      ["timestamp('2026-11-21T07:01:00Z').secondsSince(timestamp('2026-11-21T07:00:00Z')) < 300.0", "true"],
    ),
    declare(
      "spiffe.isID",
      "Whether a text is a SPIFFE ID.",
      [overload("spiffe_isID", [STRING], BOOL, (text: string) => parseSpiffeId(text).ok, { total: true })],
      ["spiffe.isID('spiffe://example.com/ns/apps')", "true"],
      ["spiffe.isID('https://example.com')", "false"],
    ),
    idPart("trustDomain", "The trust domain of a SPIFFE ID.", STRING, (id) => id.trustDomain, "'example.com'"),
    idPart("path", "The path of a SPIFFE ID, with its leading slash.", STRING, (id) => id.path, "'/ns/apps/sa/chat'"),
    idPart(
      "segments",
      "The segments of a SPIFFE ID's path.",
      listOf(STRING),
      (id) => id.segments,
      "['ns', 'apps', 'sa', 'chat']",
    ),
  ],
};
