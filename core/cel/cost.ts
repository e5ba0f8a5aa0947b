import type { CostEstimate, Range } from "./declarations.ts";
import type { Schema } from "./program.ts";
import { codePoints, SHORT_TEXT } from "./runtime/text.ts";
import type { FoldNode, FunctionNode, OperatorNode, Slot, TypedNode } from "./typed.ts";
import { DYN, type CelType } from "./types.ts";
import type { Value } from "./values.ts";

/**
 * Steps for each character, byte or item that an operation goes through: twice what `chargeText` takes for a UTF-16
 * unit, since a character may be two of them.
 */
export const TRAVERSAL = 0.125;
const DEFAULT_ITEMS = 1_000;
const DEFAULT_LENGTH = 65_536;

/** Steps of an operator whose operands' types are known only when it is evaluated. */
export const DYNAMIC_OPERATOR_STEPS = 5;
/** Steps of looking at what kind of composite values are compared, see equality.ts. */
const COMPOSITE = 8;
/** Steps of taking an element into a new list or map. */
export const COLLECT_STEPS = 8;

const COMPARISONS: ReadonlySet<string> = new Set(["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"]);

const ONE: Range = { min: 1, max: 1 };
const ZERO: Range = { min: 0, max: 0 };

interface Estimate {
  readonly cost: Range;
  /** Code points, bytes or items of the value; 1 for scalars. */
  readonly size: Range;
}

/** What an expression may cost, and the loop that costs most of it. */
export interface ExpressionCost {
  readonly cost: Range;
  readonly dearest: FoldNode | undefined;
}

/** The least and the most steps that evaluating can take, from the sizes that the schema declares. */
export function estimateCost(node: TypedNode, schema: Schema): ExpressionCost {
  const estimator = new Estimator(
    schema.unknownSize?.items ?? DEFAULT_ITEMS,
    schema.unknownSize?.length ?? DEFAULT_LENGTH,
  );
  const { cost } = estimator.node(node);
  return { cost: { min: Math.floor(cost.min), max: Math.ceil(cost.max) }, dearest: estimator.dearest };
}

function add(...ranges: readonly Range[]): Range {
  let [min, max] = [0, 0];
  for (const range of ranges) {
    min += range.min;
    max += range.max;
  }
  return { min: capped(min), max: capped(max) };
}

/** No cost is infinite or no number: nothing times infinity would be, and no limit is below what is no number. */
function capped(steps: number): number {
  return steps < Number.MAX_SAFE_INTEGER ? steps : Number.MAX_SAFE_INTEGER;
}

function scale(range: Range, factor: number): Range {
  return { min: range.min * factor, max: range.max * factor };
}

class Estimator {
  dearest: FoldNode | undefined;
  #dearestCost = 0;
  readonly #items: number;
  readonly #length: number;
  readonly #slots: Map<Slot, Range> = new Map();

  constructor(items: number, length: number) {
    this.#items = items;
    this.#length = length;
  }

