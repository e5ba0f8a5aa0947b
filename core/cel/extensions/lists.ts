import { charge } from "../budget.ts";
import type { Library, MacroDeclaration, Overload } from "../declarations.ts";
import { equals } from "../equality.ts";
import { addDurations } from "../pure/duration.ts";
import { checkedInt, checkedUint } from "../runtime/numbers.ts";
import { compare } from "../runtime/order.ts";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  optionalOf,
  paramOf,
  STRING,
  TIMESTAMP,
  UINT,
  type CelType,
} from "../types.ts";
import {
  boxDouble, CelError, celError, Duration, kindOf, numberOf, Optional, Uint, type Int, type ListValue, type Value,
} from "../values.ts"; // prettier-ignore
import { containsAll, indexOf, equivalent, intersects } from "./sets.ts";
import { declare, linearCost, method, overload, productCost, toNumber } from "./declare.ts";

const T = paramOf("T");
const LIST = listOf(T);
const COMPARABLE: readonly CelType[] = [INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES];
const SUMMABLE: readonly CelType[] = [INT, UINT, DOUBLE, DURATION];
/** Most elements that `lists.range` makes. */
const MAX_RANGE = 10_000;
/** Most elements that `flatten` makes. */
const MAX_FLAT = 65_536;

const NOT_COMPARABLE = celError("list elements must be comparable and of one type", "no_such_overload");

/** A universal value in the representation of a declared result. */
function rawOf(type: CelType, value: Value): Value {
  return type === DOUBLE || type === UINT ? (numberOf(value) ?? value) : value;
}

/** An overload of a method for lists of each of some types. */
function each(
  types: readonly CelType[],
  id: (kind: string) => string,
  result: (type: CelType) => CelType,
  call: (list: ListValue, type: CelType) => Value | CelError,
): Overload[] {
  return types.map((type) =>
    method(id(type.kind), [listOf(type)], result(type), (list: ListValue) => call(list, type)),
  );
}

function slice(list: ListValue, start: Int, end: Int): ListValue | CelError {
  if (start < 0 || end < 0)
    return celError(`cannot slice(${start}, ${end}), negative indexes not supported`, "index_out_of_range");
  if (start > end)
    return celError(
      `cannot slice(${start}, ${end}), start index must be less than or equal to end index`,
      "index_out_of_range",
    );
  if (end > list.length)
    return celError(`cannot slice(${start}, ${end}), list is length ${list.length}`, "index_out_of_range");
  charge(toNumber(end) - toNumber(start));
  return list.slice(toNumber(start), toNumber(end));
}

function flatten(list: ListValue, depth: Int = 1): ListValue | CelError {
  if (depth < 0) return celError("level must be non-negative");
  const out: Value[] = [];
  return flattenInto(out, list, Math.min(toNumber(depth), 64))
    ? out
    : celError(`flattened list has more than ${MAX_FLAT} elements`);
}

function flattenInto(out: Value[], list: ListValue, depth: number): boolean {
  charge(list.length);
  for (const item of list) {
    if (depth > 0 && Array.isArray(item)) {
      if (!flattenInto(out, item as ListValue, depth - 1)) return false;
    } else out.push(item);
    if (out.length > MAX_FLAT) return false;
  }
  return true;
}

function range(count: Int): ListValue | CelError {
  if (count > MAX_RANGE) return celError(`lists.range(${count}) has more than ${MAX_RANGE} elements`);
  charge(Math.max(0, toNumber(count)));
  return Array.from({ length: Math.max(0, toNumber(count)) }, (_, i) => i);
}

/** Without duplicates, the first of each kept. Scalars are found by their value, the rest is compared. */
function distinct(list: ListValue): ListValue {
  charge(list.length);
  const seen = new Set<unknown>();
  const others: Value[] = [];
  const out: Value[] = [];
  for (const item of list) {
    const key = scalarKey(item);
    if (key === undefined) {
      charge(others.length);
      if (others.some((other) => equals(other, item))) continue;
      others.push(item);
    } else {
      if (seen.has(key)) continue;
      seen.add(key);
    }
    out.push(item);
  }
  return out;
}

