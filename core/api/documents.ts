import { Buffer } from "node:buffer";
import type { Problem } from "./problem.ts";
import { Reader, type FoundExpression } from "./read.ts";
import { scalarOffset } from "./scalar-offset.ts";
import { KINDS } from "./schema/kinds.ts";
import { SourceText } from "./source-text.ts";
import { didYouMean } from "./suggest.ts";
import { child, describe, textOf, type Span, type Tree } from "./tree.ts";
import type { Position, ProblemCode } from "./problem.ts";
import type { Known, Rule, RuleAction, Variable } from "./types.ts";
import { readYaml } from "./yaml.ts";

/** A file is at most so many bytes. */
export const MAX_FILE_BYTES = 1_048_576;
/** So many problems of a file are told; more help nobody. */
export const MAX_PROBLEMS = 50;

/** A resource, and where it was written. */
export interface Located<T> {
  readonly resource: T;
  readonly position: Position;
  /** Where a field is (`spec.rules[2].when`); the nearest field above it where it is not written itself. */
  locate(path: string): Position;
}

/** What is wrong with an expression; offsets are its own (UTF-16 units). */
export interface ExpressionProblem {
  /** Below the policy's spec: `variables[0].expression`, `rules[2].when`. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
  readonly offset: number;
  readonly length: number;
}

/** The expressions of a policy and what is around them; a rule that could not be read has none. */
export interface PolicyExpressions {
  readonly variables: readonly Variable[];
  readonly rules: readonly Pick<Rule, "name" | "action" | "when" | "require">[];
}

export type CheckPolicy = (policy: PolicyExpressions) => readonly ExpressionProblem[];

export interface ReadOptions {
  /** Checks a policy's expressions; without it they are not looked at. */
  readonly checkPolicy?: CheckPolicy;
}

export interface Documents {
  readonly documents: readonly Located<Known>[];
  /** If there are any, none of the documents may be used. */
  readonly problems: readonly Problem[];
}

/** Reads a file of documents as kubectl does: several in one file, JSON, and lists (kind: List). Never throws. */
export function readDocuments(text: string, file: string, options: ReadOptions = {}): Documents {
  const source = new SourceText(file, text);
  const problems: Problem[] = [];
  const starts = new Set<number>();
  const report = (code: ProblemCode, message: string, path: string, at: Span): void => {
    // Two things wrong with one text: the first is the cause.
    if (problems.length >= MAX_PROBLEMS || starts.has(at.start)) return;
    starts.add(at.start);
    const excerpt = source.excerpt(at.start, at.end - at.start);
    problems.push({ ...source.position(at.start), path, code, message, excerpt });
  };
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    report("too_large", `the file has more than ${String(MAX_FILE_BYTES)} bytes`, "", { start: 0, end: 1 });
    return { documents: [], problems };
  }
  const trees = readYaml(source, report);
  const documents: Located<Known>[] = [];
  for (const { tree, path } of trees.flatMap((tree) => items(tree))) {
    const resource = readResource(tree, path, source, report, options);
    if (resource === undefined) continue;
    documents.push({
      resource,
      position: source.position(tree.start),
      locate: (field) => source.position(nearest(tree, field).start),
    });
  }
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { documents, problems };
}

interface Item {
  readonly tree: Tree;
  /** Of the document in its list, "" for one that stands by itself. */
  readonly path: string;
}

function items(tree: Tree): readonly Item[] {
  const inside = child(tree, "items")?.value;
  if (textOf(child(tree, "kind")?.value) !== "List" || inside?.kind !== "list") return [{ tree, path: "" }];
  return inside.items.map((item, i) => ({ tree: item, path: `items[${String(i)}]` }));
}

type ReportField = (code: ProblemCode, message: string, path: string, at: Span) => void;

function readResource(
  tree: Tree,
  path: string,
  source: SourceText,
  report: ReportField,
  options: ReadOptions,
): Known | undefined {
  const kind = knownKind(tree, path, report);
  if (kind === undefined) return undefined;
  const reader = new Reader(report);
  const { scope, schema } = KINDS[kind];
  const value = reader.read(schema.node, tree, path);
  const metadata = child(tree, "metadata")?.value;
  const namespace = child(metadata, "namespace");
  if (scope === "Cluster" && namespace !== undefined) {
    report(
      "unknown_field",
      `${kind} is not in a namespace: remove it`,
      prefixed(path, "metadata.namespace"),
      namespace.at,
    );
    return undefined;
  }
  const bad = checkExpressions(kind, value, tree, path, reader.expressions, source, report, options);
  if (bad || reader.problems > 0) return undefined;
  // Every field was read by the schema of just this kind, and nothing was wrong.
  const resource = value as Known;
  if (scope === "Cluster" || resource.metadata.namespace !== undefined) return resource;
  return { ...resource, metadata: { ...resource.metadata, namespace: "default" } };
}

