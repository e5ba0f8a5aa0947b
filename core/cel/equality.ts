import { charge } from "./budget.ts";
import { sameText } from "./runtime/text.ts";
import { isMap, mapGet, mapKeys, mapSize } from "./maps.ts";
import {
  Boxed, Duration, numberOf, Opaque, Optional, Timestamp, TypeValue, type ListValue, type MapValue, type Value,
} from "./values.ts"; // prettier-ignore

/**
 * Whether two universal values are equal: numbers by value whatever their types (an int and a double as
 * doubles, as the specification's tests want it), values of different types never, NaN not even to itself.
 */
export function equals(a: Value, b: Value): boolean {
  // Not for objects: a list that holds NaN does not even equal itself.
  if (typeof a === "string") return typeof b === "string" && sameText(a, b);
  if (typeof a === "boolean" || a === null) return a === b;
  if (typeof b === "string" || typeof b === "boolean" || b === null) return false;
  const x = numberOf(a);
  if (x !== undefined) {
    const y = numberOf(b);
    // Of a number and a bigint, both as doubles, as ordering does it.
    return y !== undefined && (typeof x === typeof y ? x === y : Number(x) === Number(y));
  }
  if (typeof a !== "object" || typeof b !== "object") return false;
  charge(8);
  if (a instanceof Boxed) return boxedEquals(a, b);
  if (Array.isArray(a)) return Array.isArray(b) && listsEqual(a as ListValue, b as ListValue);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && bytesEqual(a, b);
  return isMap(a) && isMap(b) && mapsEqual(a, b);
}

function boxedEquals(a: Boxed, b: object): boolean {
  if (a instanceof Timestamp) return b instanceof Timestamp && a.seconds === b.seconds && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.seconds === b.seconds && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Opaque) return b instanceof Opaque && a.typeName === b.typeName && a.equals(b);
  if (a instanceof Optional && b instanceof Optional) {
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equals(a.value, b.value);
  }
  return false;
}

function listsEqual(a: ListValue, b: ListValue): boolean {
  if (a.length !== b.length) return false;
  charge(a.length);
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (x === undefined || y === undefined || !equals(x, y)) return false;
  }
  return true;
}

function mapsEqual(a: MapValue, b: MapValue): boolean {
  const size = mapSize(a);
  if (size !== mapSize(b)) return false;
  charge(size);
  for (const key of mapKeys(a)) {
    const x = mapGet(a, key);
    const y = mapGet(b, key);
    if (x === undefined || y === undefined || !equals(x, y)) return false;
  }
  return true;
}

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether a list has an element that equals the value. */
export function listContains(list: ListValue, value: Value): boolean {
  charge(list.length);
  for (const element of list) if (equals(element, value)) return true;
  return false;
}
