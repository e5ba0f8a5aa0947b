/** LlmPolicy and its cluster-wide twin. */
import type { Feature, Operation } from "../../llm/exchange.ts";
import { CEL_IDENTIFIER, DNS_LABEL, DNS_SUBDOMAIN, SPIFFE_PATTERN, TEXT } from "../formats.ts";
import { defaulted, enumeration, integer, list, object, optional, required, string, type Schema } from "../node.ts";
import type { ClusterLlmPolicySpec, Detail, LlmPolicySpec, Mode, Peer, Rule, RuleAction, Variable } from "../types.ts";
import { labelSelector } from "./common.ts";

const variable: Schema<Variable> = object<Variable>({
  name: required(string(63, { format: CEL_IDENTIFIER }), "Read in later expressions as variables.<name>."),
  expression: required(string(4096, { expression: "variable" }), "CEL. An error denies the request that needs it."),
});

const peer: Schema<Peer> = object<Peer>(
  {
    identity: optional(
      object<NonNullable<Peer["identity"]>>({
        name: required(string(253, { format: DNS_SUBDOMAIN }), "Name of an LlmIdentity."),
        namespace: optional(
          string(63, { format: DNS_LABEL }),
          "Its namespace; the policy's own unless given. Required in a ClusterLlmPolicy.",
        ),
      }),
      "An LlmIdentity, by name.",
    ),
    spiffeId: optional(
      string(2048, { format: SPIFFE_PATTERN }),
      'A SPIFFE ID; ending in "/*" it stands for every ID below it; "*" alone for every verified peer.',
    ),
  },
  {
    planned: ["user"],
    rules: [
      {
        path: "",
        message: "must have exactly one of identity and spiffeId",
        cel: "has(self.identity) != has(self.spiffeId)",
        holds: ({ identity, spiffeId }) => (identity !== undefined) !== (spiffeId !== undefined),
      },
    ],
  },
);

const OPERATION_DOCS: Readonly<Record<Operation | "*", string>> = {
  Chat: "Chat completions.",
  Completions: "Text completions.",
  Embeddings: "Embeddings.",
  ListModels: "Listing the models; only those that the caller may use are shown.",
  "*": "Every operation.",
};

const FEATURE_DOCS: Readonly<Record<Feature, string>> = {
  Streaming: "The answer as server-sent events.",
  Tools: "Tool definitions, choices, calls and results.",
  MultipleChoices: "Several answers to one prompt.",
  StructuredOutput: "Answers held to a schema or grammar.",
  Logprobs: "Log probabilities of the answer or the prompt.",
  LogitBias: "Pushing the engine towards or away from tokens.",
  TokenArrays: "Prompts as token numbers, which no guard can read.",
  Images: "Images inside the request.",
  ImageUrls: "Images that the engine would fetch.",
  Audio: "Audio in the request or the answer.",
  Files: "Files in the request.",
  Storage: "The engine keeps the exchange.",
  WebSearch: "The engine searches by itself.",
  ChatTemplate: "A chat template or its arguments in the request.",
  EngineSampling: "Samplers that only some engines have.",
  Echo: "The prompt repeated in the answer.",
};

const glob = string(256, { format: TEXT });

/** How an Allow says "all". */
const ALL = { from: '[{spiffeId: "*"}]', operations: '["*"]', models: '["*"]' } as const;

