import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Timestamp } from "../cel/index.ts";
import { FEATURES, OPERATIONS, type Exchange } from "../llm/exchange.ts";
import type { SnapshotPolicy, SnapshotRule } from "../snapshot/types.ts";
import { decide, peerKnown, visibleModels } from "./decide.ts";
import type { Decision } from "./decision.ts";
import type { Facts } from "./facts.ts";
import { compilePolicies, type PolicySet } from "./rules.ts";

const ALICE = "spiffe://example.com/ns/apps/sa/alice";
const BOB = "spiffe://example.com/ns/apps/sa/bob";

function policy(rules: readonly SnapshotRule[], more: Partial<SnapshotPolicy> = {}): SnapshotPolicy {
  return {
    tier: "Team",
    namespace: "inference",
    name: "chat",
    mode: "Enforce",
    variables: [],
    denials: { detail: "Code" },
    rules,
    ...more,
  };
}

function setOf(policies: readonly SnapshotPolicy[], allowTier: "Team" | "Baseline" = "Team"): PolicySet {
  const compiled = compilePolicies({ policies, allowTier });
  if (!compiled.ok)
    throw new Error(compiled.problems.map((problem) => `${problem.path}: ${problem.message}`).join("\n"));
  return compiled.set;
}

function factsOf(llm: Partial<Exchange> = {}, peer = ALICE): Facts {
  return {
    source: {
      spiffeId: peer,
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
      headers: new Map(),
      time: new Timestamp(1_795_000_000, 0),
      size: 10,
    },
    llm: {
      dialect: "openai",
      operation: "Chat",
      model: "llama",
      streaming: false,
      features: [],
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
      ...llm,
    },
  };
}

const ALLOW: SnapshotRule = { name: "allow", action: "Allow", from: [ALICE], operations: ["Chat"], models: ["llama*"] };

function outcome(policies: readonly SnapshotPolicy[], facts: Facts, allowTier: "Team" | "Baseline" = "Team"): string {
  const decision = decide(setOf(policies, allowTier), facts);
  return decision.outcome === "Allow"
    ? `Allow ${decision.allowance.by.rule}`
    : `Deny ${decision.code} ${decision.by?.rule ?? "-"}`;
}

