/**
 * Writes docs/resources.md from the schemas that resources are read by: `node tools/gen-resources.ts`. A test holds the file
 * against what this writes, and reads every example in it as `check` does.
 */
import fs from "node:fs/promises";
import path from "node:path";
import * as prettier from "prettier";
import { KINDS } from "../core/api/index.ts";
import type { FieldNode, Node, ObjectNode } from "../core/api/node.ts";

/** Where the reference is kept. */
export const RESOURCES: string = path.join(import.meta.dirname, "..", "docs", "resources.md");

const INTRODUCTION = `# The resources

<!-- Written by tools/gen-resources.ts from the schemas in core/api. Do not edit. -->

Every kind that Sallyport reads, every field with its type, its bounds and its default. A field that is not listed is refused
with its place, never ignored. \`sallyport check DIR\` reads a folder as this page says. Expressions are described in
[the policy language](policy-language.md), what a refused caller is told in [the codes](codes.md).

How a request is decided: policies are those whose selectors select the pod. Without any, everything is denied. Any Deny
that applies refuses; then every Require in scope must hold; then one Allow is needed. The order of rules and of policies
means nothing. Admin policies only narrow; a Baseline's Allow rules count where no enforcing LlmPolicy selects the pod.
`;

/** An example of each kind; a test reads them all as one set. */
const EXAMPLES: { readonly [K in keyof typeof KINDS]: string } = {
  LlmIdentity: `apiVersion: sallyport.dev/v1alpha1
kind: LlmIdentity
metadata: {name: chat-frontend, namespace: apps}
spec:
  type: Workload
  workload: {serviceAccountName: chat-frontend, ttl: 1h}`,
  ClusterLlmIdentity: `# The bundle is what the other trust domain publishes; this one vouches for nobody.
apiVersion: sallyport.dev/v1alpha1
kind: ClusterLlmIdentity
metadata: {name: partner}
spec:
  type: Federation
  federation:
    trustDomain: partner.example
    bundle: '{"keys": []}'`,
  LlmPolicy: `apiVersion: sallyport.dev/v1alpha1
kind: LlmPolicy
metadata: {name: llama-chat, namespace: inference}
spec:
  podSelector: {matchLabels: {app: llama}}
  variables:
    - name: firstTurn
      expression: size(llm.messages) <= 2
  rules:
    - name: frontend
      action: Allow
      from: [{identity: {name: chat-frontend, namespace: apps}}]
      operations: [Chat, ListModels]
      models: ["llama-3-*"]
      features: [Streaming, Tools]
      tools: ["search_*"]
      maxOutputTokens: 512
    - name: no-preview
      action: Deny
      models: ["*-preview"]
      message: Preview models are not open yet.
    - name: short-first-turns
      action: Require
      operations: [Chat]
      when: variables.firstTurn
      require: llm.tokensEstimate <= 4000
  denials: {detail: Code}`,
  ClusterLlmPolicy: `apiVersion: sallyport.dev/v1alpha1
kind: ClusterLlmPolicy
metadata: {name: no-images}
spec:
  tier: Admin
  namespaceSelector: {}
  podSelector: {}
  mode: Shadow
  rules:
    - name: attachments
      action: Deny
      when: size(llm.attachments) > 0`,
  Pod: `apiVersion: v1
kind: Pod
metadata:
  name: llama
  namespace: inference
  labels: {app: llama}
  annotations: {sallyport.dev/inject: "true"}
spec: {serviceAccountName: llama}`,
  Namespace: `apiVersion: v1
kind: Namespace
metadata: {name: inference, labels: {team: ml}}`,
};

/** The whole reference, as it stands in the file. */
export async function resources(): Promise<string> {
  const parts = [INTRODUCTION];
  for (const [kind, { apiVersion, scope, schema }] of Object.entries(KINDS)) {
    const example = Object.entries(EXAMPLES).find(([name]) => name === kind)?.[1] ?? "";
    parts.push(
      `## ${kind}`,
      `\`${apiVersion}\`, ${scope === "Cluster" ? "of the whole cluster" : "in a namespace"}.`,
      ["```yaml", example, "```"].join("\n"),
      ...objectParts(schema.node),
    );
  }
  const options = await prettier.resolveConfig(RESOURCES);
  return prettier.format(parts.join("\n\n"), { ...options, parser: "markdown" });
}

