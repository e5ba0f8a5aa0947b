import { describe, expect, test } from "@jest/globals";
import type { SnapshotRule } from "../snapshot/types.ts";
import { findingsOf } from "./findings.ts";

const ALLOW: SnapshotRule = {
  name: "allow",
  action: "Allow",
  from: ["spiffe://a.example/ns/b/sa/c"],
  operations: ["Chat"],
  models: ["llama"],
};

function found(...rules: SnapshotRule[]): string[] {
  const policy = {
    tier: "Team",
    namespace: "a",
    name: "b",
    mode: "Enforce",
    variables: [],
    denials: { detail: "Code" },
    rules,
  } as const;
  return findingsOf(policy).map(({ code, path, message }) => `${code} ${path}: ${message}`);
}

describe("a rule is reported", () => {
  test.each<[string, SnapshotRule[], string]>([
    [
      "when its condition is never true",
      [{ ...ALLOW, when: "request.size < 0 && request.size > 10" }],
      "DeadRule rules[0].when",
    ],
    [
      "when its condition asks for a model that it does not name",
      [{ ...ALLOW, when: 'llm.model == "gpt"' }],
      "DeadRule rules[0].when: the condition is never true for what the rule names",
    ],
    [
      "when its condition asks for an operation that it does not name",
      [{ ...ALLOW, when: 'llm.operation == "Embeddings"' }],
      "DeadRule rules[0].when",
    ],
    [
      "when its condition asks for a peer that it does not name",
      [{ ...ALLOW, when: 'source.spiffeId == "spiffe://a.example/x"' }],
      "DeadRule rules[0].when",
    ],
    ["when its condition is always true", [{ ...ALLOW, when: "true || llm.streaming" }], "AlwaysTrue rules[0].when"],
    [
      "when its requirement always holds",
      [{ name: "r", action: "Require", require: "1 < 2" }],
      "AlwaysTrue rules[0].require",
    ],
    [
      "when its requirement never holds",
      [{ name: "r", action: "Require", require: "1 > 2" }],
      "AlwaysFails rules[0].require",
    ],
    ["when it names nobody", [{ ...ALLOW, from: [] }], "DeadRule rules[0].from"],
    [
      "when its operations have no tools",
      [{ name: "d", action: "Deny", operations: ["Embeddings"], tools: ["x"] }],
      "DeadRule rules[0].tools",
    ],
    [
      "when its operations have no models",
      [{ name: "d", action: "Deny", operations: ["ListModels"], models: ["x"] }],
      "DeadRule rules[0].models",
    ],
    [
      "when another denies all of it",
      [ALLOW, { name: "deny", action: "Deny", models: ["l*"] }],
      "DeadRule rules[0]: rule deny denies all that this rule allows",
    ],
    [
      "when its condition reads what its operations never have",
      [{ ...ALLOW, operations: ["Embeddings"], when: 'llm.tools.exists(t, t.name == "x")' }],
      "ReadsNothing rules[0].when: llm.tools is always empty for Embeddings",
    ],
    [
      "when it denies models by name beside an Allow of all",
      [
        { ...ALLOW, models: ["*"] },
        { name: "deny", action: "Deny", models: ["gpt"] },
      ],
      "SpellingMatters rules[1].models",
    ],
  ])("%s", (_what, rules, expected) => {
    expect(found(...rules)).toEqual([expect.stringContaining(expected)]);
  });
});

describe("a rule is not reported", () => {
  test.each<[string, SnapshotRule[]]>([
    ["when it can apply", [{ ...ALLOW, when: 'llm.model == "llama" && request.size > 10' }]],
    ["when a glob may name what its condition asks for", [{ ...ALLOW, models: ["*"], when: 'llm.model == "gpt"' }]],
    ["when a request without a model may be meant", [{ ...ALLOW, operations: ["*"], when: 'llm.model == ""' }]],
    [
      "when a Deny takes a part of it",
      [
        { ...ALLOW, models: ["llama", "gpt"] },
        { name: "deny", action: "Deny", models: ["gpt"] },
      ],
    ],
    ["when a Deny has a condition", [ALLOW, { name: "deny", action: "Deny", when: "request.size > 10" }]],
    [
      "when a Deny with models leaves listing to it",
      [
        { ...ALLOW, operations: ["*"] },
        { name: "deny", action: "Deny", models: ["*"] },
      ],
    ],
  ])("%s", (_what, rules) => {
    expect(found(...rules)).toEqual([]);
  });
});