describe("a decision", () => {
  test("is a denial where nothing is said", () => {
    expect(outcome([], factsOf())).toBe("Deny no_rule_allows -");
    expect(outcome([policy([])], factsOf())).toBe("Deny no_rule_allows -");
  });

  test("allows what an Allow rule names", () => {
    expect(outcome([policy([ALLOW])], factsOf())).toBe("Allow allow");
  });

  test.each([
    ["another peer", factsOf({}, BOB), "no rule allows this peer anything"],
    ["another operation", factsOf({ operation: "Embeddings" }), "no rule allows this peer the operation Embeddings"],
    ["another model", factsOf({ model: "gpt" }), "no rule allows this peer that model for the operation"],
    [
      "a feature that is not named",
      factsOf({ features: ["Streaming"] }),
      "rule allow of inference/chat does not name the feature Streaming",
    ],
  ])("denies %s and says what was missing", (_what, facts, reason) => {
    const decision = decide(setOf([policy([ALLOW])]), facts);
    expect(decision).toMatchObject({ outcome: "Deny", code: "no_rule_allows", reason });
  });

  test("puts Deny before Require before Allow, whatever their order and tier", () => {
    const deny: SnapshotRule = { name: "deny", action: "Deny", models: ["llama"], message: "no llamas" };
    const require: SnapshotRule = { name: "require", action: "Require", require: "false" };
    expect(outcome([policy([ALLOW, require, deny])], factsOf())).toBe("Deny denied_by_rule deny");
    expect(outcome([policy([ALLOW, require])], factsOf())).toBe("Deny requirement_not_met require");
    expect(
      outcome([policy([ALLOW]), policy([deny], { tier: "Baseline", namespace: "", name: "base" })], factsOf()),
    ).toBe("Deny denied_by_rule deny");
  });

  test("holds a Require only where it is in scope", () => {
    const require: SnapshotRule = {
      name: "require",
      action: "Require",
      when: 'llm.model == "other"',
      require: "false",
    };
    expect(outcome([policy([ALLOW, require])], factsOf())).toBe("Allow allow");
    expect(outcome([policy([{ ...ALLOW, models: ["*"] }, require])], factsOf({ model: "other" }))).toBe(
      "Deny requirement_not_met require",
    );
  });

  test("denies on an error in a Deny or a Require, and an Allow that fails does not allow", () => {
    const broken = "llm.params.absent == 1";
    expect(outcome([policy([ALLOW, { name: "deny", action: "Deny", when: broken }])], factsOf())).toBe(
      "Deny evaluation_error deny",
    );
    expect(outcome([policy([ALLOW, { name: "require", action: "Require", require: broken }])], factsOf())).toBe(
      "Deny evaluation_error require",
    );
    expect(outcome([policy([{ ...ALLOW, when: broken }])], factsOf())).toBe("Deny no_rule_allows -");
    expect(
      outcome(
        [
          policy([
            { ...ALLOW, when: broken },
            { ...ALLOW, name: "other" },
          ]),
        ],
        factsOf(),
      ),
    ).toBe("Allow other");
  });

  test("reads a policy's variables, each on the ones before it", () => {
    const variables = [
      { name: "small", expression: "request.size < 100" },
      { name: "fine", expression: 'variables.small && llm.model == "llama"' },
    ];
    expect(outcome([policy([{ ...ALLOW, when: "variables.fine" }], { variables })], factsOf())).toBe("Allow allow");
    expect(outcome([policy([{ ...ALLOW, when: "!variables.fine" }], { variables })], factsOf())).toBe(
      "Deny no_rule_allows -",
    );
  });

  test("denies on an error in a variable that a Deny reads", () => {
    const variables = [{ name: "broken", expression: "llm.params.absent == 1" }];
    expect(
      outcome([policy([ALLOW, { name: "deny", action: "Deny", when: "variables.broken" }], { variables })], factsOf()),
    ).toBe("Deny evaluation_error deny");
  });

  test("takes Baseline's Allow rules only where no team has spoken", () => {
    const baseline = policy([ALLOW], { tier: "Baseline", namespace: "", name: "base" });
    expect(outcome([baseline], factsOf(), "Baseline")).toBe("Allow allow");
    expect(outcome([baseline, policy([])], factsOf(), "Team")).toBe("Deny no_rule_allows -");
  });

  test("matches tools: an Allow all of them, a Deny any", () => {
    const tools: Partial<Exchange> = { features: ["Tools"], toolNames: ["search", "shell"] };
    const allow: SnapshotRule = { ...ALLOW, features: ["Tools"], tools: ["search", "sh*"] };
    expect(outcome([policy([allow])], factsOf(tools))).toBe("Allow allow");
    expect(outcome([policy([{ ...allow, tools: ["search"] }])], factsOf(tools))).toBe("Deny no_rule_allows -");
    expect(outcome([policy([allow, { name: "deny", action: "Deny", tools: ["shell"] }])], factsOf(tools))).toBe(
      "Deny denied_by_rule deny",
    );
    expect(outcome([policy([allow, { name: "deny", action: "Deny", tools: ["other"] }])], factsOf(tools))).toBe(
      "Allow allow",
    );
  });

  test("gives the most generous ceiling of the rules that allow", () => {
    const ceilings = [
      { ...ALLOW, name: "low", maxOutputTokens: 10 },
      { ...ALLOW, name: "high", maxOutputTokens: 20 },
    ];
    const decision = decide(setOf([policy(ceilings)]), factsOf());
    expect(decision.outcome === "Allow" && [decision.allowance.by.rule, decision.allowance.maxOutputTokens]).toEqual([
      "high",
      20,
    ]);
    expect(outcome([policy([...ceilings, ALLOW])], factsOf())).toBe("Allow allow");
  });

  test("knows peers below a prefix, and not the prefix itself", () => {
    const below = policy([{ ...ALLOW, from: ["spiffe://example.com/ns/apps/*"] }]);
    expect(outcome([below], factsOf())).toBe("Allow allow");
    expect(outcome([below], factsOf({}, "spiffe://example.com/ns/apps"))).toBe("Deny no_rule_allows -");
    expect(outcome([below], factsOf({}, "spiffe://example.com/ns/apps-evil/sa/x"))).toBe("Deny no_rule_allows -");
    expect(outcome([policy([{ ...ALLOW, from: [] }])], factsOf())).toBe("Deny no_rule_allows -");
  });

  test("tells as much as the policy lets it", () => {
    const strict = policy([], { name: "strict", denials: { detail: "None" } });
    const open = policy([{ name: "deny", action: "Deny", message: "no" }], { denials: { detail: "Rule" } });
    expect(decide(setOf([strict, policy([])]), factsOf())).toMatchObject({ detail: "None" });
    expect(decide(setOf([strict, open]), factsOf())).toMatchObject({ detail: "Rule", message: "no" });
  });

  test("is not compiled from an expression that names what is not there", () => {
    const compiled = compilePolicies({
      policies: [policy([{ ...ALLOW, when: "llm.modle == 'a'" }])],
      allowTier: "Team",
    });
    expect(compiled).toMatchObject({
      ok: false,
      problems: [{ policy: "inference/chat", path: "rules[0].when", line: 1 }],
    });
  });
});

