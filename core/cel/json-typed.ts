import type { Json } from "./json.ts";
import { parseDuration } from "./pure/duration.ts";
import { parseTimestamp } from "./pure/timestamp.ts";
import { toDuration, toTimestamp } from "./runtime/time.ts";
import { DYN, formatType, type CelType } from "./types.ts";
import {
  boxDouble, CelError, INT_MAX, INT_MIN, kindOf, normalise, numberOf, Optional, Uint, UINT_MAX,
  type Int, type Value,
} from "./values.ts"; // prettier-ignore

const MAX_DEPTH = 200;

/**
 * JSON (as `JSON.parse` or `parseJson` gave it) as a universal value of a type: timestamps from RFC 3339,
 * durations from text such as "90s", bytes from base64, ints and uints also from strings of digits, what
 * is null or missing as an empty optional. Without a type, and for dyn: whole numbers that are safe are
 * ints, all others doubles, which they are as they stand.
 * @throws {TypeError} where the JSON is none of the type, with the path
 */
export function fromJson(json: Json | Value, type: CelType = DYN): Value {
  return read(json, type, "value", 0);
}

function fail(path: string, type: CelType, found: unknown): never {
  throw new TypeError(`${path}: expected ${formatType(type)}, found ${describe(found)}`);
}

function describe(found: unknown): string {
  if (found === undefined) return "nothing";
  return JSON.stringify(found, (_key, item: unknown) => (typeof item === "bigint" ? String(item) : item)).slice(0, 64);
}

function read(json: unknown, type: CelType, path: string, depth: number): Value {
  if (depth > MAX_DEPTH) throw new TypeError(`${path}: nests too deep`);
  switch (type.kind) {
    case "string":
      return typeof json === "string" ? json : fail(path, type, json);
    case "bool":
      return typeof json === "boolean" ? json : fail(path, type, json);
    case "null":
      return json === null ? json : fail(path, type, json);
    case "int":
      return integer(json, INT_MIN, INT_MAX) ?? fail(path, type, json);
    case "uint":
      return new Uint(integer(json, 0n, UINT_MAX) ?? fail(path, type, json));
    case "double":
      return double(json) ?? fail(path, type, json);
    case "bytes":
      return bytes(json) ?? fail(path, type, json);
    case "timestamp":
    case "duration": {
      if (typeof json !== "string") return fail(path, type, json);
      const value = type.kind === "timestamp" ? toTimestamp(parseTimestamp(json)) : toDuration(parseDuration(json));
      return value instanceof CelError ? fail(path, type, json) : value;
    }
    case "optional":
      return json === null || json === undefined
        ? Optional.none
        : new Optional(read(json, type.value, path, depth + 1));
    case "list":
      if (!Array.isArray(json)) return fail(path, type, json);
      return json.map((item, i) => read(item, type.element, `${path}[${i}]`, depth + 1));
    case "map":
    case "record":
      return readObject(json, type, path, depth);
    default:
      return json === undefined || kindOf(json) === undefined ? fail(path, type, json) : (json as Value);
  }
}

function integer(json: unknown, min: bigint, max: bigint): Int | undefined {
  let value: bigint;
  if (typeof json === "bigint") value = json;
  else if (typeof json === "number" && Number.isSafeInteger(json)) value = BigInt(json);
  else if (typeof json === "string" && json.length <= 20 && /^-?[0-9]+$/.test(json)) value = BigInt(json);
  else return undefined;
  return value < min || value > max ? undefined : normalise(value);
}

const NOT_FINITE: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, "-Infinity": -Infinity };

function double(json: unknown): Value | undefined {
  if (typeof json === "string") return Object.hasOwn(NOT_FINITE, json) ? NOT_FINITE[json] : undefined;
  const value = kindOf(json) === undefined ? undefined : numberOf(json as Value);
  return value === undefined ? undefined : boxDouble(Number(value));
}

function bytes(json: unknown): Uint8Array | undefined {
  if (typeof json !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(json)) return undefined;
  return Uint8Array.from(Buffer.from(json, "base64"));
}

function readObject(json: unknown, type: CelType & { kind: "map" | "record" }, path: string, depth: number): Value {
  if (kindOf(json) !== "map" || json instanceof Map) return fail(path, type, json);
  const object: Record<string, Value> = Object.create(null) as Record<string, Value>;
  const given = json as Readonly<Record<string, unknown>>;
  if (type.kind === "map") {
    // The keys of JSON are strings; those of other types come as expressions make them.
    if (type.key.kind !== "string" && type.key.kind !== "dyn") return fail(path, type, json);
    for (const name of Object.keys(given)) object[name] = read(given[name], type.value, `${path}.${name}`, depth + 1);
    return object;
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(type.fields, name)) throw new TypeError(`${path}: ${type.name} has no field '${name}'`);
  }
  for (const [name, field] of Object.entries(type.fields)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined && (field.optional === true || field.type.kind !== "optional")) {
      if (field.optional !== true) return fail(`${path}.${name}`, field.type, value);
      continue;
    }
    object[name] = read(value, field.type, `${path}.${name}`, depth + 1);
  }
  return object;
}
