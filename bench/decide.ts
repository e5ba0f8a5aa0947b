/**
 * `npm run bench -- decide`: CPU of one decision over 10 and 1,000 rules, and whether memory grows over ten million of
 * them. Bars: 3 µs and 20 µs, 1 MB.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Timestamp } from "../core/cel/index.ts";
import type { Exchange } from "../core/llm/exchange.ts";
import { decide } from "../core/policy/decide.ts";
import type { Facts } from "../core/policy/facts.ts";
import { compilePolicies, type PolicySet } from "../core/policy/rules.ts";
import type { SnapshotRule } from "../core/snapshot/types.ts";
import { spread, type BenchOptions, type BenchResult } from "./result.ts";

const REPEATS = 5;

export async function run(options: BenchOptions): Promise<BenchResult> {
  const decisions = options.quick ? 100_000 : 1_000_000;
  const small = policySet(10);
  const large = policySet(1000);
  const smallTimes: number[] = [];
  const largeTimes: number[] = [];
  for (let i = 0; i <= REPEATS; i++) {
    const a = microseconds(small, 10, decisions);
    const b = microseconds(large, 1000, decisions);
    if (i === 0) continue; // the first round warms up
    smallTimes.push(a);
    largeTimes.push(b);
    options.say(`round ${i}: 10 rules ${a.toFixed(2)} µs, 1,000 rules ${b.toFixed(2)} µs`);
  }
  const growth = heapGrowth(large, options.quick ? 1_000_000 : 10_000_000, options.say);
  const ten = spread(smallTimes);
  const thousand = spread(largeTimes);
  return {
    ratios: { "decide.cpuMicroseconds.rules10": ten.median, "decide.cpuMicroseconds.rules1000": thousand.median },
    rows: [
      { name: "10 rules", figures: { "µs of CPU": ten } },
      { name: "1,000 rules", figures: { "µs of CPU": thousand } },
      { name: "heap", figures: { "bytes grown": growth } },
    ],
    bars: [
      { name: "10 rules, µs", value: ten.median, atMost: 3 },
      { name: "1,000 rules, µs", value: thousand.median, atMost: 20 },
      { name: "heap growth, bytes", value: growth, atMost: 1_048_576 },
    ],
  };
}

/** Rules for as many peers and models as there are rules, a few with conditions, and one that all share. */
function policySet(rules: number): PolicySet {
  const made: SnapshotRule[] = [
    { name: "no-shell", action: "Deny", tools: ["shell*"] },
    { name: "short", action: "Require", require: "request.size < 1000000 && llm.messages.size() < 200" },
  ];
  while (made.length < rules) {
    const i = made.length;
    made.push({
      name: `rule-${i}`,
      action: "Allow",
      from: [peer(i), peer(i + 1)],
      operations: ["Chat"],
      models: [`model-${i}`, "shared-*"],
      features: ["Streaming"],
      when: 'llm.messages.all(m, !m.content.contains("password")) && request.headers[?"x-team"].orValue("") != "blue"',
    });
  }
  const compiled = compilePolicies({
    allowTier: "Team",
    policies: [
      {
        tier: "Team",
        namespace: "a",
        name: "b",
        mode: "Enforce",
        variables: [],
        denials: { detail: "Code" },
        rules: made,
      },
    ],
  });
  if (!compiled.ok) throw new Error(compiled.problems.map((problem) => problem.message).join("\n"));
  return compiled.set;
}

function peer(i: number): string {
  return `spiffe://example.com/ns/apps/sa/app-${i}`;
}

/** Requests of many peers, the last rule's among them. */
function requests(rules: number): Facts[] {
  return Array.from({ length: 64 }, (_, i) => {
    const n = 2 + Math.floor(((rules - 3) * i) / 63);
    const llm: Exchange = {
      dialect: "openai",
      operation: "Chat",
      model: `model-${n}`,
      streaming: true,
      features: ["Streaming"],
      messages: Array.from({ length: 4 }, (__, m) => ({
        role: "user",
        content: `message ${m} of request ${i}`,
        name: "",
      })),
      system: "",
      text: "",
      tools: [],
      toolNames: [],
      toolCalls: [],
      attachments: [],
      maxTokens: 0,
      choices: 1,
      usageAsked: false,
      tokensEstimate: 10,
      params: {},
    };
    return {
      source: {
        spiffeId: peer(n),
        identity: { trustDomain: "example.com", namespace: "apps", serviceAccount: `app-${n}`, name: "" },
        address: "10.0.0.1",
      },
      destination: { spiffeId: peer(0), namespace: "inference", serviceAccount: "llama", labels: {} },
      request: {
        id: "req_1",
        method: "POST",
        path: "/v1/chat/completions",
        host: "llama",
        headers: new Map([["x-team", "red"]]),
        time: new Timestamp(0, 0),
        size: 1000,
      },
      llm,
    };
  });
}

function microseconds(set: PolicySet, rules: number, decisions: number): number {
  const facts = requests(rules);
  const before = process.cpuUsage();
  allowAll(set, facts, decisions);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / decisions;
}

function allowAll(set: PolicySet, facts: readonly Facts[], decisions: number): void {
  for (let i = 0; i < decisions; i++) {
    const decision = decide(set, facts[i % facts.length]!);
    if (decision.outcome !== "Allow") throw new Error(`a request was denied: ${decision.reason}`);
  }
}

function heapGrowth(set: PolicySet, decisions: number, say: (line: string) => void): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const facts = requests(1000);
  const used = (): number => {
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  };
  allowAll(set, facts, 100_000);
  const before = used();
  allowAll(set, facts, decisions);
  const growth = used() - before;
  say(`heap after ${decisions} decisions: ${growth} bytes more than after 100,000`);
  return growth;
}
