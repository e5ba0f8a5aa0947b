import {
  qualifiedName, type CallNode, type FoldNode, type ListNode, type MapNode, type Node, type SelectNode, type Span,
} from "./ast.ts"; // prettier-ignore
import type { Overload } from "./declarations.ts";
import type { Environment, FunctionEntry } from "./environment.ts";
import { isLargerThan, mostGeneral, Substitution } from "./inference.ts";
import { OPERATORS, operatorSymbol } from "./operators.ts";
import { noOverloadMessage, resolveOverloads } from "./overloads.ts";
import { MAX_NODES } from "./parser.ts";
import { problemAt } from "./problems.ts";
import type { Problem, ProblemCode } from "./program.ts";
import { didYouMean } from "./suggest.ts";
import type { Slot } from "./typed.ts";
import {
  BOOL, DYN, INT, formatType, listOf, mapOf, optionalOf, typeOf, type CelType, type RecordField,
} from "./types.ts"; // prettier-ignore

/** Problems after which checking stops. */
const MAX_PROBLEMS = 10;

/** Parts of a type. Each level of `{x: x}` doubles it, and everything that looks at types goes through all of it. */
const MAX_TYPE_SIZE = 500;

const KEY_KINDS: ReadonlySet<CelType["kind"]> = new Set(["bool", "int", "uint", "string"]);

/** What a name or a call was found to mean. Types in it may still have parameters. */
export type Reference =
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "type"; readonly type: CelType }
  | { readonly kind: "local"; readonly slot: MutableSlot }
  | { readonly kind: "field"; readonly name: string; readonly field: RecordField }
  | { readonly kind: "operator"; readonly overload: string | undefined }
  | {
      readonly kind: "function";
      readonly name: string;
      readonly overloads: readonly Overload[];
      readonly dynamic: boolean;
      /** The receiver was a namespace, not a value. */
      readonly qualified: boolean;
    }
  | { readonly kind: "slots"; readonly slots: readonly MutableSlot[] }
  | { readonly kind: "failure"; readonly message: string; readonly code: "no_such_attribute" | "unbound_function" };

/** A slot whose type is known for certain once all is checked. */
export interface MutableSlot {
  readonly name: string;
  readonly type: CelType;
  final: Slot | undefined;
}

export interface CheckState {
  readonly types: ReadonlyMap<Node, CelType>;
  readonly references: ReadonlyMap<Node, Reference>;
  readonly substitution: Substitution;
  readonly problems: readonly Problem[];
}

/** Infers the type of every node and what every name means. */
export function check(source: string, node: Node, environment: Environment): CheckState {
  const checker = new Checker(source, environment);
  checker.check(node);
  return checker;
}

type Scope = { readonly slot: MutableSlot; readonly outer: Scope } | undefined;

class Checker implements CheckState {
  readonly types: Map<Node, CelType> = new Map();
  readonly references: Map<Node, Reference> = new Map();
  readonly substitution: Substitution = new Substitution();
  readonly problems: Problem[] = [];
  readonly #source: string;
  readonly #environment: Environment;
  #scope: Scope = undefined;
  #visits = 0;

  constructor(source: string, environment: Environment) {
    this.#source = source;
    this.#environment = environment;
  }

  check(node: Node): CelType {
    if (++this.#visits > 2 * MAX_NODES && this.problems.length === 0) {
      this.#problem("too_many_nodes", "expression has too many nodes", node);
    }
    const stopped = this.problems.length >= MAX_PROBLEMS || this.#visits > 2 * MAX_NODES;
    let type = stopped ? DYN : this.#infer(node);
    if (isLargerThan(type, MAX_TYPE_SIZE))
      type = this.#problem("too_deep", "the type of this expression is too large", node);
    this.types.set(node, type);
    return type;
  }

  #problem(code: ProblemCode, message: string, at: Span): CelType {
    this.problems.push(problemAt(this.#source, code, message, at));
    return DYN;
  }

  #resolved(type: CelType): CelType {
    return this.substitution.apply(type, false);
  }