  node(node: TypedNode): Estimate {
    switch (node.kind) {
      case "const":
        return { cost: ZERO, size: sizeOf(node.value) };
      case "variable":
        return { cost: ONE, size: this.#typeSize(node.type) };
      case "local":
        return { cost: ONE, size: this.#slots.get(node.slot) ?? this.#typeSize(node.type) };
      case "failure":
        return { cost: ONE, size: ONE };
      case "field":
      case "member":
        return { cost: add(this.node(node.operand).cost, ONE), size: this.#typeSize(node.type) };
      case "operator":
        return this.#operator(node);
      case "function":
        return this.#function(node);
      case "list": {
        const costs = node.elements.map((element) => this.node(element).cost);
        const count = node.elements.length;
        return { cost: add(ONE, ...costs), size: { min: count - node.optional.length, max: count } };
      }
      case "map": {
        const costs = node.entries.flatMap(({ key, value }) => [this.node(key).cost, this.node(value).cost]);
        const optional = node.entries.filter((entry) => entry.optional).length;
        return { cost: add(ONE, ...costs), size: { min: node.entries.length - optional, max: node.entries.length } };
      }
      case "fold":
        return this.#fold(node);
      case "bind": {
        const value = this.node(node.value);
        this.#slots.set(node.slot, value.size);
        const body = this.node(node.body);
        return { cost: add({ min: 0, max: 1 + value.cost.max }, body.cost), size: body.size };
      }
    }
  }

  #typeSize(type: CelType): Range {
    switch (type.kind) {
      case "string":
      case "bytes":
        return { min: 0, max: type.maxLength ?? this.#length };
      case "list":
      case "map":
        return { min: 0, max: type.maxItems ?? this.#items };
      case "optional":
        return this.#typeSize(type.value);
      case "dyn":
      case "param":
        return { min: 0, max: Math.max(this.#items, this.#length) };
      default:
        return ONE;
    }
  }

  #operator(node: OperatorNode): Estimate {
    const [a, b, c] = node.args.map((arg) => this.node(arg));
    if (a === undefined) return { cost: ONE, size: ONE };
    const own = node.overload === undefined ? scale(ONE, DYNAMIC_OPERATOR_STEPS) : ONE;
    const both = add(a.cost, b?.cost ?? ZERO, own);
    switch (node.name) {
      case "_&&_":
      case "_||_":
        return { cost: { min: Math.min(a.cost.min, b?.cost.min ?? 0), max: both.max }, size: ONE };
      case "_?_:_": {
        const [x, y] = [b ?? a, c ?? a];
        const branch = { min: Math.min(x.cost.min, y.cost.min), max: Math.max(x.cost.max, y.cost.max) };
        const size = { min: Math.min(x.size.min, y.size.min), max: Math.max(x.size.max, y.size.max) };
        return { cost: add(a.cost, branch, own), size };
      }
      case "@in": {
        const list = node.args[1]?.type;
        const most = list?.kind === "map" ? 0 : (b?.size.max ?? 0);
        const each = 1 + this.#comparison(list?.kind === "list" ? list.element : DYN, a.size.max);
        return { cost: add(both, { min: 0, max: most * each }), size: ONE };
      }
      case "_+_": {
        const size = add(a.size, b?.size ?? ZERO);
        return isSized(node.type) ? { cost: add(both, scale(size, TRAVERSAL)), size } : { cost: both, size: ONE };
      }
      case "_[_]":
      case "_[?_]":
        return { cost: both, size: this.#typeSize(node.type) };
      default: {
        if (!COMPARISONS.has(node.name)) return { cost: both, size: ONE };
        // It ends at the end of the shorter one, and a dyn is compared as what the other one is.
        const shorter = Math.min(a.size.max, b?.size.max ?? a.size.max);
        const [left, right] = node.args.map((arg) => arg.type);
        const type = left?.kind === "dyn" ? right : left;
        return { cost: add(both, { min: 0, max: this.#comparison(type ?? DYN, shorter) }), size: ONE };
      }
    }
  }

  /** Steps of comparing two values of a type, of which the smaller has that size. */
  #comparison(type: CelType, size: number): number {
    switch (type.kind) {
      case "string":
      case "bytes":
        return size > SHORT_TEXT / 2 ? 1 + size * TRAVERSAL : 0;
      case "list":
        return COMPOSITE + size * (1 + this.#comparison(type.element, this.#typeSize(type.element).max));
      case "map":
        return COMPOSITE + size * (4 + this.#comparison(type.value, this.#typeSize(type.value).max));
      case "optional":
        return COMPOSITE + this.#comparison(type.value, size);
      case "dyn":
        return COMPOSITE + 4 * size;
      default:
        return isScalar(type) ? 0 : COMPOSITE;
    }
  }

  #function(node: FunctionNode): Estimate {
    const args = node.args.map((arg) => this.node(arg));
    const sizes = args.map((arg) => arg.size);
    const constants = node.args.map((arg) => (arg.kind === "const" ? arg.value : undefined));
    const own = node.overloads.map((overload) => overload.cost?.({ sizes, constants }) ?? defaultCost(sizes));
    const cost = {
      min: Math.min(...own.map((estimate) => estimate.cost.min), Number.MAX_SAFE_INTEGER),
      max: Math.max(...own.map((estimate) => estimate.cost.max), 1),
    };
    const declared = own.length === 1 ? own[0]?.size : undefined;
    const size = isSized(node.type) ? (declared ?? add(...sizes)) : ONE;
    return { cost: add(cost, ...args.map((arg) => arg.cost)), size };
  }

  #fold(node: FoldNode): Estimate {
    const range = this.node(node.range);
    const filter = node.filter === undefined ? ZERO : this.node(node.filter).cost;
    const { cost: body, size: made } = this.node(node.body);
    // Keys are gathered before the loop, and those of each entry that transformMapEntry makes.
    const gathered = node.range.type.kind === "list" ? 0 : range.size.max;
    const entries = node.op === "transformMapEntry" ? made.max : 0;
    const collect = node.op === "all" || node.op === "exists" || node.op === "exists_one" ? 0 : COLLECT_STEPS;
    const turn = {
      min: 1 + filter.min + (node.filter === undefined ? body.min + collect : 0),
      max: 1 + filter.max + body.max + collect + entries,
    };
    const early = node.op === "all" || node.op === "exists";
    const least = early ? Math.min(1, range.size.min) * turn.min : range.size.min * turn.min;
    const cost = add(range.cost, { min: least, max: 1 + gathered + range.size.max * turn.max });
    if (cost.max >= this.#dearestCost) [this.dearest, this.#dearestCost] = [node, cost.max];
    const some = node.op === "filter" || node.filter !== undefined;
    return { cost, size: early ? ONE : { min: some ? 0 : range.size.min, max: range.size.max } };
  }
}

function isScalar(type: CelType): boolean {
  return ["bool", "int", "uint", "double", "null"].includes(type.kind);
}

function isSized(type: CelType): boolean {
  return ["string", "bytes", "list", "map", "dyn", "optional"].includes(type.kind);
}

function defaultCost(sizes: readonly Range[]): CostEstimate {
  return { cost: add(ONE, scale(add(...sizes), TRAVERSAL)), size: add(...sizes) };
}

function sizeOf(value: Value): Range {
  let size = 1;
  if (typeof value === "string") size = codePoints(value);
  else if (value instanceof Uint8Array || Array.isArray(value)) size = (value as { readonly length: number }).length;
  else if (value instanceof Map) size = value.size;
  return { min: size, max: size };
}