function knownKind(tree: Tree, path: string, report: ReportField): Known["kind"] | undefined {
  if (tree.kind !== "map") {
    report("wrong_type", `must be a map with apiVersion and kind, but is ${describe(tree)}`, path, tree);
    return undefined;
  }
  const kind = textOf(child(tree, "kind")?.value);
  const version = textOf(child(tree, "apiVersion")?.value);
  if (kind === undefined || version === undefined) {
    const missing = kind === undefined ? "kind" : "apiVersion";
    const at = child(tree, missing)?.at ?? tree.entries[0]?.at ?? tree;
    report("missing_field", "is required and must be a string", prefixed(path, missing), at);
    return undefined;
  }
  const kinds = Object.keys(KINDS);
  if (!isKnown(kind)) {
    const message = `${JSON.stringify(kind)} is not a kind that is read here (${kinds.join(", ")})${didYouMean(kind, kinds)}`;
    report("unknown_kind", message, prefixed(path, "kind"), child(tree, "kind")?.value ?? tree);
    return undefined;
  }
  const expected = KINDS[kind].apiVersion;
  if (version !== expected) {
    const at = child(tree, "apiVersion")?.value ?? tree;
    report(
      "unknown_kind",
      `must be ${expected} for ${kind}, not ${JSON.stringify(version)}`,
      prefixed(path, "apiVersion"),
      at,
    );
    return undefined;
  }
  return kind;
}

function isKnown(kind: string): kind is Known["kind"] {
  return Object.hasOwn(KINDS, kind);
}

/** Whether any expression is wrong. */
function checkExpressions(
  kind: Known["kind"],
  value: unknown,
  tree: Tree,
  path: string,
  expressions: readonly FoundExpression[],
  source: SourceText,
  report: ReportField,
  { checkPolicy }: ReadOptions,
): boolean {
  if (checkPolicy === undefined || (kind !== "LlmPolicy" && kind !== "ClusterLlmPolicy")) return false;
  const policy = expressionsOf(value);
  if (policy === undefined) return false;
  let bad = false;
  for (const problem of checkPolicy(policy)) {
    const at = prefixed(path, `spec.${problem.path}`);
    const found = expressions.find((expression) => expression.path === at);
    bad = true;
    if (found === undefined) {
      report("invalid_expression", problem.message, at, tree);
      continue;
    }
    const start = scalarOffset(source.text, found.tree, problem.offset);
    const end = scalarOffset(source.text, found.tree, problem.offset + problem.length);
    report("invalid_expression", problem.message, at, { start, end: Math.max(end, start) });
  }
  return bad;
}

/** A policy's expressions, though the rest of it may be broken; undefined where a variable is. */
function expressionsOf(value: unknown): PolicyExpressions | undefined {
  const spec = memberOf(value, "spec");
  const variables = listOf(memberOf(spec, "variables")).filter(isVariable);
  if (variables.length !== listOf(memberOf(spec, "variables")).length) return undefined;
  const rules = listOf(memberOf(spec, "rules")).map((rule): PolicyExpressions["rules"][number] => {
    const [name, action, when, require] = ["name", "action", "when", "require"].map((key) => memberOf(rule, key));
    return {
      name: typeof name === "string" ? name : "",
      action: isAction(action) ? action : "Deny",
      ...(typeof when === "string" ? { when } : {}),
      ...(typeof require === "string" ? { require } : {}),
    };
  });
  return { variables, rules };
}

function isAction(value: unknown): value is RuleAction {
  return value === "Allow" || value === "Deny" || value === "Require";
}

function isVariable(value: unknown): value is Variable {
  return typeof memberOf(value, "name") === "string" && typeof memberOf(value, "expression") === "string";
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function prefixed(path: string, field: string): string {
  return path === "" ? field : `${path}.${field}`;
}

/** The tree at a path, or of the last step of it that is there. */
function nearest(tree: Tree, path: string): Span {
  let here: Tree = tree;
  let span: Span = tree;
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    const entry = name === undefined ? undefined : child(here, name);
    const next = name === undefined ? (here.kind === "list" ? here.items[Number(index)] : undefined) : entry?.value;
    if (next === undefined) break;
    here = next;
    span = entry?.at ?? next;
  }
  return span;
}
