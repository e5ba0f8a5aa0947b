/** Operators on universal values, for where static types leave the choice to run time. */
import { charge, chargeText } from "../budget.ts";
import { equals, listContains } from "../equality.ts";
import { isMap, keyOf, mapGet, mapKeys } from "../maps.ts";
import { typeNameOf } from "../type-names.ts";
import {
  boxDouble, CelError, Double, Duration, kindOf, Optional, Timestamp, Uint,
  type Int, type Kind, type ListValue, type MapValue, type Value,
} from "../values.ts"; // prettier-ignore
import * as numbers from "./numbers.ts";
import { compare } from "./order.ts";
import * as time from "./time.ts";

/** No overload of an operator or a function takes these values. */
export function noOverload(name: string, ...args: readonly Value[]): CelError {
  const types = args.map((arg) => (kindOf(arg) === undefined ? "a foreign value" : typeNameOf(arg)));
  return new CelError("no_such_overload", `no such overload: '${name}' applied to (${types.join(", ")})`);
}

type RawInt = (a: Int, b: Int) => Int | CelError;

function arithmetic(
  name: string,
  onInts: RawInt,
  onUints: RawInt,
  onDoubles: ((a: number, b: number) => number) | undefined,
  others: (a: Value, b: Value) => Value | CelError | undefined,
): (a: Value, b: Value) => Value | CelError {
  return (a, b) => {
    const kind = kindOf(a);
    if (kind !== kindOf(b) || kind === undefined) return others(a, b) ?? noOverload(name, a, b);
    if (kind === "int") return onInts(a as Int, b as Int);
    if (a instanceof Uint && b instanceof Uint) {
      const result = onUints(a.value, b.value);
      return result instanceof CelError ? result : new Uint(result);
    }
    if (kind === "double" && onDoubles !== undefined) return boxDouble(onDoubles(bare(a), bare(b)));
    return others(a, b) ?? noOverload(name, a, b);
  };
}

function bare(value: Value): number {
  return value instanceof Double ? value.value : (value as number);
}

export const add: (a: Value, b: Value) => Value | CelError = arithmetic(
  "+",
  numbers.addInt,
  numbers.addUint,
  (a, b) => a + b,
  (a, b) => {
    if (typeof a === "string" && typeof b === "string") return concat(a, b);
    if (Array.isArray(a) && Array.isArray(b)) return concatLists(a as ListValue, b as ListValue);
    if (a instanceof Uint8Array && b instanceof Uint8Array) return concatBytes(a, b);
    if (a instanceof Timestamp && b instanceof Duration) return time.addTimestampDuration(a, b);
    if (a instanceof Duration && b instanceof Timestamp) return time.addTimestampDuration(b, a);
    if (a instanceof Duration && b instanceof Duration) return time.addDurations(a, b);
    return undefined;
  },
);

export const subtract: (a: Value, b: Value) => Value | CelError = arithmetic(
  "-",
  numbers.subtractInt,
  numbers.subtractUint,
  (a, b) => a - b,
  (a, b) => {
    if (a instanceof Timestamp && b instanceof Timestamp) return time.subtractTimestamps(a, b);
    if (a instanceof Timestamp && b instanceof Duration) return time.subtractTimestampDuration(a, b);
    if (a instanceof Duration && b instanceof Duration) return time.subtractDurations(a, b);
    return undefined;
  },
);

const none = (): undefined => undefined;

export const multiply: (a: Value, b: Value) => Value | CelError = arithmetic(
  "*",
  numbers.multiplyInt,
  numbers.multiplyUint,
  (a, b) => a * b,
  none,
);

export const divide: (a: Value, b: Value) => Value | CelError = arithmetic(
  "/",
  numbers.divideInt,
  numbers.divideUint,
  (a, b) => a / b,
  none,
);

export const modulo: (a: Value, b: Value) => Value | CelError = arithmetic(
  "%",
  numbers.moduloInt,
  numbers.moduloInt,
  undefined,
  none,
);

export function negate(a: Value): Value | CelError {
  const kind = kindOf(a);
  if (kind === "int") return numbers.negateInt(a as Int);
  return kind === "double" ? boxDouble(-bare(a)) : noOverload("-", a);
}

export function not(a: Value): boolean | CelError {
  return typeof a === "boolean" ? !a : noOverload("!", a);
}

export function less(a: Value, b: Value): boolean | CelError {
  const order = compare(a, b);
  return order === undefined ? noOverload("<", a, b) : order < 0;
}

export function lessEquals(a: Value, b: Value): boolean | CelError {
  const order = compare(a, b);
  return order === undefined ? noOverload("<=", a, b) : order <= 0;
}

export function greater(a: Value, b: Value): boolean | CelError {
  const order = compare(a, b);
  return order === undefined ? noOverload(">", a, b) : order > 0;
}

