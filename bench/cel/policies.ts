import type { Tagged } from "../../test/fuzz/cel/values.ts";

/** A condition on a request, what it is evaluated on (so that it is true), and the same condition by hand. */
export interface Policy {
  readonly name: string;
  readonly expression: string;
  readonly input: Readonly<Record<string, Tagged>>;
  /** The types of the variables, for engines that have no records. */
  readonly types: Readonly<Record<string, string>>;
  readonly byHand: (facts: Facts) => boolean;
}

/** The input as plain objects. */
export interface Facts {
  readonly source: { readonly address: string; readonly namespace: string };
  readonly user: { readonly kind: string; readonly groups: readonly string[]; readonly authTime: Date };
  readonly risk: { readonly score: number };
  readonly request: {
    readonly path: string;
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly time: Date;
  };
  readonly llm: {
    readonly model: string;
    readonly tools: readonly { readonly name: string }[];
    readonly messages: readonly { readonly role: string; readonly content: string }[];
  };
}

const text = (value: string): Tagged => ["string", value];
const texts = (...values: readonly string[]): Tagged => ["list", values.map(text)];
const record = (fields: Readonly<Record<string, Tagged>>): Tagged => [
  "map",
  Object.entries(fields).map(([name, value]) => [text(name), value] as const),
];

const SENTENCE =
  "Summarise the attached discharge letter for the patient in plain language, and list what is left to do. ";
const ROLES = ["system", "user", "assistant"];
const messages = Array.from({ length: 20 }, (_, i) =>
  record({ role: text(ROLES[i === 0 ? 0 : 1 + (i % 2)] ?? ""), content: text(SENTENCE.repeat(1 + (i % 3))) }),
);

const INPUT: Readonly<Record<string, Tagged>> = {
  source: record({ address: text("10.42.7.19"), namespace: text("apps") }),
  user: record({
    kind: text("Human"),
    groups: texts("staff", "radiology", "on-call", "nurses"),
    authTime: ["timestamp", "2026-11-20T09:10:00Z"],
  }),
  risk: record({ score: ["int", "82"] }),
  request: record({
    path: text("/v1/chat/completions"),
    method: text("POST"),
    headers: record({
      host: text("llama.inference"),
      "user-agent": text("openai-node/7.51.0"),
      "content-type": text("application/json"),
      "x-tenant": text("acme"),
      "x-environment": text("staging"),
      accept: text("*/*"),
    }),
    time: ["timestamp", "2026-11-20T09:15:30.25Z"],
  }),
  llm: record({
    model: text("mistral-7b-instruct"),
    tools: ["list", ["search", "lookup", "calculator", "search"].map((name) => record({ name: text(name) }))],
    messages: ["list", messages],
  }),
};

const TYPES: Readonly<Record<string, string>> = {
  source: "map(string, string)",
  user: "map(string, dyn)",
  risk: "map(string, int)",
  request: "map(string, dyn)",
  llm: "map(string, dyn)",
};

function policy(name: string, expression: string, byHand: (facts: Facts) => boolean): Policy {
  const used = Object.keys(INPUT).filter((variable) => new RegExp(`\\b${variable}\\.`).test(expression));
  const only = <T>(all: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).filter(([variable]) => used.includes(variable)));
  return { name, expression, input: only(INPUT), types: only(TYPES), byHand };
}

const NETWORK = 0x0a000000;

function isPrivate(address: string): boolean {
  const parts = address.split(".");
  if (parts.length !== 4) return false;
  let value = 0;
  for (const part of parts) {
    const octet = Number(part);
    if (!(octet >= 0 && octet <= 255)) return false;
    value = value * 256 + octet;
  }
  return value >= NETWORK && value < NETWORK + 0x1000000;
}

const PATH = /^\/v1\/(chat|completions|embeddings)(\/[a-z]+)?$/;
const MODEL = /^[a-z0-9.-]+$/;
const ZURICH = new Intl.DateTimeFormat("en-US", { timeZone: "Europe/Zurich", hour: "2-digit", hourCycle: "h23" });
const ROLES_ALLOWED = new Set(["system", "user", "assistant", "tool"]);
const TOOLS_ALLOWED = new Set(["search", "lookup", "calculator"]);
const GROUPS_ALLOWED = new Set(["clinicians", "nurses", "administrators"]);

export const POLICIES: readonly Policy[] = [
  policy(
    "headers",
    `request.headers['x-tenant'] == 'acme' && request.headers['x-environment'] in ['production', 'staging'] && !('x-debug' in request.headers)`,
    ({ request: { headers } }) =>
      headers["x-tenant"] === "acme" &&
      (headers["x-environment"] === "production" || headers["x-environment"] === "staging") &&
      headers["x-debug"] === undefined,
  ),
  policy("tools", `llm.tools.all(t, t.name in ['search', 'lookup', 'calculator'])`, ({ llm }) =>
    llm.tools.every((tool) => TOOLS_ALLOWED.has(tool.name)),
  ),
  policy(
    "regex",
    `request.path.matches('^/v1/(chat|completions|embeddings)(/[a-z]+)?$') && llm.model.matches('^[a-z0-9.-]+$')`,
    ({ request, llm }) => PATH.test(request.path) && MODEL.test(llm.model),
  ),
  policy(
    "hours",
    `request.time.getHours('Europe/Zurich') >= 7 && request.time.getHours('Europe/Zurich') < 19`,
    ({ request }) => {
      const hours = Number(ZURICH.format(request.time));
      return hours >= 7 && hours < 19;
    },
  ),
  policy(
    "messages",
    `llm.messages.all(m, m.role in ['system', 'user', 'assistant', 'tool'] && size(m.content) < 4000 && !m.content.contains('PRIVATE KEY'))`,
    ({ llm }) =>
      llm.messages.every(
        (message) =>
          ROLES_ALLOWED.has(message.role) && message.content.length < 4000 && !message.content.includes("PRIVATE KEY"),
      ),
  ),
  policy(
    "groups",
    `user.kind == 'Human' && user.groups.exists(g, g in ['clinicians', 'nurses', 'administrators'])`,
    ({ user }) => user.kind === "Human" && user.groups.some((group) => GROUPS_ALLOWED.has(group)),
  ),
  policy(
    "model",
    `llm.model.glob('mistral-*') && source.namespace != 'training'`,
    ({ llm, source }) => llm.model.startsWith("mistral-") && source.namespace !== "training",
  ),
  policy("address", `cidr('10.0.0.0/8').containsIP(source.address)`, ({ source }) => isPrivate(source.address)),
  policy(
    "risk",
    `risk.score < 70 || (user.kind == 'Human' && request.time - user.authTime < duration('15m'))`,
    ({ risk, user, request }) =>
      risk.score < 70 || (user.kind === "Human" && request.time.getTime() - user.authTime.getTime() < 900_000),
  ),
];