const rule: Schema<Rule> = object<Rule>(
  {
    name: required(string(63, { format: DNS_LABEL }), "Unique in the policy; audit records and explanations name it."),
    action: required(
      enumeration<RuleAction>({
        Allow: "Lets a request through, if no Deny applies and every Require holds.",
        Deny: "Refuses the requests that it matches, whatever allows them.",
        Require: "Refuses the requests in its scope for which its condition does not hold.",
      }),
      "What the rule does.",
    ),
    message: optional(string(512, { format: TEXT }), "Shown to the caller when the rule denies."),
    from: optional(list(peer, { minItems: 1, maxItems: 64 }), "Peers: any one of them."),
    operations: optional(
      list<string>(loose(enumeration(OPERATION_DOCS, ["ModelAdmin"])), { minItems: 1, maxItems: 16, unique: "set" }),
      'Operations; "*" is every one.',
    ),
    models: optional(
      list(glob, { minItems: 1, maxItems: 64, unique: "set" }),
      'Models, by name; "*" stands for any run of characters.',
    ),
    features: optional(
      list<string>(loose(enumeration(FEATURE_DOCS)), { maxItems: 32, unique: "set" }),
      "Allow only: what the request may make use of beyond plain text. What is not named is refused.",
    ),
    tools: optional(
      list(glob, { minItems: 1, maxItems: 64, unique: "set" }),
      'Names of tools that the request offers; "*" stands for any run of characters. Allow: every one must match; Deny and Require: any one.',
    ),
    when: optional(string(4096, { expression: "when" }), "CEL; the rule applies when it is true. An error denies."),
    require: optional(
      string(4096, { expression: "require" }),
      "CEL, for Require only: must be true wherever the rule is in scope. An error denies.",
    ),
    maxOutputTokens: optional(
      integer(1, 10_000_000),
      "Allow only: the answer's ceiling in tokens, set in the request where it names none or more.",
    ),
  },
  {
    rules: [
      ...(["from", "operations", "models"] as const).map((path) => ({
        path,
        message: `an Allow must say which ${path === "from" ? "peers" : path} it means: ${ALL[path]} is all`,
        cel: `self.action != 'Allow' || has(self.${path})`,
        holds: (value: Rule): boolean => value.action !== "Allow" || value[path] !== undefined,
      })),
      {
        path: "require",
        message: "a Require must say what it requires",
        cel: "self.action != 'Require' || has(self.require)",
        holds: ({ action, require }) => action !== "Require" || require !== undefined,
      },
      {
        path: "require",
        message: "is for action Require only; in other rules write the condition as when",
        cel: "self.action == 'Require' || !has(self.require)",
        holds: ({ action, require }) => action === "Require" || require === undefined,
      },
      ...(["features", "maxOutputTokens"] as const).map((path) => ({
        path,
        message: "is for action Allow only",
        cel: `self.action == 'Allow' || !has(self.${path})`,
        holds: (value: Rule): boolean => value.action === "Allow" || value[path] === undefined,
      })),
    ],
  },
);

/** An enumeration whose type in types.ts is a plain string, because later versions lengthen it. */
function loose<T extends string>(schema: Schema<T>): Schema<string> {
  return { node: schema.node };
}

const PLANNED_IN_POLICIES = ["guards", "unscannable", "limits", "audit"];

const policyFields = {
  podSelector: required(labelSelector, "The pods whose callers the policy governs; {} is all of the namespace."),
  mode: defaulted(
    enumeration<Mode>({ Enforce: "Decides.", Shadow: "Is evaluated and reported, and never changes the outcome." }),
    "Enforce",
    "Whether the policy decides or only reports.",
  ),
  variables: defaulted(
    list(variable, { maxItems: 32, unique: "name" }),
    [],
    "Named expressions, in order; each may read those before it.",
  ),
  rules: defaulted(
    list(rule, { maxItems: 128, unique: "name" }),
    [],
    "The rules. Default deny; any Deny refuses, then every Require in scope must hold, then one Allow is needed.",
  ),
  denials: defaulted(
    object<LlmPolicySpec["denials"]>({
      detail: defaulted(
        enumeration<Detail>({
          None: "Nothing but the status and the request id.",
          Code: "A code and the rule's message.",
          Rule: "The name of the rule too.",
        }),
        "Code",
        "How much a refused caller is told.",
      ),
    }),
    {},
    "What refused callers are told.",
  ),
};

export const policySpec: Schema<LlmPolicySpec> = object<LlmPolicySpec>(policyFields, { planned: PLANNED_IN_POLICIES });

export const clusterPolicySpec: Schema<ClusterLlmPolicySpec> = object<ClusterLlmPolicySpec>(
  {
    ...policyFields,
    tier: required(
      enumeration<ClusterLlmPolicySpec["tier"]>({
        Admin: "What no team can widen: Deny and Require.",
        Baseline:
          "What holds where no team has spoken: its Allow rules count only where no enforcing LlmPolicy selects the pod.",
      }),
      "Where the policy stands to the teams' own.",
    ),
    namespaceSelector: required(labelSelector, "The namespaces whose pods are meant; {} is all."),
  },
  {
    planned: PLANNED_IN_POLICIES,
    rules: [
      {
        path: "rules",
        message: "an Allow has no effect in tier Admin, which only narrows; put it in a Baseline or in an LlmPolicy",
        cel: "self.tier != 'Admin' || !has(self.rules) || self.rules.all(r, r.action != 'Allow')",
        holds: ({ tier, rules }) => tier !== "Admin" || rules.every(({ action }) => action !== "Allow"),
      },
      {
        path: "rules",
        message: "a peer's identity must name its namespace here, since the policy itself has none",
        cel: "!has(self.rules) || self.rules.all(r, !has(r.from) || r.from.all(p, !has(p.identity) || has(p.identity.namespace)))",
        holds: ({ rules }) =>
          rules.every(({ from = [] }) =>
            from.every(({ identity }) => identity === undefined || identity.namespace !== undefined),
          ),
      },
    ],
  },
);