describe("a caller's view of the models", () => {
  test("has those that some operation may be allowed with", () => {
    const set = setOf([policy([ALLOW, { name: "deny", action: "Deny", models: ["llama-secret"] }])]);
    expect(["llama", "llama-secret", "gpt"].map(visibleModels(set, ALICE))).toEqual([true, false, false]);
    expect(visibleModels(set, BOB)("llama")).toBe(false);
    const visible = visibleModels(set, ALICE);
    expect(Array.from({ length: 3000 }, () => visible("llama")).filter(Boolean)).toHaveLength(2048);
  });
});

const NAMES = ["llama", "gpt", "mistral"];
const CONDITIONS = [
  'llm.model == "llama"',
  "request.size > 5",
  "llm.params.absent == 1",
  "llm.streaming",
  "true",
  "false",
];
const rule = fc
  .record({
    name: fc.constantFrom("r1", "r2", "r3"),
    action: fc.constantFrom("Allow" as const, "Deny" as const, "Require" as const),
    from: fc.option(fc.subarray([ALICE, BOB, "*"]), { nil: undefined }),
    operations: fc.option(fc.subarray([...OPERATIONS]), { nil: undefined }),
    models: fc.option(fc.subarray([...NAMES, "*", "l*"]), { nil: undefined }),
    when: fc.option(fc.constantFrom(...CONDITIONS), { nil: undefined }),
    features: fc.subarray([...FEATURES]),
  })
  .map(({ features, ...given }): SnapshotRule => {
    const present = Object.fromEntries(
      Object.entries(given).filter(([, value]) => value !== undefined),
    ) as unknown as SnapshotRule;
    if (given.action === "Require") return { ...present, require: given.when ?? "true" };
    return given.action === "Allow" ? { ...present, features } : present;
  });
const rules = fc.array(rule, { maxLength: 6 });
const facts = fc
  .record({
    peer: fc.constantFrom(ALICE, BOB),
    operation: fc.constantFrom(...OPERATIONS),
    model: fc.constantFrom(...NAMES),
    features: fc.subarray([...FEATURES]),
    streaming: fc.boolean(),
  })
  .map(({ peer, ...llm }) => factsOf(llm, peer));

function allows(decision: Decision): boolean {
  return decision.outcome === "Allow";
}

