/** What a person sees of a wrong document, word for word. */
import { expect, it } from "@jest/globals";
import { formatProblem, readDocuments } from "./index.ts";

const POLICY = `apiVersion: sallyport.dev/v1alpha1
kind: LlmPolicy
metadata: {name: chat, namespace: inference}
spec:
`;
const IDENTITY = `apiVersion: sallyport.dev/v1alpha1
kind: LlmIdentity
metadata: {name: front, namespace: apps}
spec:
`;
const ALLOW = 'name: a, action: Allow, from: [{spiffeId: "*"}], operations: ["*"], models: ["*"]';

function policy(rule: string): string {
  return `${POLICY}  podSelector: {}\n  rules:\n  - ${rule}\n`;
}

const MESSAGES: readonly (readonly [what: string, text: string, seen: string])[] = [
  [
    "text that is not YAML",
    "a: [1\n",
    [
      "a.yaml:2:1: is not YAML: flow sequence in block collection must be sufficiently indented and end with a ]",
      "    ",
      "    ^",
    ].join("\n"),
  ],
  [
    "a field that is misspelt",
    policy("{name: a, action: Deny, model: [x]}"),
    [
      'a.yaml:7:29: spec.rules[0].model: is not a field that this version knows; did you mean "models"?',
      "      - {name: a, action: Deny, model: [x]}",
      "                                ^~~~~",
    ].join("\n"),
  ],
  [
    "an action in the wrong case",
    policy("{name: a, action: allow}"),
    [
      'a.yaml:7:23: spec.rules[0].action: must be one of Allow, Deny, Require, not "allow"; did you mean "Allow"?',
      "      - {name: a, action: allow}",
      "                          ^~~~~",
    ].join("\n"),
  ],
  [
    "an Allow that names nobody",
    policy('{name: a, action: Allow, operations: ["*"], models: ["*"]}'),
    [
      'a.yaml:7:6: spec.rules[0].from: an Allow must say which peers it means: [{spiffeId: "*"}] is all',
      '      - {name: a, action: Allow, operations: ["*"], models: ["*"]}',
      "         ^~~~",
    ].join("\n"),
  ],
  [
    "an Allow that names no models",
    policy('{name: a, action: Allow, from: [{spiffeId: "*"}], operations: ["*"]}'),
    [
      'a.yaml:7:6: spec.rules[0].models: an Allow must say which models it means: ["*"] is all',
      '      - {name: a, action: Allow, from: [{spiffeId: "*"}], operations: ["*"]}',
      "         ^~~~",
    ].join("\n"),
  ],
  [
    "an Allow with an empty list of peers",
    policy(`{${ALLOW.replace('{spiffeId: "*"}', "")}}`),
    [
      "a.yaml:7:36: spec.rules[0].from: must not be empty",
      '      - {name: a, action: Allow, from: [], operations: ["*"], models: ["*"]}',
      "                                       ^~",
    ].join("\n"),
  ],
  [
    "a Require that requires nothing",
    policy("{name: a, action: Require}"),
    [
      "a.yaml:7:6: spec.rules[0].require: a Require must say what it requires",
      "      - {name: a, action: Require}",
      "         ^~~~",
    ].join("\n"),
  ],
  [
    "a Deny that requires",
    policy("{name: a, action: Deny, require: 'true'}"),
    [
      "a.yaml:7:29: spec.rules[0].require: is for action Require only; in other rules write the condition as when",
      "      - {name: a, action: Deny, require: 'true'}",
      "                                ^~~~~~~",
    ].join("\n"),
  ],
  [
    "a Deny with a ceiling",
    policy("{name: a, action: Deny, maxOutputTokens: 10}"),
    [
      "a.yaml:7:29: spec.rules[0].maxOutputTokens: is for action Allow only",
      "      - {name: a, action: Deny, maxOutputTokens: 10}",
      "                                ^~~~~~~~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a peer that is two things",
    policy('{name: a, action: Deny, from: [{spiffeId: "*", identity: {name: b}}]}'),
    [
      "a.yaml:7:37: spec.rules[0].from[0]: must have exactly one of identity and spiffeId",
      '      - {name: a, action: Deny, from: [{spiffeId: "*", identity: {name: b}}]}',
      "                                        ^~~~~~~~",
    ].join("\n"),
  ],
  [
    "a peer with a user, which is not enforced yet",
    policy('{name: a, action: Deny, from: [{spiffeId: "*", user: {identityName: b}}]}'),
    [
      "a.yaml:7:52: spec.rules[0].from[0].user: is not enforced by this version of Sallyport, so it is refused instead of ignored",
      '      - {name: a, action: Deny, from: [{spiffeId: "*", user: {identityName: b}}]}',
      "                                                       ^~~~",
    ].join("\n"),
  ],
  [
    "guards and limits, which are not enforced yet",
    `${POLICY}  podSelector: {}\n  guards: []\n  limits: []\n`,
    [
      "a.yaml:6:3: spec.guards: is not enforced by this version of Sallyport, so it is refused instead of ignored",
      "      guards: []",
      "      ^~~~~~",
      "a.yaml:7:3: spec.limits: is not enforced by this version of Sallyport, so it is refused instead of ignored",
      "      limits: []",
      "      ^~~~~~",
    ].join("\n"),
  ],
  [
    "a pod selector that is missing",
    `${POLICY}  mode: Shadow\n`,
    ["a.yaml:5:3: spec.podSelector: is required", "      mode: Shadow", "      ^~~~"].join("\n"),
  ],
  [
    "two rules of one name",
    policy("{name: a, action: Deny}\n  - {name: a, action: Deny}"),
    [
      'a.yaml:8:12: spec.rules[1].name: "a" is already at spec.rules[0]',
      "      - {name: a, action: Deny}",
      "               ^",
    ].join("\n"),
  ],
  [
    "an operation that is not known",
    policy("{name: a, action: Deny, operations: [Chat, Embedding]}"),
    [
      'a.yaml:7:48: spec.rules[0].operations[1]: must be one of Chat, Completions, Embeddings, ListModels, *, not "Embedding"; did you mean "Embeddings"?',
      "      - {name: a, action: Deny, operations: [Chat, Embedding]}",
      "                                                   ^~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a feature that is not known",
    policy(`{${ALLOW}, features: [streaming]}`),
    [
      'a.yaml:7:100: spec.rules[0].features[0]: must be one of Streaming, Tools, MultipleChoices, StructuredOutput, Logprobs, LogitBias, TokenArrays, Images, ImageUrls, Audio, Files, Storage, WebSearch, ChatTemplate, EngineSampling, Echo, not "streaming"; did you mean "Streaming"?',
      '      - {name: a, action: Allow, from: [{spiffeId: "*"}], operations: ["*"], models: ["*"], features: [streaming]}',
      "                                                                                                       ^~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a list where one value stands",
    policy("{name: a, action: Deny, models: llama}"),
    [
      "a.yaml:7:37: spec.rules[0].models: must be a list, but is a string",
      "      - {name: a, action: Deny, models: llama}",
      "                                        ^~~~~",
    ].join("\n"),
  ],
  [
    "a number where text is wanted",
    policy("{name: a, action: Deny, models: [1.10]}"),
    [
      "a.yaml:7:38: spec.rules[0].models[0]: must be a string, but is the number 1.1: quote it",
      "      - {name: a, action: Deny, models: [1.10]}",
      "                                         ^~~~",
    ].join("\n"),
  ],
  [
    "text where a number is wanted",
    policy(`{${ALLOW}, maxOutputTokens: "100"}`),
    [
      "a.yaml:7:106: spec.rules[0].maxOutputTokens: must be a whole number, but is a string: remove the quotes",
      '    … ["*"], models: ["*"], maxOutputTokens: "100"}',
      "                                             ^~~~~",
    ].join("\n"),
  ],
  [
    "a number out of bounds",
    policy(`{${ALLOW}, maxOutputTokens: 0}`),
    [
      "a.yaml:7:106: spec.rules[0].maxOutputTokens: must be 1 to 10000000, but is 0",
      '      - {name: a, action: Allow, from: [{spiffeId: "*"}], operations: ["*"], models: ["*"], maxOutputTokens: 0}',
      "                                                                                                             ^",
    ].join("\n"),
  ],
  [
    "a name with capitals",
    policy("{name: NoChat, action: Deny}"),
    [
      "a.yaml:7:12: spec.rules[0].name: must be a DNS label: lower-case letters, digits and '-', starting and ending with a letter or digit",
      "      - {name: NoChat, action: Deny}",
      "               ^~~~~~",
    ].join("\n"),
  ],
  [
    "a value that kubectl reads as a boolean",
    `${POLICY}  podSelector: {matchLabels: {canary: on}}\n`,
    [
      "a.yaml:5:39: spec.podSelector.matchLabels.canary: on is a boolean for kubectl, which reads YAML 1.1: quote it",
      "      podSelector: {matchLabels: {canary: on}}",
      "                                          ^~",
    ].join("\n"),
  ],
  [
    "a key that kubectl reads as a boolean",
    `${POLICY}  podSelector: {}\n  on: x\n`,
    [
      "a.yaml:6:3: spec.on: the key on is a boolean for kubectl, which reads YAML 1.1: quote it",
      "      on: x",
      "      ^~",
    ].join("\n"),
  ],
  [
    "a number that kubectl reads as octal",
    policy(`{${ALLOW}, maxOutputTokens: 0100}`),
    [
      "a.yaml:7:106: spec.rules[0].maxOutputTokens: 0100 is an octal number for kubectl, which reads YAML 1.1: quote it",
      '      - {name: a, action: Allow, from: [{spiffeId: "*"}], operations: ["*"], models: ["*"], maxOutputTokens: 0100}',
      "                                                                                                             ^~~~",
    ].join("\n"),
  ],
  [
    "a key given twice",
    `${POLICY}  podSelector: {}\n  podSelector: {matchLabels: {a: b}}\n`,
    [
      "a.yaml:6:3: spec.podSelector: is given twice",
      "      podSelector: {matchLabels: {a: b}}",
      "      ^~~~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a merge key",
    `${POLICY}  podSelector: {}\n  denials: {<<: {detail: Rule}}\n`,
    [
      "a.yaml:6:13: spec.denials.<<: merge keys are not supported: write the fields out",
      "      denials: {<<: {detail: Rule}}",
      "                ^~",
    ].join("\n"),
  ],
  [
    "a tag",
    `${POLICY}  podSelector: !!map {}\n`,
    [
      "a.yaml:5:22: spec.podSelector: the tag tag:yaml.org,2002:map is not supported",
      "      podSelector: !!map {}",
      "                         ^~",
    ].join("\n"),
  ],
  [
    "an alias without an anchor",
    `${POLICY}  podSelector: *none\n`,
    [
      "a.yaml:5:16: spec.podSelector: the alias *none has no anchor before it",
      "      podSelector: *none",
      "                   ^~~~~",
    ].join("\n"),
  ],
  [
    "a kind that is not known",
    "apiVersion: sallyport.dev/v1alpha1\nkind: LlmPolice\n",
    [
      'a.yaml:2:7: kind: "LlmPolice" is not a kind that is read here (LlmIdentity, ClusterLlmIdentity, LlmPolicy, ClusterLlmPolicy, Pod, Namespace); did you mean "LlmPolicy"?',
      "    kind: LlmPolice",
      "          ^~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a kind of Kubernetes that is not read",
    "apiVersion: apps/v1\nkind: Deployment\n",
    [
      'a.yaml:2:7: kind: "Deployment" is not a kind that is read here (LlmIdentity, ClusterLlmIdentity, LlmPolicy, ClusterLlmPolicy, Pod, Namespace)',
      "    kind: Deployment",
      "          ^~~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a version that is not known",
    "apiVersion: sallyport.dev/v1\nkind: LlmPolicy\n",
    [
      'a.yaml:1:13: apiVersion: must be sallyport.dev/v1alpha1 for LlmPolicy, not "sallyport.dev/v1"',
      "    apiVersion: sallyport.dev/v1",
      "                ^~~~~~~~~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a document without a kind",
    "apiVersion: sallyport.dev/v1alpha1\n",
    [
      "a.yaml:1:1: kind: is required and must be a string",
      "    apiVersion: sallyport.dev/v1alpha1",
      "    ^~~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a document that is no map",
    "- a\n",
    ["a.yaml:1:1: must be a map with apiVersion and kind, but is a list", "    - a", "    ^~~"].join("\n"),
  ],
  [
    "a namespace on a kind that has none",
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n",
    [
      "a.yaml:3:21: metadata.namespace: Namespace is not in a namespace: remove it",
      "    metadata: {name: a, namespace: b}",
      "                        ^~~~~~~~~",
    ].join("\n"),
  ],
  [
    "an identity for people, which is not enforced yet",
    "apiVersion: sallyport.dev/v1alpha1\nkind: ClusterLlmIdentity\nmetadata: {name: staff}\nspec: {type: User, user: {}}\n",
    [
      "a.yaml:4:14: spec.type: User is not enforced by this version of Sallyport, so it is refused instead of ignored",
      "    spec: {type: User, user: {}}",
      "                 ^~~~",
      "a.yaml:4:20: spec.user: is not enforced by this version of Sallyport, so it is refused instead of ignored",
      "    spec: {type: User, user: {}}",
      "                       ^~~~",
    ].join("\n"),
  ],
  [
    "an identity with attestation, which is not enforced yet",
    `${IDENTITY}  type: Workload\n  workload: {serviceAccountName: front, attestation: {}}\n`,
    [
      "a.yaml:6:41: spec.workload.attestation: is not enforced by this version of Sallyport, so it is refused instead of ignored",
      "      workload: {serviceAccountName: front, attestation: {}}",
      "                                            ^~~~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a life that is too short",
    `${IDENTITY}  type: Workload\n  workload: {serviceAccountName: front, ttl: 10m}\n`,
    [
      "a.yaml:6:46: spec.workload.ttl: must be 1h to 24h",
      "      workload: {serviceAccountName: front, ttl: 10m}",
      "                                                 ^~~",
    ].join("\n"),
  ],
  [
    "a life that is no duration",
    `${IDENTITY}  type: Workload\n  workload: {serviceAccountName: front, ttl: 1 hour}\n`,
    [
      'a.yaml:6:46: spec.workload.ttl: must be a duration in hours, minutes and seconds, such as "1h30m"',
      "      workload: {serviceAccountName: front, ttl: 1 hour}",
      "                                                 ^~~~~~",
    ].join("\n"),
  ],
  [
    "a SPIFFE ID with dots for a segment",
    policy(`{name: a, action: Deny, from: [{spiffeId: "spiffe://a/../b"}]}`),
    [
      'a.yaml:7:47: spec.rules[0].from[0].spiffeId: must not have "." or ".." as a path segment',
      '      - {name: a, action: Deny, from: [{spiffeId: "spiffe://a/../b"}]}',
      "                                                  ^~~~~~~~~~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a SPIFFE ID that names a trust domain only",
    policy(`{name: a, action: Deny, from: [{spiffeId: "spiffe://example.org"}]}`),
    [
      'a.yaml:7:47: spec.rules[0].from[0].spiffeId: must name a workload: add a path, or "/*" for all of the trust domain',
      '      - {name: a, action: Deny, from: [{spiffeId: "spiffe://example.org"}]}',
      "                                                  ^~~~~~~~~~~~~~~~~~~~~~",
    ].join("\n"),
  ],
  [
    "a selector that compares with nothing",
    `${POLICY}  podSelector: {matchExpressions: [{key: a, operator: In}]}\n`,
    [
      "a.yaml:5:37: spec.podSelector.matchExpressions[0].values: In and NotIn need at least one value",
      "      podSelector: {matchExpressions: [{key: a, operator: In}]}",
      "                                        ^~~",
    ].join("\n"),
  ],
  [
    "a variable that no expression could name",
    `${POLICY}  podSelector: {}\n  variables: [{name: in, expression: "true"}]\n`,
    [
      "a.yaml:6:22: spec.variables[0].name: is a reserved word of CEL",
      '      variables: [{name: in, expression: "true"}]',
      "                         ^~",
    ].join("\n"),
  ],
  [
    "an Allow of the Admin tier",
    `${POLICY.replace("kind: Llm", "kind: ClusterLlm").replace(", namespace: inference", "")}  tier: Admin\n  namespaceSelector: {}\n  podSelector: {}\n  rules: [{${ALLOW}}]\n`,
    [
      "a.yaml:8:3: spec.rules: an Allow has no effect in tier Admin, which only narrows; put it in a Baseline or in an LlmPolicy",
      '      rules: [{name: a, action: Allow, from: [{spiffeId: "*"}], operations: ["*"], models: ["*"]}]',
      "      ^~~~~",
    ].join("\n"),
  ],
];

it.each(MESSAGES)("tells where and why: %s", (_what, text, seen) => {
  const problems = readDocuments(text, "a.yaml").problems.map(formatProblem);
  expect(problems.join("\n")).toBe(seen);
});
