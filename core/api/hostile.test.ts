/** Whatever stands in a file: an answer in bounded time, never an exception, and never both a problem and silence. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { parseSpiffeId } from "../identity/index.ts";
import { SPIFFE_PATTERN, TRUST_DOMAIN } from "./formats.ts";
import { formatProblem, readDocuments } from "./index.ts";

const EXAMPLES = path.join(import.meta.dirname, "..", "..", "examples", "quickstart");
const TEXT = ["1-world.yaml", "2-identities.yaml", "3-policy.yaml"]
  .map((file) => readFileSync(path.join(EXAMPLES, file), "utf8"))
  .join("---\n");

const PIECES = [
  "{",
  "}",
  "[",
  "]",
  ":",
  "- ",
  "\n",
  "\t",
  "'",
  '"',
  "|\n",
  ">-\n",
  "&a ",
  "*a",
  "<<: ",
  "!!str ",
  "# ",
  "---\n",
  "%YAML 1.1\n",
  "\u0000",
  "\uFEFF",
  "\uD800",
  "😀",
  "null",
  "on",
  "1e999",
  "__proto__: ",
  "constructor: ",
];

it("survives any edit of a file", () => {
  const edit = fc.tuple(fc.nat(TEXT.length), fc.nat(40), fc.array(fc.constantFrom(...PIECES), { maxLength: 3 }));
  const seen = { good: 0, bad: 0 };
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      let text = TEXT;
      for (const [at, length, pieces] of edits) text = text.slice(0, at) + pieces.join("") + text.slice(at + length);
      const { problems } = readDocuments(text, "a.yaml", { checkPolicy: () => [] });
      if (problems.length === 0) seen.good++;
      else seen.bad++;
      const lines = text.split("\n");
      for (const problem of problems) {
        expect(formatProblem(problem)).toMatch(/^a\.yaml:\d+:\d+: ./u);
        expect(problem.line).toBeLessThanOrEqual(lines.length);
        expect(problem.column).toBeLessThanOrEqual((lines[problem.line - 1] ?? "").length + 1);
      }
    }),
    { numRuns: 1_500 },
  );
  expect(seen.bad).toBeGreaterThan(100);
  expect(seen.good).toBeGreaterThan(10);
});

it("reads a file of the greatest size in bounded time", () => {
  const one = TEXT.replaceAll("name: ", "name: x");
  const text = `${one}---\n`.repeat(Math.floor(1_048_576 / (one.length + 5)));
  const before = process.cpuUsage();
  readDocuments(text, "a.yaml");
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(10);
});

it("takes for SPIFFE IDs what the sidecar does", () => {
  const part = fc.constantFrom(
    "a",
    "A",
    "-",
    "_",
    ".",
    "..",
    "/",
    "//",
    "%41",
    "é",
    "*",
    " ",
    "0",
    ":",
    "@",
    "?",
    "#",
    "ns",
    "spiffe://",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const text = `spiffe://${parts.join("")}`;
      if (SPIFFE_PATTERN.refuse(text) !== undefined || text.endsWith("/*")) return;
      expect(parseSpiffeId(text)).toMatchObject({ ok: true });
    }),
    { numRuns: 5_000 },
  );
  for (const name of ["example.org", "a_b-c.d", "127.0.0.1"]) expect(TRUST_DOMAIN.refuse(name)).toBeUndefined();
  for (const name of ["Example.org", "a:1", "a/b", "", "é"]) expect(TRUST_DOMAIN.refuse(name)).toBeDefined();
});
