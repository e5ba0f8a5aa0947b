import { budget } from "./budget.ts";
import { call } from "./codegen/dispatch.ts";
import { problemAt } from "./problems.ts";
import type { Problem } from "./program.ts";
import * as dynamic from "./runtime/dynamic.ts";
import { mapAdd } from "./maps.ts";
import { children, type ConstNode, type FunctionNode, type OperatorNode, type Slot, type TypedNode } from "./typed.ts";
import { sameType } from "./types.ts";
import { CelError, Optional, UintKeyMap, type ListValue, type Value } from "./values.ts";

/** What all folding of one expression may cost, in steps. */
const FOLD_BUDGET = 200_000;
/** Largest constant that is kept, in characters, bytes or items. */
const MAX_CONSTANT = 65_536;

/** Refuses constant arguments that can only fail: bad patterns, timestamps, durations, zones, networks. */
export function checkConstants(source: string, root: TypedNode): Problem[] {
  const problems: Problem[] = [];
  const visit = (node: TypedNode): void => {
    if (node.kind === "function" && !node.dynamic) {
      const constants = node.args.map((arg) => (arg.kind === "const" ? arg.value : undefined));
      const known = constants.some((constant) => constant !== undefined);
      const outcome = known ? node.overloads[0]?.specialise?.(constants) : undefined;
      if (outcome instanceof CelError) {
        const at = node.args.findLast((arg) => arg.kind === "const") ?? node;
        problems.push(problemAt(source, "invalid_literal", outcome.message, at));
      }
    }
    for (const child of children(node)) visit(child);
  };
  visit(root);
  return problems;
}

/** Evaluates what does not depend on any variable, and drops what cannot matter. Errors stay, to come when it is evaluated. */
export function foldConstants(root: TypedNode): TypedNode {
  const before = budget.left;
  budget.left = FOLD_BUDGET;
  try {
    return new Folder().fold(root);
  } finally {
    budget.left = before;
  }
}

class Folder {
  readonly #bound: Map<Slot, ConstNode> = new Map();

  fold(node: TypedNode): TypedNode {
    switch (node.kind) {
      case "const":
      case "variable":
      case "failure":
        return node;
      case "local":
        return this.#bound.get(node.slot) ?? node;
      case "field":
        return { ...node, operand: this.fold(node.operand) };
      case "member": {
        const folded = { ...node, operand: this.fold(node.operand) };
        if (folded.operand.kind !== "const") return folded;
        const { value } = folded.operand;
        return this.#evaluated(folded, () => MEMBERS[node.mode](value, node.key));
      }
      case "operator":
        return this.#operator({ ...node, args: node.args.map((arg) => this.fold(arg)) });
      case "function":
        return this.#function({ ...node, args: node.args.map((arg) => this.fold(arg)) });
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
      case "fold": {
        const filter = node.filter === undefined ? undefined : this.fold(node.filter);
        return { ...node, range: this.fold(node.range), filter, body: this.fold(node.body) };
      }
      case "bind": {
        const value = this.fold(node.value);
        if (value.kind !== "const") return { ...node, value, body: this.fold(node.body) };
        this.#bound.set(node.slot, value);
        return this.fold(node.body);
      }
    }
  }

  /** The node as a constant, or as it was where it has no value (or one too large). */
  #evaluated(node: TypedNode, evaluate: () => Value | CelError): TypedNode {
    let value: Value | CelError;
    try {
      value = evaluate();
    } catch {
      return node;
    }
    return value instanceof CelError || tooLarge(value)
      ? node
      : { kind: "const", start: node.start, end: node.end, type: node.type, value };
  }

  #operator(node: OperatorNode): TypedNode {
    const [a, b, c] = node.args;
    if (a === undefined) return node;
    if (node.name === "_&&_" || node.name === "_||_") return b === undefined ? node : logical(node, a, b);
    if (node.name === "_?_:_") {
      if (a.kind !== "const" || typeof a.value !== "boolean") return node;
      const chosen = a.value ? b : c;
      if (chosen?.kind === "const") return { ...chosen, type: node.type };
      return chosen !== undefined && sameType(chosen.type, node.type) ? chosen : node;
    }
    const operator = OPERATORS[node.name];
    if (operator === undefined || a.kind !== "const" || (b !== undefined && b.kind !== "const")) return node;
    const right = b === undefined ? null : b.value;
    return this.#evaluated(node, () => operator(a.value, right));
  }

  #function(node: FunctionNode): TypedNode {
    const values: Value[] = [];
    for (const arg of node.args) {
      if (arg.kind !== "const") return node;
      values.push(arg.value);
    }
    const overload = node.overloads[0];
    // What a type parameter stands for is not told by the value alone.
    if (node.dynamic || overload === undefined || node.name === "type") return node;
    return this.#evaluated(node, () => call(overload, values));
  }

  #list(given: TypedNode & { kind: "list" }): TypedNode {
    const elements = given.elements.map((element) => this.fold(element));
    const node = { ...given, elements };
    const values: Value[] = [];
    for (const [i, element] of elements.entries()) {
      if (element.kind !== "const") return node;
      if (!given.optional.includes(i)) values.push(element.value);
      else if (!(element.value instanceof Optional)) return node;
      else if (element.value.value !== undefined) values.push(element.value.value);
    }
    return this.#evaluated(node, () => values);
  }

  #map(given: TypedNode & { kind: "map" }): TypedNode {
    const entries = given.entries.map((entry) => ({
      ...entry,
      key: this.fold(entry.key),
      value: this.fold(entry.value),
    }));
    const node = { ...given, entries };
    const map = new UintKeyMap();
    for (const { key, value, optional } of entries) {
      if (key.kind !== "const" || value.kind !== "const") return node;
      const item = optional && value.value instanceof Optional ? value.value.value : value.value;
      if (optional && !(value.value instanceof Optional)) return node;
      if (item !== undefined && mapAdd(map, key.value, item) !== undefined) return node;
    }
    return this.#evaluated(node, () => map);
  }
}

function logical(node: OperatorNode, a: TypedNode, b: TypedNode): TypedNode {
  const decides = node.name === "_||_";
  for (const side of [a, b]) if (side.kind === "const" && side.value === decides) return { ...side, type: node.type };
  if (a.kind === "const" && a.value === !decides && b.type.kind === "bool") return b;
  if (b.kind === "const" && b.value === !decides && a.type.kind === "bool") return a;
  return node;
}

const MEMBERS = { value: dynamic.select, test: dynamic.has, optional: dynamic.selectOptional } as const;

const OPERATORS: Readonly<Record<string, (a: Value, b: Value) => Value | CelError>> = {
  "_==_": dynamic.equals,
  "_!=_": (a, b) => !dynamic.equals(a, b),
  "_<_": dynamic.less,
  "_<=_": dynamic.lessEquals,
  "_>_": dynamic.greater,
  "_>=_": dynamic.greaterEquals,
  "_+_": dynamic.add,
  "_-_": dynamic.subtract,
  "_*_": dynamic.multiply,
  "_/_": dynamic.divide,
  "_%_": dynamic.modulo,
  "-_": dynamic.negate,
  "!_": dynamic.not,
  "@in": dynamic.isIn,
  "_[_]": dynamic.index,
  "_[?_]": dynamic.optionalIndex,
};

function tooLarge(value: Value): boolean {
  if (typeof value === "string" || value instanceof Uint8Array || Array.isArray(value)) {
    return (value as string | Uint8Array | ListValue).length > MAX_CONSTANT;
  }
  return value instanceof Map && value.size > MAX_CONSTANT;
}