function objectParts(node: Node): readonly string[] {
  if (node.kind !== "object") return [];
  const rows: string[] = [];
  const enumerations: string[] = [];
  const rules: string[] = [];
  walk(node, "", rows, enumerations, rules);
  const open = node.open ? ["Other fields may be there and are not looked at."] : [];
  return [
    ["| field | type and bounds | default | |", "| --- | --- | --- | --- |", ...rows].join("\n"),
    ...open,
    ...(rules.length === 0 ? [] : ["What holds between fields:", rules.join("\n")]),
    ...enumerations,
  ];
}

function walk(node: ObjectNode, prefix: string, rows: string[], enumerations: string[], rules: string[]): void {
  for (const { path: field, message } of node.rules) {
    const at = [prefix, field].filter((part) => part !== "").join(".");
    rules.push(`- \`${at === "" ? "the document" : at}\`: ${escape(message)}`);
  }
  if (node.planned.length > 0) {
    const names = node.planned.map((name) => `\`${name}\``).join(", ");
    rules.push(`- \`${prefix}\`: ${names} ${node.planned.length === 1 ? "is" : "are"} refused until enforced.`);
  }
  for (const [name, field] of node.fields) {
    const at = prefix === "" ? name : `${prefix}.${name}`;
    rows.push(`| \`${at}\` | ${escape(typeOf(field.node))} | ${defaultOf(field)} | ${escape(field.doc)} |`);
    const inner = field.node.kind === "list" ? field.node.item : field.node;
    const below = field.node.kind === "list" ? `${at}[]` : at;
    if (inner.kind === "object") walk(inner, below, rows, enumerations, rules);
    else if (inner.kind === "string" && inner.values !== undefined && Object.keys(inner.values).length > 1) {
      const values = Object.entries(inner.values).map(([value, doc]) => `| \`${value}\` | ${escape(doc)} |`);
      enumerations.push([`Values of \`${at}\`:`, "", "| value | |", "| --- | --- |", ...values].join("\n"));
    }
  }
}

function defaultOf({ presence, fallback }: FieldNode): string {
  switch (presence) {
    case "required":
      return "required";
    case "optional":
      return "";
    case "default":
      return `\`${typeof fallback === "string" ? fallback : JSON.stringify(fallback)}\``;
  }
}

function typeOf(node: Node): string {
  switch (node.kind) {
    case "string":
      if (node.values !== undefined) {
        const values = Object.keys(node.values);
        return values.length === 1 ? `\`${values[0] ?? ""}\`` : "one of the values below";
      }
      return `${node.expression === undefined ? (node.format?.name ?? "text") : "CEL"}, ${range(node.minLength, node.maxLength)} characters`;
    case "integer":
      return `whole number, ${range(node.min, node.max)}`;
    case "duration":
      return `duration (\`1h30m\`), ${range(node.minSeconds, node.maxSeconds)} seconds`;
    case "list": {
      const twice = { no: "", set: ", none twice", name: ", names unique" }[node.unique];
      const item = node.item.kind === "object" ? "objects" : typeOf(node.item);
      return `list of ${item}; ${range(node.minItems, node.maxItems)} items${twice}`;
    }
    case "stringMap":
      return `map of ${node.key.name} to text; up to ${node.maxProperties.toLocaleString("en")} entries, values ${range(node.value.minLength, node.value.maxLength)} characters`;
    case "object":
      return "object";
  }
}

function range(least: number, most: number): string {
  const text = (value: number): string => value.toLocaleString("en");
  return least === 0 && most < Number.MAX_SAFE_INTEGER
    ? `up to ${text(most)}`
    : most === Number.MAX_SAFE_INTEGER
      ? `${text(least)} or more`
      : `${text(least)} to ${text(most)}`;
}

function escape(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "\\<").replaceAll("*", "\\*");
}

if (import.meta.main) await fs.writeFile(RESOURCES, await resources());
