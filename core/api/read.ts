import { didYouMean } from "./suggest.ts";
import { child, describe, type Entry, type MapTree, type ScalarTree, type Span, type Tree } from "./tree.ts";
import type { DurationNode, FieldNode, IntegerNode, Json, ListNode, Node, ObjectNode } from "./node.ts";
import type { Purpose, StringMapNode, StringNode } from "./node.ts";
import type { ProblemCode } from "./problem.ts";

/** Takes what is wrong with a field. */
export type ReportField = (code: ProblemCode, message: string, path: string, at: Span) => void;

/** A CEL expression that was met, to be checked once the whole document is read. */
export interface FoundExpression {
  readonly purpose: Purpose;
  readonly path: string;
  readonly tree: ScalarTree;
  readonly text: string;
}

/**
 * Reads a tree by its schema: validates, applies defaults, renames what is written otherwise. What is wrong is reported;
 * the value is whole only if nothing was.
 */
export class Reader {
  readonly expressions: FoundExpression[] = [];
  readonly #report: ReportField;
  #problems = 0;
  #planned = 0;

  constructor(report: ReportField) {
    this.#report = report;
  }

  /** How much was wrong so far. */
  get problems(): number {
    return this.#problems;
  }

  /** The value, or undefined where the tree is of the wrong type. */
  read(node: Node, tree: Tree, path: string): unknown {
    switch (node.kind) {
      case "string":
        return this.#string(node, tree, path);
      case "integer":
        return this.#integer(node, tree, path);
      case "duration":
        return this.#duration(node, tree, path);
      case "list":
        return this.#list(node, tree, path);
      case "stringMap":
        return this.#stringMap(node, tree, path);
      case "object":
        return this.#object(node, tree, path);
    }
  }

