import { BudgetExceeded } from "../budget.ts";
import { CelError, type Key, type MapValue, type Value } from "../values.ts";

/** The error with its place in the source, where it has none yet. */
export function placed(error: CelError, offset: number): CelError {
  return error.offset >= 0 ? error : new CelError(error.code, error.message, offset);
}

/** The budget is spent. */
export function over(): never {
  // eslint-disable-next-line typescript/only-throw-error -- no stack is wanted: this is an outcome, not a fault
  throw new BudgetExceeded();
}

/** The value at a string key of a map that is known to be one. */
export function member(map: MapValue, key: string): Value | undefined {
  if (map instanceof Map) return (map as ReadonlyMap<Key, Value>).get(key);
  return Object.hasOwn(map, key) ? (map as { readonly [name: string]: Value | undefined })[key] : undefined;
}

/** A record's field as an optional's content, undefined where it is missing. */
export function field(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return record[name];
}