describe("any decision", () => {
  test("is never widened by one more Deny or Require", () => {
    fc.assert(
      fc.property(rules, rule, facts, (given, added, about) => {
        fc.pre(added.action !== "Allow");
        const before = allows(decide(setOf([policy(given)]), about));
        const after = allows(decide(setOf([policy([...given, added])]), about));
        expect(after && !before).toBe(false);
      }),
    );
  });

  test("is never narrowed by one more Allow", () => {
    fc.assert(
      fc.property(rules, rule, facts, (given, added, about) => {
        fc.pre(added.action === "Allow");
        const before = allows(decide(setOf([policy(given)]), about));
        const after = allows(decide(setOf([policy([...given, added])]), about));
        expect(before && !after).toBe(false);
      }),
    );
  });

  test("does not depend on the order of rules and policies, and is the same each time", () => {
    fc.assert(
      fc.property(rules, rules, facts, (first, second, about) => {
        const a = policy(first);
        const b = policy(second, { name: "other" });
        const set = setOf([a, b]);
        const decision = allows(decide(set, about));
        expect(
          allows(decide(setOf([policy(second.toReversed(), { name: "other" }), policy(first.toReversed())]), about)),
        ).toBe(decision);
        expect(allows(decide(set, about))).toBe(decision);
      }),
    );
  });

  test("is never changed by a policy in shadow", () => {
    fc.assert(
      fc.property(rules, rules, facts, (enforced, shadowed, about) => {
        const without = decide(setOf([policy(enforced)]), about);
        const withShadow = decide(
          setOf([policy(enforced), policy(shadowed, { name: "shadow", mode: "Shadow" })]),
          about,
        );
        expect({ ...withShadow, shadow: undefined }).toEqual({ ...without, shadow: undefined });
        const counted = allows(decide(setOf([policy(enforced), policy(shadowed, { name: "shadow" })]), about));
        expect(withShadow.shadow?.outcome ?? withShadow.outcome).toBe(counted ? "Allow" : "Deny");
      }),
    );
  });
});

test("the expressions of one decision share one budget, and what goes over it denies", () => {
  const heavy = "llm.messages.all(a, llm.messages.all(b, a.role == b.role || a.role != b.role))";
  const messages = Array.from({ length: 120 }, () => ({ role: "user" as const, content: "", name: "" }));
  const require = (name: string): SnapshotRule => ({ name, action: "Require", require: heavy });
  const one = [ALLOW, require("a")];
  const three = [ALLOW, require("a"), require("b"), require("c")];
  expect(outcome([policy(one)], factsOf({ messages }))).toBe("Allow allow");
  expect(outcome([policy(three)], factsOf({ messages }))).toMatch(/^Deny evaluation_error [bc]$/);
  expect(outcome([policy(one)], factsOf({ messages }))).toBe("Allow allow");
});

test("what an expression fails on is not in the reason: it may be a prompt", () => {
  const require: SnapshotRule = {
    name: "require",
    action: "Require",
    require: "true &&\n int(llm.messages[0].content) > 0",
  };
  const messages = [{ role: "user" as const, content: "a secret", name: "" }];
  const decision = decide(setOf([policy([ALLOW, require])]), factsOf({ messages }));
  expect(decision).toMatchObject({ code: "evaluation_error", reason: "require: invalid_argument at 2:2" });
});

test("an expression that is always an error is not compiled", () => {
  const compiled = compilePolicies({ policies: [policy([{ ...ALLOW, when: "1 / 0 == 1" }])], allowTier: "Team" });
  expect(compiled).toMatchObject({
    ok: false,
    problems: [{ path: "rules[0].when", message: "this is always an error: division by zero" }],
  });
});

test("a peer is known where an Allow takes it in, be it in shadow, and no other is ever allowed anything", () => {
  const set = setOf([policy([ALLOW]), policy([{ ...ALLOW, from: [BOB] }], { name: "shadow", mode: "Shadow" })]);
  expect([ALICE, BOB, "spiffe://example.com/ns/apps/sa/eve"].map((peer) => peerKnown(set, peer))).toEqual([
    true,
    true,
    false,
  ]);
  fc.assert(
    fc.property(rules, facts, (given, about) => {
      const some = setOf([policy(given)]);
      fc.pre(!peerKnown(some, about.source.spiffeId));
      expect(allows(decide(some, about))).toBe(false);
    }),
  );
});