/** What tells a string, bool, null or small number from all others; numbers of all types by their value. */
function scalarKey(value: Value): unknown {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  const number = numberOf(value);
  return typeof number === "number" && Number.isSafeInteger(number) ? number + 0 : undefined;
}

/** Sorts by keys that must be comparable and of one type; equal keys keep their order. */
function sortByKeys(list: ListValue, keys: ListValue): ListValue | CelError {
  if (list.length !== keys.length) return celError("sortBy: as many keys as elements are needed");
  const kind = kindOf(keys[0] ?? null);
  for (const key of keys) {
    const order = compare(key, key);
    if (kindOf(key) !== kind || order === undefined) return NOT_COMPARABLE;
    if (Number.isNaN(order)) return celError("NaN has no place in an order");
  }
  charge(Math.ceil(list.length * Math.log2(list.length + 2)));
  const order = keys.map((_, i) => i);
  order.sort((a, b) => compare(keys[a] ?? null, keys[b] ?? null) ?? 0);
  return order.map((i) => list[i] ?? null);
}

function isSorted(list: ListValue): boolean | CelError {
  charge(list.length);
  for (let i = 1; i < list.length; i++) {
    const order = compare(list[i - 1] ?? null, list[i] ?? null);
    if (order === undefined) return NOT_COMPARABLE;
    if (!(order <= 0)) return false;
  }
  return true;
}

/** The least (sign 1) or greatest (sign -1) element. */
function extreme(name: string, sign: 1 | -1): (list: ListValue, type: CelType) => Value | CelError {
  return (list, type) => {
    charge(list.length);
    let best = list[0];
    if (best === undefined) return celError(`${name} called on empty list`);
    for (const item of list) {
      const order = compare(best, item);
      if (order === undefined) return NOT_COMPARABLE;
      if (order * sign > 0) best = item;
    }
    return rawOf(type, best);
  };
}

function sum(list: ListValue, type: CelType): Value | CelError {
  charge(list.length);
  const first = list[0];
  const kind = first === undefined ? type.kind : kindOf(first);
  if (kind === "duration") return sumDurations(list);
  if (kind === "double") {
    let total = 0;
    for (const item of list) {
      if (kindOf(item) !== "double") return NOT_SUMMABLE;
      total += Number(numberOf(item));
    }
    return type === DOUBLE ? total : boxDouble(total);
  }
  if (kind !== "int" && kind !== "uint") return NOT_SUMMABLE;
  let total = 0n;
  for (const item of list) {
    const value = numberOf(item);
    if (kindOf(item) !== kind || value === undefined) return NOT_SUMMABLE;
    total += BigInt(value);
    if (total >= 2n ** 64n || total < -(2n ** 63n)) return new CelError("overflow", "integer overflow");
  }
  if (kind === "int") return checkedInt(total);
  const checked = checkedUint(total);
  return checked instanceof CelError || type === UINT ? checked : new Uint(checked);
}

const NOT_SUMMABLE = celError("sum: elements must be numbers or durations of one type", "no_such_overload");

function sumDurations(list: ListValue): Duration | CelError {
  let total = new Duration(0, 0);
  for (const item of list) {
    if (!(item instanceof Duration)) return NOT_SUMMABLE;
    const next = addDurations(total, item);
    if (!next.ok) return new CelError("range", next.message);
    total = new Duration(next.value.seconds, next.value.nanos);
  }
  return total;
}

function lastIndexOf(list: ListValue, value: Value): number {
  charge(list.length);
  return list.findLastIndex((item) => equals(item, value));
}

function optional(value: Value | undefined): Optional {
  return value === undefined ? Optional.none : new Optional(value);
}

