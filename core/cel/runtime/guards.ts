import { isMap } from "../maps.ts";
import { typeNameOf } from "../type-names.ts";
import { formatType, type CelType } from "../types.ts";
import {
  boxDouble, Double, Duration, kindOf, Opaque, Optional, Timestamp, TypeValue, Uint, UintKeyMap,
  type Int, type Key, type ListValue, type MapValue, type Value,
} from "../values.ts"; // prettier-ignore

/**
 * Values come from outside, and what comes may not be what the schema says. Every place where compiled
 * code relies on a type passes one of these. What does not fit ends the evaluation: it is thrown, so no
 * `||` absorbs it.
 */
export class GuardError {
  readonly message: string;
  readonly offset: number;
  constructor(expected: string, actual: unknown, offset: number) {
    this.message = `expected ${expected}, found ${describe(actual)}`;
    this.offset = offset;
  }
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  return kindOf(value) === undefined ? "a value that is none of the language" : typeNameOf(value as Value);
}

function bad(expected: string, actual: unknown, offset: number): never {
  // eslint-disable-next-line typescript/only-throw-error -- no stack is wanted: this is an outcome, not a fault
  throw new GuardError(expected, actual, offset);
}

export function str(value: unknown, offset: number): string {
  return typeof value === "string" ? value : bad("string", value, offset);
}

export function bool(value: unknown, offset: number): boolean {
  return typeof value === "boolean" ? value : bad("bool", value, offset);
}

export function int(value: unknown, offset: number): Int {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  return typeof value === "bigint" ? wideInt(value, offset) : bad("int", value, offset);
}

function wideInt(value: bigint, offset: number): Int {
  if (value > 9007199254740991n || value < -9007199254740991n) {
    return BigInt.asIntN(64, value) === value ? value : bad("int", Number(value), offset);
  }
  return Number(value);
}

export function uint(value: unknown, offset: number): Int {
  if (value instanceof Uint) return value.value;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) return bad("uint", value, offset);
  return value > 9007199254740991n ? value : Number(value);
}

export function dbl(value: unknown, offset: number): number {
  if (typeof value === "number") return value;
  return value instanceof Double ? value.value : bad("double", value, offset);
}

export function lst(value: unknown, offset: number): ListValue {
  return Array.isArray(value) ? (value as ListValue) : bad("list", value, offset);
}

export function map(value: unknown, offset: number): MapValue {
  return isMap(value) ? value : bad("map", value, offset);
}

/** A record: any object that is no list and no value of ours; its fields may be getters. */
export function rec(value: unknown, offset: number): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  return bad("record", value, offset);
}

export function bytes(value: unknown, offset: number): Uint8Array {
  return value instanceof Uint8Array ? value : bad("bytes", value, offset);
}

export function timestamp(value: unknown, offset: number): Timestamp {
  return value instanceof Timestamp ? value : bad("timestamp", value, offset);
}

export function duration(value: unknown, offset: number): Duration {
  return value instanceof Duration ? value : bad("duration", value, offset);
}

export function optional(value: unknown, offset: number): Optional {
  return value instanceof Optional ? value : bad("optional", value, offset);
}

export function typeValue(value: unknown, offset: number): TypeValue {
  return value instanceof TypeValue ? value : bad("type", value, offset);
}

export function opaque(value: unknown, name: string, offset: number): Opaque {
  return value instanceof Opaque && value.typeName === name ? value : bad(name, value, offset);
}

/** For dyn: anything but nothing. What is no value of the language is refused where it is used. */
export function any(value: unknown, offset: number): Value {
  return value === undefined ? bad("a value", value, offset) : (value as Value);
}

/** Of a type whose values may be null where the type does not say so. */
export function nul(value: unknown, offset: number): null {
  return value === null ? value : bad("null", value, offset);
}

/**
 * A value of the outside in the universal representation, for containers of doubles or uints: there a
 * bare 2 is a double or a uint by the declared type, which `dyn` would not see.
 */
export function adapt(value: unknown, type: CelType, offset: number): Value {
  switch (type.kind) {
    case "double":
      return boxDouble(dbl(value, offset));
    case "uint":
      return new Uint(uint(value, offset));
    case "list":
      return lst(value, offset).map((element) => adapt(element, type.element, offset));
    case "map":
      return adaptMap(map(value, offset), type.key, type.value, offset);
    case "optional": {
      const inner = optional(value, offset).value;
      return inner === undefined ? Optional.none : new Optional(adapt(inner, type.value, offset));
    }
    default:
      if (value === undefined) bad(formatType(type), value, offset);
      return value as Value;
  }
}

function adaptMap(value: MapValue, keyType: CelType, valueType: CelType, offset: number): MapValue {
  const result = new UintKeyMap();
  const entries: Iterable<[Key, unknown]> =
    value instanceof Map ? (value as ReadonlyMap<Key, Value>).entries() : Object.entries(value);
  for (const [key, item] of entries) {
    result.set(key, adapt(item, valueType, offset));
    if (keyType.kind === "uint" && typeof key !== "string" && typeof key !== "boolean") result.uints.add(key);
  }
  return result;
}

/** Whether values of a type need {@link adapt} when they come from outside. */
export function needsAdapting(type: CelType): boolean {
  switch (type.kind) {
    case "list":
      return isBoxed(type.element);
    case "map":
      return isBoxed(type.value) || isBoxed(type.key);
    case "optional":
      return isBoxed(type.value);
    default:
      return false;
  }
}

function isBoxed(type: CelType): boolean {
  return type.kind === "double" || type.kind === "uint" || needsAdapting(type);
}
