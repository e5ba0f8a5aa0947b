import { charge } from "./budget.ts";
import {
  Boxed, CelError, Double, isPlainObject, normalise, Uint, UintKeyMap, type Key, type MapValue, type Value,
} from "./values.ts"; // prettier-ignore

/**
 * What a value is looked up by: numbers by their mathematical value, so `m[1u]` and `m[1.0]` find the
 * key 1. Undefined for what can be no key of any map.
 */
export function keyOf(value: Value): Key | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return value;
    case "number":
      return Number.isInteger(value) && !Number.isSafeInteger(value) ? wide(BigInt(value)) : value;
    default:
      if (value instanceof Uint) return value.value;
      return value instanceof Double ? value.value : undefined;
  }
}

function wide(value: bigint): Key {
  return normalise(value);
}

/** Whether a value may be the key of an entry that an expression makes. */
export function isKey(value: Value): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return true;
    case "number":
      return Number.isSafeInteger(value);
    default:
      return value instanceof Uint;
  }
}

/** Whether a universal value is a map. */
export function isMap(value: unknown): value is MapValue {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Map) return true;
  return !(value instanceof Boxed) && !Array.isArray(value) && isPlainObject(value);
}

/** The value at a key, undefined where there is none. Of an object, only own properties count. */
export function mapGet(map: MapValue, key: Value): Value | undefined {
  if (map instanceof Map) {
    const found = (map as ReadonlyMap<Key, Value>).get(typeof key === "string" ? key : (keyOf(key) ?? NO_KEY));
    return found;
  }
  return typeof key === "string" && Object.hasOwn(map, key)
    ? (map as { readonly [name: string]: Value | undefined })[key]
    : undefined;
}

// NaN equals no key that a map can hold.
const NO_KEY = Number.NaN;

/** How many entries a map has; of an object they have to be counted. */
export function mapSize(map: MapValue): number {
  if (map instanceof Map) return map.size;
  const count = Object.keys(map).length;
  charge(count);
  return count;
}

/** The keys, universal. */
export function mapKeys(map: MapValue): Value[] {
  if (!(map instanceof Map)) {
    const names = Object.keys(map);
    charge(names.length);
    return names;
  }
  charge(map.size);
  const keys: Value[] = [];
  const uints = map instanceof UintKeyMap ? map.uints : undefined;
  for (const key of map.keys() as Iterable<Key>) keys.push(universalKey(key, uints));
  return keys;
}

function universalKey(key: Key, uints: ReadonlySet<Key> | undefined): Value {
  const isUint = uints !== undefined && typeof key !== "string" && typeof key !== "boolean" && uints.has(key);
  return isUint ? new Uint(key) : key;
}

/** Keys and values, universal. */
export function mapEntries(map: MapValue): [Value, Value][] {
  return mapKeys(map).map((key) => [key, mapGet(map, key) ?? null]);
}

const BAD_KEY = new CelError("unsupported_key", "unsupported key type: keys are bool, int, uint or string");

/** Adds an entry to a map under construction; an error where the key is there already or cannot be one. */
export function mapAdd(map: Map<Key, Value>, key: Value, value: Value): CelError | undefined {
  if (!isKey(key)) return BAD_KEY;
  const plain = keyOf(key);
  if (plain === undefined) return BAD_KEY;
  if (map.has(plain)) return new CelError("duplicate_key", `duplicate key: ${String(plain).slice(0, 100)}`);
  map.set(plain, value);
  if (key instanceof Uint && map instanceof UintKeyMap) map.uints.add(key.value);
  return undefined;
}