export function greaterEquals(a: Value, b: Value): boolean | CelError {
  const order = compare(a, b);
  return order === undefined ? noOverload(">=", a, b) : order >= 0;
}

export function concat(a: string, b: string): string {
  chargeText(a.length + b.length);
  return a + b;
}

export function concatBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  chargeText(a.length + b.length);
  const result = new Uint8Array(a.length + b.length);
  result.set(a);
  result.set(b, a.length);
  return result;
}

export function concatLists(a: ListValue, b: ListValue): ListValue {
  charge((a.length + b.length) >>> 3);
  return [...a, ...b];
}

export function isIn(value: Value, container: Value): boolean | CelError {
  if (Array.isArray(container)) return listContains(container as ListValue, value);
  if (isMap(container)) return mapHas(container, value);
  return noOverload("in", value, container);
}

export function mapHas(map: MapValue, key: Value): boolean {
  return mapGet(map, key) !== undefined;
}

/** `container[index]`; through an optional it yields an optional. */
export function index(container: Value, at: Value): Value | CelError {
  if (container instanceof Optional) return optionalIndex(container, at);
  const found = lookUp(container, at);
  return found === undefined ? missing(container, at) : found;
}

function missing(container: Value, at: Value): CelError {
  return Array.isArray(container) ? outOfRange(at) : noSuchKey(at);
}

/** `container[?index]`. */
export function optionalIndex(container: Value, at: Value): Value | CelError {
  const inner = container instanceof Optional ? container.value : container;
  if (inner === undefined) return Optional.none;
  const found = lookUp(inner, at);
  if (found instanceof CelError) return found;
  return found === undefined ? Optional.none : new Optional(found);
}

function lookUp(container: Value, at: Value): Value | CelError | undefined {
  if (Array.isArray(container)) {
    // A double or uint that is a whole number is an index too.
    const key = keyOf(at);
    if (typeof key !== "number" && typeof key !== "bigint") return noOverload("[]", container, at);
    if (!Number.isInteger(Number(key))) return new CelError("invalid_argument", "list index is not an integer");
    return (container as ListValue)[Number(key)];
  }
  if (!isMap(container)) return noOverload("[]", container, at);
  const key = keyOf(at);
  return key === undefined
    ? new CelError("unsupported_key", `unsupported key type: ${typeNameOf(at)}`)
    : mapGet(container, at);
}

export function outOfRange(at: Value): CelError {
  return new CelError("index_out_of_range", `index out of range: ${String(keyOf(at))}`);
}

export function noSuchKey(key: Value): CelError {
  const plain = keyOf(key);
  const text = typeof plain === "string" ? JSON.stringify(plain.slice(0, 100)) : String(plain);
  return new CelError("no_such_key", `no such key: ${text}`);
}

function member(operand: Value, key: string): Value | CelError | undefined {
  return isMap(operand) ? mapGet(operand, key) : noOverload(`.${key}`, operand);
}

/** `operand.key`; through an optional it yields an optional. */
export function select(operand: Value, key: string): Value | CelError {
  if (operand instanceof Optional) return selectOptional(operand, key);
  const found = member(operand, key);
  return found === undefined ? noSuchKey(key) : found;
}

/** `operand.?key`. */
export function selectOptional(operand: Value, key: string): Value | CelError {
  const inner = operand instanceof Optional ? operand.value : operand;
  if (inner === undefined) return Optional.none;
  const found = member(inner, key);
  if (found instanceof CelError) return found;
  return found === undefined ? Optional.none : new Optional(found);
}

/** `has(operand.key)`. */
export function has(operand: Value, key: string): boolean | CelError {
  const inner = operand instanceof Optional ? operand.value : operand;
  if (inner === undefined) return false;
  const found = member(inner, key);
  return found instanceof CelError ? found : found !== undefined;
}

/** What a macro with one variable runs over: a list's elements, a map's keys. */
export function range(value: Value): ListValue | CelError {
  if (Array.isArray(value)) return value as ListValue;
  return isMap(value) ? mapKeys(value) : new CelError("no_such_overload", `cannot iterate over ${typeNameOf(value)}`);
}

/** For a macro with two variables: indices and elements, or keys and values. */
export function entries(value: Value): readonly [ListValue, ListValue] | CelError {
  if (Array.isArray(value)) {
    const list = value as ListValue;
    charge(list.length >>> 3);
    return [list.map((_, i) => i), list];
  }
  if (!isMap(value)) return new CelError("no_such_overload", `cannot iterate over ${typeNameOf(value)}`);
  const keys = mapKeys(value);
  return [keys, keys.map((key) => mapGet(value, key) ?? null)];
}

export { equals };
export type { Kind };