  #fail(code: ProblemCode, message: string, path: string, at: Span): undefined {
    this.#problems++;
    if (code === "not_enforced") this.#planned++;
    this.#report(code, message, path, at);
    return undefined;
  }

  #string(node: StringNode, tree: Tree, path: string): string | undefined {
    if (tree.kind !== "scalar" || typeof tree.value !== "string") {
      if (tree.kind === "scalar" && tree.value === null && node.nullable === true) return undefined;
      const quote = tree.kind === "scalar" && tree.value !== null ? ": quote it" : "";
      return this.#fail("wrong_type", `must be a string, but is ${describe(tree)}${quote}`, path, tree);
    }
    const value = tree.value;
    if (value.length < node.minLength) return this.#fail("out_of_bounds", "must not be empty", path, tree);
    if (node.values !== undefined && !Object.hasOwn(node.values, value)) {
      return this.#unknownValue(node, node.values, value, path, tree);
    }
    if (value.length > node.maxLength) {
      const most = `must have at most ${String(node.maxLength)} characters, but has ${String(value.length)}`;
      return this.#fail("out_of_bounds", most, path, tree);
    }
    const refusal = node.format?.refuse(value);
    if (refusal !== undefined) return this.#fail("invalid_value", refusal, path, tree);
    if (node.expression !== undefined) {
      this.expressions.push({ purpose: node.expression, path, tree, text: value });
    }
    return value;
  }

  #unknownValue(
    node: StringNode,
    values: Readonly<Record<string, string>>,
    value: string,
    path: string,
    at: Span,
  ): undefined {
    if (node.planned?.includes(value) === true) {
      return this.#fail("not_enforced", `${value} ${NOT_ENFORCED}`, path, at);
    }
    const all = Object.keys(values);
    const must = all.length === 1 ? `must be ${all[0] ?? ""}` : `must be one of ${all.join(", ")}`;
    return this.#fail("invalid_value", `${must}, not ${JSON.stringify(value)}${didYouMean(value, all)}`, path, at);
  }

  #integer(node: IntegerNode, tree: Tree, path: string): number | undefined {
    if (tree.kind !== "scalar" || typeof tree.value !== "number") {
      const unquote = tree.kind === "scalar" && /^-?\d+$/.test(String(tree.value)) ? ": remove the quotes" : "";
      return this.#fail("wrong_type", `must be a whole number, but is ${describe(tree)}${unquote}`, path, tree);
    }
    if (!Number.isInteger(tree.value)) {
      return this.#fail("wrong_type", `must be a whole number, but is ${String(tree.value)}`, path, tree);
    }
    if (tree.value < node.min || tree.value > node.max) {
      const range = `must be ${String(node.min)} to ${String(node.max)}, but is ${String(tree.value)}`;
      return this.#fail("out_of_bounds", range, path, tree);
    }
    return tree.value;
  }

  #duration(node: DurationNode, tree: Tree, path: string): number | undefined {
    if (tree.kind !== "scalar" || typeof tree.value !== "string") {
      return this.#fail("wrong_type", `must be a duration such as "1h30m", but is ${describe(tree)}`, path, tree);
    }
    const match = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(tree.value);
    if (match === null || tree.value === "") {
      return this.#fail(
        "invalid_value",
        'must be a duration in hours, minutes and seconds, such as "1h30m"',
        path,
        tree,
      );
    }
    const [, hours = "0", minutes = "0", seconds = "0"] = match;
    const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    if (total < node.minSeconds || total > node.maxSeconds) {
      const range = `must be ${formatDuration(node.minSeconds)} to ${formatDuration(node.maxSeconds)}`;
      return this.#fail("out_of_bounds", range, path, tree);
    }
    return total;
  }

  #list(node: ListNode, tree: Tree, path: string): readonly unknown[] | undefined {
    if (tree.kind !== "list") {
      return this.#fail("wrong_type", `must be a list, but is ${describe(tree)}`, path, tree);
    }
    const { items } = tree;
    if (items.length < node.minItems) return this.#fail("out_of_bounds", "must not be empty", path, tree);
    if (items.length > node.maxItems) {
      const most = `must have at most ${String(node.maxItems)} items, but has ${String(items.length)}`;
      return this.#fail("out_of_bounds", most, path, tree);
    }
    const values = items.map((item, i) => this.read(node.item, item, `${path}[${String(i)}]`));
    if (node.unique !== "no") this.#unique(node.unique, values, items, path);
    return values;
  }

  #unique(by: "set" | "name", values: readonly unknown[], items: readonly Tree[], path: string): void {
    const seen = new Map<unknown, number>();
    for (const [i, value] of values.entries()) {
      const key = by === "set" ? value : nameOf(value);
      const item = items[i];
      if (key === undefined || item === undefined) continue;
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, i);
        continue;
      }
      const where = by === "name" ? `${path}[${String(i)}].name` : `${path}[${String(i)}]`;
      const at = by === "name" ? (child(item, "name")?.value ?? item) : item;
      this.#fail("duplicate_name", `${JSON.stringify(key)} is already at ${path}[${String(first)}]`, where, at);
    }
  }

  #stringMap(node: StringMapNode, tree: Tree, path: string): Readonly<Record<string, string>> | undefined {
    if (tree.kind !== "map") {
      return this.#fail("wrong_type", `must be a map of strings, but is ${describe(tree)}`, path, tree);
    }
    if (tree.entries.length > node.maxProperties) {
      const most = `must have at most ${String(node.maxProperties)} entries, but has ${String(tree.entries.length)}`;
      return this.#fail("out_of_bounds", most, path, tree);
    }
    // A prototype would answer for labels named after its members.
    const value = Object.create(null) as Record<string, string>;
    for (const entry of tree.entries) {
      const at = `${path}[${JSON.stringify(entry.key)}]`;
      const refusal = node.key.refuse(entry.key);
      if (refusal !== undefined) this.#fail("invalid_value", `the key ${refusal}`, at, entry.at);
      const text = this.#string(node.value, entry.value, at);
      if (text !== undefined) value[entry.key] = text;
    }
    return value;
  }

  #object(node: ObjectNode, tree: Tree, path: string): object | undefined {
    if (tree.kind !== "map") {
      return this.#fail("wrong_type", `must be a map, but is ${describe(tree)}`, path, tree);
    }
    const before = this.#problems;
    const plannedBefore = this.#planned;
    const value: Record<string, unknown> = {};
    for (const entry of tree.entries) this.#field(node, entry, path, value);
    for (const [written, field] of node.fields) {
      // What is missing beside something planned is a consequence of it.
      if (field.presence === "required" && this.#planned > plannedBefore) continue;
      if (child(tree, written) === undefined) this.#absent(written, field, tree, path, value);
    }
    if (this.#problems === before) this.#rules(node, tree, path, value);
    return value;
  }

  #field(node: ObjectNode, entry: Entry, path: string, into: Record<string, unknown>): void {
    const at = join(path, entry.key);
    const field = node.fields.get(entry.key);
    if (field !== undefined) {
      const value = this.read(field.node, entry.value, at);
      if (value !== undefined) into[field.property] = value;
    } else if (node.planned.includes(entry.key)) {
      this.#fail("not_enforced", NOT_ENFORCED, at, entry.at);
    } else if (!node.open && !node.ignored.includes(entry.key)) {
      const hint = didYouMean(entry.key, node.fields.keys());
      this.#fail("unknown_field", `is not a field that this version knows${hint}`, at, entry.at);
    }
  }

  #absent(written: string, field: FieldNode, tree: MapTree, path: string, into: Record<string, unknown>): void {
    if (field.presence === "required") {
      const at = tree.entries[0]?.at ?? tree;
      this.#fail("missing_field", "is required", join(path, written), at);
    } else if (field.presence === "default") {
      into[field.property] = this.read(field.node, plant(field.fallback, tree), join(path, written));
    }
  }

  #rules(node: ObjectNode, tree: MapTree, path: string, value: object): void {
    for (const rule of node.rules) {
      if (rule.holds(value)) continue;
      const at = rule.path === "" ? undefined : child(tree, rule.path)?.at;
      const code = at === undefined && rule.path !== "" ? "missing_field" : "conflicting_fields";
      this.#fail(
        code,
        rule.message,
        rule.path === "" ? path : join(path, rule.path),
        at ?? tree.entries[0]?.at ?? tree,
      );
    }
  }
}

const NOT_ENFORCED = "is not enforced by this version of Sallyport, so it is refused instead of ignored";

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function nameOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "name" in value ? value.name : undefined;
}

/** A default as a tree that stands where it is missing. */
function plant(value: Json, at: Span): Tree {
  const span = { start: at.start, end: at.start };
  if (typeof value !== "object" || value === null) return { kind: "scalar", value, style: "plain", ...span };
  if (isList(value)) return { kind: "list", items: value.map((item) => plant(item, at)), ...span };
  const entries = Object.entries(value).map(([key, inner]) => ({ key, at: span, value: plant(inner, at) }));
  return { kind: "map", entries, ...span };
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function formatDuration(seconds: number): string {
  return seconds % 3600 === 0 ? `${String(seconds / 3600)}h` : `${String(seconds)}s`;
}
