import { isMap, keyOf, mapGet, mapKeys } from "./maps.ts";
import { formatDuration } from "./pure/duration.ts";
import { formatTimestamp } from "./pure/timestamp.ts";
import {
  boxDouble, Double, Duration, INT_MAX, INT_MIN, normalise, Opaque, Optional, Timestamp, TypeValue, Uint,
  type ListValue, type Value,
} from "./values.ts"; // prettier-ignore

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Most values that one conversion writes: what shares its parts in memory does not in JSON. */
const MAX_VALUES = 100_000;
const MAX_DEPTH = 500;

/**
 * A universal value as JSON: int64 and uint64 beyond 2^53 as strings, doubles that JSON lacks as "NaN",
 * "Infinity" and "-Infinity", bytes in base64, timestamps in RFC 3339, durations in seconds ("1.5s"),
 * types by name, an optional as what it holds or null.
 * @throws {RangeError} where the value is too large or too deep for JSON
 */
export function toJson(value: Value): Json {
  let left = MAX_VALUES;
  const write = (item: Value, depth: number): Json => {
    if (--left < 0 || depth > MAX_DEPTH) throw new RangeError("value is too large for json");
    if (item === null || typeof item === "boolean" || typeof item === "string") return item;
    if (typeof item === "number") return jsonNumber(item);
    if (typeof item === "bigint") return String(item);
    if (item instanceof Uint8Array) return Buffer.from(item).toString("base64");
    if (item instanceof Uint) return typeof item.value === "bigint" ? String(item.value) : item.value;
    if (item instanceof Double) return jsonNumber(item.value);
    if (item instanceof Timestamp) return formatTimestamp(item);
    if (item instanceof Duration) return formatDuration(item);
    if (item instanceof TypeValue) return item.name;
    if (item instanceof Optional) return item.value === undefined ? null : write(item.value, depth + 1);
    if (item instanceof Opaque) return item.toString();
    if (Array.isArray(item)) return (item as ListValue).map((element) => write(element, depth + 1));
    if (!isMap(item)) throw new TypeError("value is none of the language");
    const object: Record<string, Json> = Object.create(null) as Record<string, Json>;
    for (const key of mapKeys(item)) {
      const name = String(key instanceof Uint ? key.value : keyOf(key));
      object[name] = write(mapGet(item, key) ?? null, depth + 1);
    }
    return object;
  };
  return write(value, 0);
}

function jsonNumber(value: number): Json {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? value : value > 0 ? "Infinity" : "-Infinity";
}

const INTEGER = /^-?[0-9]+$/;

/**
 * JSON text as a universal value: numbers written as integers are ints (doubles where int64 is too
 * small), others doubles. Objects have no prototype, so a key `__proto__` is a key like others.
 * @throws {SyntaxError} where the text is no JSON
 */
export function parseJson(text: string): Value {
  // The reviver is told how a number was written, which TypeScript's library does not know yet.
  const parse = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: Context) => unknown,
  ) => Value;
  return parse(text, (_key, value, context) => {
    if (typeof value === "number") return numberFrom(value, context.source ?? String(value));
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Double) return value;
    return Object.assign(Object.create(null) as object, value);
  });
}

interface Context {
  readonly source?: string;
}

function numberFrom(value: number, source: string): Value {
  if (!INTEGER.test(source)) return boxDouble(value);
  if (Number.isSafeInteger(value)) return value + 0;
  const exact = source.length > 20 ? undefined : BigInt(source);
  return exact === undefined || exact < INT_MIN || exact > INT_MAX ? boxDouble(value) : normalise(exact);
}