  #infer(node: Node): CelType {
    switch (node.kind) {
      case "literal":
        return node.type;
      case "ident":
        return this.#name(node, node.name) ?? this.#undeclared(node, node.name);
      case "select":
        return this.#select(node);
      case "call":
        return this.#call(node);
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
      case "message":
        for (const entry of node.entries) this.check(entry.value);
        return this.#problem("unsupported", `messages (${node.name}{…}) are not supported`, node);
      case "fold":
        return this.#fold(node);
      case "bind": {
        const slot = { name: node.name, type: this.check(node.value), final: undefined };
        this.references.set(node, { kind: "slots", slots: [slot] });
        return this.#within([slot], () => this.check(node.body));
      }
    }
  }

  #within<T>(slots: readonly MutableSlot[], run: () => T): T {
    const outer = this.#scope;
    for (const slot of slots) this.#scope = { slot, outer: this.#scope };
    const result = run();
    this.#scope = outer;
    return result;
  }

  #local(name: string): MutableSlot | undefined {
    for (let scope = this.#scope; scope !== undefined; scope = scope.outer) {
      if (scope.slot.name === name) return scope.slot;
    }
    return undefined;
  }

  /** A name that may be qualified: a macro's variable, a variable of the schema, or a type. */
  #name(node: Node, name: string): CelType | undefined {
    const slot = this.#local(name);
    if (slot !== undefined) {
      this.references.set(node, { kind: "local", slot });
      return slot.type;
    }
    for (const candidate of this.#environment.candidates(name)) {
      const variable = this.#environment.variables.get(candidate);
      if (variable !== undefined) {
        this.references.set(node, { kind: "variable", name: candidate });
        return variable;
      }
      const type = this.#environment.types.get(candidate);
      if (type !== undefined) {
        this.references.set(node, { kind: "type", type });
        return typeOf(type);
      }
    }
    return undefined;
  }

  #undeclared(node: Node, name: string): CelType {
    if (this.#environment.lenient) {
      this.references.set(node, {
        kind: "failure",
        message: `undeclared reference to '${name}'`,
        code: "no_such_attribute",
      });
      return DYN;
    }
    const known = [...this.#environment.variables.keys()];
    for (let scope = this.#scope; scope !== undefined; scope = scope.outer) known.push(scope.slot.name);
    const hint = didYouMean(name, known);
    return this.#problem("undeclared_reference", `undeclared reference to '${name}'${hint}`, node);
  }

  #select(node: SelectNode): CelType {
    const name = node.test || node.optional ? undefined : qualifiedName(node);
    if (name !== undefined && this.#local(rootOf(name)) === undefined) {
      const type = this.#name(node, name);
      if (type !== undefined) return type;
    }
    let operand = this.#resolved(this.check(node.operand));
    const wrapped = operand.kind === "optional";
    if (operand.kind === "optional") operand = operand.value;
    const type = this.#member(node, operand);
    if (node.test) return BOOL;
    return wrapped || node.optional ? optionalOf(type.kind === "optional" ? type.value : type) : type;
  }

  #member(node: SelectNode, operand: CelType): CelType {
    switch (operand.kind) {
      case "dyn":
        return DYN;
      case "param":
        this.substitution.assign([DYN], [operand]);
        return DYN;
      case "map":
        if (!this.substitution.assign([{ kind: "string" }], [operand.key])) break;
        return operand.value;
      case "record": {
        const field = Object.hasOwn(operand.fields, node.field) ? operand.fields[node.field] : undefined;
        if (field !== undefined) {
          this.references.set(node, { kind: "field", name: node.field, field });
          return field.type;
        }
        const hint = didYouMean(node.field, Object.keys(operand.fields));
        const at = { start: node.end - node.field.length, end: node.end };
        return this.#problem("undefined_field", `${operand.name} has no field '${node.field}'${hint}`, at);
      }
      default:
    }
    if (this.#environment.lenient) return DYN;
    const message = `type ${formatType(operand)} has no fields, so '${node.field}' cannot be selected`;
    return this.#problem("type_mismatch", message, node);
  }

  #list(node: ListNode): CelType {
    let element: CelType | undefined;
    for (const [i, item] of node.elements.entries()) {
      const type = this.check(item);
      element = this.#join(element, node.optional.includes(i) ? this.#unwrap(type, item) : type);
    }
    return listOf(element ?? this.substitution.freshParam());
  }

  #map(node: MapNode): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of node.entries) {
      key = this.#join(key, this.#key(this.check(entry.key), entry.key));
      const type = this.check(entry.value);
      value = this.#join(value, entry.optional ? this.#unwrap(type, entry.value) : type);
    }
    return mapOf(key ?? this.substitution.freshParam(), value ?? this.substitution.freshParam());
  }

  /**
   * The type of a key: one that keys may have, or dyn. A key that were as large as its value would double
   * the type with each level, also by way of a parameter that is bound later.
   */
  #key(given: CelType, at: Span): CelType {
    const type = this.#resolved(given);
    if (KEY_KINDS.has(type.kind)) return type;
    if (type.kind === "param") this.substitution.assign([DYN], [type]);
    else if (type.kind !== "dyn" && !this.#environment.lenient) {
      const message = `the key of a map must be a bool, an int, a uint or a string, not ${formatType(type)}`;
      this.#problem("type_mismatch", message, at);
    }
    return DYN;
  }

  /** The type of elements of both types: the wider, or dyn. */
  #join(known: CelType | undefined, type: CelType): CelType {
    if (known === undefined) return type;
    if (!this.substitution.assign([known], [type])) return DYN;
    return mostGeneral(this.#resolved(known), this.#resolved(type));
  }

  /** The type inside of an optional that is an element or entry written with `?`. */
  #unwrap(given: CelType, at: Span): CelType {
    const type = this.#resolved(given);
    if (type.kind === "optional") return type.value;
    if (type.kind === "dyn" || this.#environment.lenient) return DYN;
    return this.#problem("type_mismatch", `expected an optional, found ${formatType(type)}`, at);
  }

  #fold(node: FoldNode): CelType {
    const range = this.#resolved(this.check(node.range));
    const [first, second] = this.#ranged(range, node);
    const names = node.variables;
    const types = names.length === 1 ? [range.kind === "list" ? second : first] : [first, second];
    const slots = names.map((name, i) => ({ name, type: types[i] ?? DYN, final: undefined }));
    this.references.set(node, { kind: "slots", slots });
    return this.#within(slots, () => this.#foldBody(node, types[0] ?? DYN, first));
  }

  /** Types of the index and the element of a list, of the key and the value of a map. */
  #ranged(range: CelType, node: FoldNode): readonly [CelType, CelType] {
    switch (range.kind) {
      case "list":
        return [INT, range.element];
      case "map":
        return [range.key, range.value];
      case "param":
        this.substitution.assign([DYN], [range]);
        return [DYN, DYN];
      case "dyn":
        return [DYN, DYN];
      default: {
        const message = `${node.op} needs a list or a map, found ${formatType(range)}`;
        if (!this.#environment.lenient) this.#problem("type_mismatch", message, node.range);
        return [DYN, DYN];
      }
    }
  }

  #foldBody(node: FoldNode, element: CelType, key: CelType): CelType {
    if (node.filter !== undefined) this.#condition(node.filter, `the filter of ${node.op}`);
    switch (node.op) {
      case "all":
      case "exists":
      case "exists_one":
        this.#condition(node.body, `the condition of ${node.op}`);
        return BOOL;
      case "filter":
        this.#condition(node.body, "the condition of filter");
        return listOf(element);
      case "map":
      case "transformList":
        return listOf(this.check(node.body));
      case "transformMap":
        return mapOf(this.#key(key, node.range), this.check(node.body));
      case "transformMapEntry": {
        const body = this.#resolved(this.check(node.body));
        if (body.kind === "map") return body;
        if (body.kind !== "dyn") {
          this.#problem("type_mismatch", `transformMapEntry needs a map, found ${formatType(body)}`, node.body);
        }
        return mapOf(DYN, DYN);
      }
    }
  }

  #condition(node: Node, what: string): void {
    const type = this.check(node);
    if (this.substitution.assign([type], [BOOL]) || this.#environment.lenient) return;
    this.#problem("type_mismatch", `${what} must be a bool, found ${formatType(this.#resolved(type))}`, node);
  }

  #call(node: CallNode): CelType {
    const operator = OPERATORS.get(node.name);
    if (operator !== undefined && node.target === undefined) return this.#operator(node);
    if (node.target === undefined) {
      const entry = this.#environment.function(node.name);
      return this.#function(node, entry, node.args, false, false);
    }
    const qualifier = qualifiedName(node.target);
    if (qualifier !== undefined && this.#local(rootOf(qualifier)) === undefined) {
      const entry = this.#environment.function(`${qualifier}.${node.name}`);
      if (entry !== undefined) return this.#function(node, entry, node.args, false, true);
    }
    return this.#function(node, this.#environment.function(node.name), [node.target, ...node.args], true, false);
  }

  #operator(node: CallNode): CelType {
    const args = node.args.map((arg) => this.check(arg));
    const overloads = OPERATORS.get(node.name) ?? [];
    const found = resolveOverloads(this.substitution, overloads, args);
    const dynamic = found.matches.length !== 1 || this.#anyDyn(args);
    this.references.set(node, { kind: "operator", overload: dynamic ? undefined : found.matches[0]?.id });
    if (found.matches.length > 0) return found.result;
    if (this.#environment.lenient) return overloads.every((overload) => overload.result === BOOL) ? BOOL : DYN;
    const types = args.map((arg) => formatType(this.#resolved(arg))).join(", ");
    const symbol = operatorSymbol(node.name);
    return this.#problem("no_matching_overload", `no matching overload for '${symbol}' applied to (${types})`, node);
  }

  #function(
    node: CallNode,
    entry: FunctionEntry | undefined,
    nodes: readonly Node[],
    member: boolean,
    qualified: boolean,
  ): CelType {
    const args = nodes.map((arg) => this.check(arg));
    const all = (member ? entry?.member : entry?.global) ?? [];
    const name = entry?.name ?? node.name;
    const found = resolveOverloads(this.substitution, all, args);
    const some = found.matches.length > 0;
    if (some || this.#environment.lenient) {
      const overloads = some ? found.matches : all.filter((overload) => overload.params.length === args.length);
      const dynamic = !some || overloads.length > 1 || this.#anyDyn(args);
      this.references.set(
        node,
        overloads.length > 0
          ? { kind: "function", name, overloads, dynamic, qualified }
          : { kind: "failure", message: `unbound function '${name}'`, code: "unbound_function" },
      );
      return some ? found.result : DYN;
    }
    return this.#problem("no_matching_overload", this.#noOverload(node, entry, args, member), node);
  }

  #noOverload(node: CallNode, entry: FunctionEntry | undefined, args: readonly CelType[], member: boolean): string {
    if (entry !== undefined) {
      const types = args.map((arg) => this.#resolved(arg));
      return noOverloadMessage(entry, types, member);
    }
    const names = this.#environment.functionNames();
    const qualifier = node.target === undefined ? undefined : qualifiedName(node.target);
    const hint = qualifier === undefined ? "" : didYouMean(`${qualifier}.${node.name}`, names);
    return `undeclared function '${node.name}'${hint || didYouMean(node.name, names)}`;
  }

  #anyDyn(args: readonly CelType[]): boolean {
    return args.some((arg) => this.#resolved(arg).kind === "dyn");
  }
}

function rootOf(name: string): string {
  const dot = name.indexOf(".");
  return dot < 0 ? name : name.slice(0, dot);
}
