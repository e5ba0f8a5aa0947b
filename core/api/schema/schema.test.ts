import { expect, it } from "@jest/globals";
import { run } from "@bufbuild/cel";
import * as fc from "fast-check";
import { readDocuments } from "../documents.ts";
import type { Json, Node, ObjectNode } from "../node.ts";
import { Reader } from "../read.ts";
import { KINDS } from "./kinds.ts";

/** A valid value of each format. */
const VALID: Readonly<Record<string, readonly string[]>> = {
  "dns-label": ["a", "b-1", "x".repeat(63)],
  "dns-subdomain": ["a", "b.c-d.e", "9"],
  "label-key": ["app", "example.com/app", "a_b.C"],
  "label-value": ["", "llama", "A-1_b.c"],
  text: ["llama-*", "Grüße 😀"],
  "cel-identifier": ["a", "_b", "clinician"],
  "trust-domain": ["example.org", "a_b"],
  "spiffe-pattern": ["*", "spiffe://example.org/ns/a/sa/b", "spiffe://example.org/*"],
  "date-time": ["2026-11-21T07:00:00Z"],
};

/** Values as people would write them, right as far as a schema's nodes say; what holds between fields may be broken. */
function written(node: Node): fc.Arbitrary<Json> {
  switch (node.kind) {
    case "string":
      if (node.values !== undefined) return fc.constantFrom(...Object.keys(node.values));
      return fc.constantFrom(...(VALID[node.format?.name ?? ""] ?? ["some text"]));
    case "integer":
      return fc.integer({ min: node.min, max: Math.min(node.max, node.min + 1000) });
    case "duration":
      return fc.constantFrom("1h", "24h", "90m", "3600s");
    case "list":
      if (node.unique === "name") return fc.constant([]).chain(() => named(node.item, node.minItems));
      if (node.unique === "set") {
        return fc.uniqueArray(written(node.item), { minLength: node.minItems, maxLength: 3 });
      }
      return fc.array(written(node.item), { minLength: node.minItems, maxLength: 3 });
    case "stringMap":
      return fc.dictionary(fc.constantFrom(...(VALID[node.key.name] ?? [])), written(node.value), { maxKeys: 2 });
    case "object":
      return objectOf(node);
  }
}

/** Items with a name each. */
function named(node: Node, minLength: number): fc.Arbitrary<Json> {
  return fc
    .array(written(node), { minLength, maxLength: 3 })
    .map((items) => items.map((item, i) => Object.assign({}, item, { name: `n${String(i)}` })));
}

function objectOf(node: ObjectNode): fc.Arbitrary<Json> {
  const required = [...node.fields].filter(([, field]) => field.presence === "required").map(([name]) => name);
  const model = Object.fromEntries([...node.fields].map(([name, field]) => [name, written(field.node)]));
  return fc.record(model, { requiredKeys: required });
}

function objects(node: Node, path: string, into: Map<ObjectNode, string>): void {
  if (node.kind === "list") objects(node.item, `${path}[]`, into);
  if (node.kind !== "object" || into.has(node)) return;
  into.set(node, path);
  for (const [name, field] of node.fields) objects(field.node, `${path}.${name}`, into);
}

const seen = new Map<ObjectNode, string>();
for (const [kind, { schema }] of Object.entries(KINDS)) objects(schema.node, kind, seen);
const ALL = [...seen];

it.each(Object.entries(KINDS))(
  "%s: what its schema describes is read, or a rule between fields says why not",
  (kind, { schema }) => {
    const allowed = new Set(["conflicting_fields", "missing_field", "unknown_field"]);
    let accepted = 0;
    fc.assert(
      fc.property(written(schema.node), (value) => {
        const { documents, problems } = readDocuments(JSON.stringify(value), "a.json");
        const strange = problems.filter(({ code }) => !allowed.has(code));
        expect(strange).toEqual([]);
        expect(documents.length === 1).toBe(problems.length === 0);
        accepted += documents.length;
      }),
      { numRuns: 200 },
    );
    expect([kind, accepted > 0]).toEqual([kind, true]);
  },
);

const RULES = ALL.flatMap(([node, path]) =>
  node.rules.map((rule) => ({ name: `${path}: ${rule.path} ${rule.message}`, node, rule })),
);

it("has rules between fields, each once", () => {
  expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length);
  expect(RULES.length).toBeGreaterThan(8);
});

it.each(RULES)("in CEL and in code alike, $name", ({ node, rule }) => {
  const outcomes = new Set<boolean>();
  fc.assert(
    fc.property(objectOf(node), (value) => {
      const self = JSON.parse(JSON.stringify(value)) as Json;
      const parsed = new Reader(() => {}).read(node, treeOf(self), "");
      if (typeof parsed !== "object" || parsed === null) throw new Error("not read");
      const held = rule.holds(parsed);
      outcomes.add(held);
      expect(run(rule.cel, { self: self as never })).toBe(held);
    }),
    { numRuns: 400 },
  );
  expect(outcomes).toEqual(new Set([false, true]));
});

function treeOf(value: Json): Parameters<Reader["read"]>[1] {
  const span = { start: 0, end: 0 };
  if (Array.isArray(value)) return { kind: "list", items: (value as readonly Json[]).map(treeOf), ...span };
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => ({ key, at: span, value: treeOf(inner) }));
    return { kind: "map", entries, ...span };
  }
  return { kind: "scalar", value: value as string, style: "plain", ...span };
}

it.each(ALL)("documents every field and accepts every default of %#", (node, path) => {
  for (const [name, field] of node.fields) {
    expect(`${path}.${name}: ${field.doc}`).toMatch(/: \S.*[.}]$/);
    if (field.presence !== "default") continue;
    const problems: string[] = [];
    new Reader((_code, message) => problems.push(message)).read(field.node, treeOf(field.fallback), name);
    expect(problems).toEqual([]);
  }
});