const SORT_BY: MacroDeclaration = {
  name: "sortBy",
  member: true,
  arity: 2,
  signature: "list.sortBy(x, key)",
  doc: "The elements in the order of what becomes of each; keys are of one comparable type, and equal keys keep their order.",
  examples: [{ expression: "['ccc', 'a', 'bb'].sortBy(x, size(x))", result: "['a', 'bb', 'ccc']" }],
  expand: (builder, target, [name, key]) => {
    if (target === undefined || name === undefined || key === undefined) return undefined;
    const variable = builder.variable(name);
    if (variable === undefined) return builder.error("expected a simple variable name", name);
    const keys = builder.fold("map", builder.ident("@sorted"), [variable], key);
    return builder.bind("@sorted", target, builder.call("@sortByKeys", [builder.ident("@sorted"), keys]));
  },
};

/** cel-go's `lists` library, and Kubernetes'. */
export const LISTS: Library = {
  name: "lists",
  doc: "Lists.",
  macros: [SORT_BY],
  functions: [
    declare(
      "slice",
      "The elements from a start up to, not including, an end.",
      [method("list_slice", [LIST, INT, INT], LIST, slice)],
      ["[1, 2, 3, 4].slice(1, 3)", "[2, 3]"],
    ),
    declare(
      "flatten",
      "The list with the lists in it replaced by their elements, one level deep or as many as are given.",
      [
        method("list_flatten", [listOf(listOf(T))], LIST, flatten, { cost: linearCost(() => MAX_FLAT) }),
        method("list_flatten_int", [listOf(DYN), INT], listOf(DYN), flatten, { cost: linearCost(() => MAX_FLAT) }),
      ],
      ["[[1, 2], [], [3]].flatten()", "[1, 2, 3]"],
      ["[1, [2, [3]]].flatten(2)", "[1, 2, 3]"],
    ),
    declare(
      "lists.range",
      "The ints from 0 up to, not including, a count.",
      [
        overload("lists_range", [INT], listOf(INT), range, {
          cost: ({ constants: [count] }) => {
            const most = typeof count === "number" ? Math.min(Math.max(count, 0), MAX_RANGE) : MAX_RANGE;
            return { cost: { min: 1, max: 1 + most }, size: { min: 0, max: most } };
          },
        }),
      ],
      ["lists.range(3)", "[0, 1, 2]"],
    ),
    declare(
      "distinct",
      "The list without elements that equal an earlier one.",
      [
        method("list_distinct", [LIST], LIST, distinct, {
          total: true,
          cost: ({ sizes: [list] }) => ({
            cost: { min: 1, max: 1 + (list?.max ?? 0) ** 2 },
            size: { min: 0, max: list?.max ?? 0 },
          }),
        }),
      ],
      ["[1, 2, 2, 1, 3].distinct()", "[1, 2, 3]"],
    ),
    declare(
      "reverse",
      "The elements in the opposite order.",
      [method("list_reverse", [LIST], LIST, reverse, { total: true })],
      ["[1, 2, 3].reverse()", "[3, 2, 1]"],
    ),
    declare(
      "sort",
      "The elements in ascending order; they must be comparable and of one type.",
      COMPARABLE.map((type) =>
        method(`list_${type.kind}_sort`, [listOf(type)], listOf(type), (list: ListValue) => sortByKeys(list, list), {
          cost: sortCost,
        }),
      ),
      ["[3, 1, 2].sort()", "[1, 2, 3]"],
    ),
    {
      name: "@sortByKeys",
      doc: "What sortBy becomes.",
      overloads: COMPARABLE.map((type) =>
        overload(`list_${type.kind}_sort_by_keys`, [LIST, listOf(type)], LIST, sortByKeys, { cost: sortCost }),
      ),
      examples: [],
    },
    declare(
      "first",
      "The first element, if there is one.",
      [method("list_first", [LIST], optionalOf(T), (list: ListValue) => optional(list[0]), { total: true })],
      ["[1, 2].first().value()", "1"],
    ),
    declare(
      "last",
      "The last element, if there is one.",
      [method("list_last", [LIST], optionalOf(T), (list: ListValue) => optional(list.at(-1)), { total: true })],
      ["[1, 2].last().value()", "2"],
    ),
    declare(
      "isSorted",
      "Whether the elements stand in ascending order.",
      each(
        COMPARABLE,
        (kind) => `list_${kind}_is_sorted_bool`,
        () => BOOL,
        isSorted,
      ),
      ["[1, 2, 2].isSorted()", "true"],
    ),
    declare(
      "sum",
      "The sum of numbers or durations; 0 of none.",
      each(
        SUMMABLE,
        (kind) => `list_${kind}_sum_${kind}`,
        (type) => type,
        sum,
      ),
      ["[1, 3].sum()", "4"],
      ["[1.5, 3.0].sum()", "4.5"],
    ),
    declare(
      "min",
      "The least element; an error of an empty list.",
      each(
        COMPARABLE,
        (kind) => `list_${kind}_min_${kind}`,
        (type) => type,
        extreme("min", 1),
      ),
      ["[3, 1, 2].min()", "1"],
    ),
    declare(
      "max",
      "The greatest element; an error of an empty list.",
      each(
        COMPARABLE,
        (kind) => `list_${kind}_max_${kind}`,
        (type) => type,
        extreme("max", -1),
      ),
      ["[3, 1, 2].max()", "3"],
    ),
    declare(
      "indexOf",
      "The first index of a value in a list, -1 where it is not in it.",
      [method("list_a_index_of_int", [LIST, T], INT, indexOf, { total: true })],
      ["['a', 'b', 'b'].indexOf('b')", "1"],
    ),
    declare(
      "lastIndexOf",
      "The last index of a value in a list, -1 where it is not in it.",
      [method("list_a_last_index_of_int", [LIST, T], INT, lastIndexOf, { total: true })],
      ["['a', 'b', 'b'].lastIndexOf('b')", "2"],
    ),
    declare(
      "includes",
      "Whether a list has a value in it, or another value equals it.",
      [
        method(
          "list_includes_dyn_dyn",
          [DYN, DYN],
          BOOL,
          (self: Value, value: Value) =>
            Array.isArray(self) ? indexOf(self as ListValue, value) >= 0 : equals(self, value),
          { total: true },
        ),
      ],
      ["[1, 2].includes(2)", "true"],
      ["'a'.includes('a')", "true"],
    ),
    declare(
      "hasOnly",
      "Whether every element is in the other list.",
      [
        method("list_hasOnly_list", [LIST, LIST], BOOL, (a: ListValue, b: ListValue) => containsAll(b, a), {
          total: true,
          cost: productCost(1),
        }),
      ],
      ["[1, 1, 2].hasOnly([1, 2, 3])", "true"],
    ),
    declare(
      "hasAny",
      "Whether an element is in the other list.",
      [method("list_hasAny_list", [LIST, LIST], BOOL, intersects, { total: true, cost: productCost(1) })],
      ["[1, 2, 3].hasAny([3, 4])", "true"],
    ),
    declare(
      "hasAll",
      "Whether every element of the other list is in this one.",
      [method("list_hasAll_list", [LIST, LIST], BOOL, containsAll, { total: true, cost: productCost(1) })],
      ["[1, 2, 3].hasAll([1, 3])", "true"],
    ),
    declare(
      "hasExactly",
      "Whether the lists have the same elements, however often.",
      [method("list_hasExactly_list", [LIST, LIST], BOOL, equivalent, { total: true, cost: productCost(2) })],
      ["[1].hasExactly([1, 1])", "true"],
    ),
  ],
};

function sortCost({ sizes: [list] }: { readonly sizes: readonly { readonly max: number }[] }): {
  cost: { min: number; max: number };
  size: { min: number; max: number };
} {
  const most = list?.max ?? 0;
  return { cost: { min: 1, max: 1 + most * Math.log2(most + 2) }, size: { min: 0, max: most } };
}

function reverse(list: ListValue): ListValue {
  charge(list.length);
  return list.toReversed();
}
