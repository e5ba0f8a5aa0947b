import { expect, test } from "@jest/globals";
import { Timestamp } from "../cel/index.ts";
import { explain, formatExplanation } from "./explain.ts";
import type { Facts } from "./facts.ts";
import { compilePolicies } from "./rules.ts";

const PEER = "spiffe://example.com/ns/apps/sa/alice";
const FACTS: Facts = {
  source: {
    spiffeId: PEER,
    identity: { trustDomain: "example.com", namespace: "apps", serviceAccount: "alice", name: "" },
    address: "10.0.0.1",
  },
  destination: {
    spiffeId: "spiffe://example.com/ns/inference/sa/llama",
    namespace: "inference",
    serviceAccount: "llama",
    labels: {},
  },
  request: {
    id: "req_1",
    method: "POST",
    path: "/v1/chat/completions",
    host: "llama",
    headers: new Map([["x-team", "red"]]),
    time: new Timestamp(0, 0),
    size: 10,
  },
  llm: {
    dialect: "openai",
    operation: "Chat",
    model: "llama",
    streaming: true,
    features: ["Streaming"],
    messages: [],
    system: "",
    text: "",
    tools: [],
    toolNames: [],
    toolCalls: [],
    attachments: [],
    maxTokens: 0,
    choices: 1,
    usageAsked: false,
    tokensEstimate: 3,
    params: {},
  },
};

test("the trail says of each rule what it came to, and of each condition what its parts were", () => {
  const compiled = compilePolicies({
    allowTier: "Team",
    policies: [
      {
        tier: "Team",
        namespace: "inference",
        name: "chat",
        mode: "Enforce",
        variables: [],
        denials: { detail: "Code" },
        rules: [
          { name: "no-gpt", action: "Deny", models: ["gpt*"] },
          { name: "red-only", action: "Require", require: 'request.headers["x-team"] == "blue"' },
          {
            name: "broken",
            action: "Allow",
            from: ["*"],
            operations: ["*"],
            models: ["*"],
            features: ["Streaming"],
            when: "llm.params.absent == 1",
          },
          { name: "plain", action: "Allow", from: ["*"], operations: ["*"], models: ["*"] },
        ],
      },
    ],
  });
  if (!compiled.ok) throw new Error("the policies do not compile");
  const { decision, trail } = explain(compiled.set, FACTS);
  expect(decision).toMatchObject({ outcome: "Deny", code: "requirement_not_met" });
  expect(trail.map(({ rule, verdict, because }) => [rule.rule, verdict, because])).toEqual([
    ["no-gpt", "DoesNotApply", 'models does not match "llama"'],
    ["red-only", "Fails", "its requirement does not hold"],
    ["broken", "Error", expect.stringContaining("absent")],
    ["plain", "DoesNotApply", "features does not name Streaming"],
  ]);
  expect(trail[1]!.conditions[0]).toMatchObject({ field: "require", result: false });
  expect(trail[1]!.conditions[0]!.values).toContainEqual({ source: 'request.headers["x-team"]', value: '"red"' });
  expect(formatExplanation({ decision, trail }).split("\n").slice(0, 6)).toEqual([
    "Deny (requirement_not_met) by inference/chat/red-only (Team): its requirement does not hold; phase Request, 0 steps",
    '  Deny    inference/chat/no-gpt (Team): DoesNotApply: models does not match "llama"',
    "  Require inference/chat/red-only (Team): Fails: its requirement does not hold",
    '    require: request.headers["x-team"] == "blue" → false',
    '      request.headers["x-team"] = "red"',
    '      request.headers = {"x-team": "red"}',
  ]);
});
