/**
 * Runtime values of the expression language.
 *
 * Two representations exist, and the compiler moves values between them:
 *
 * - *universal*: says what it is by itself. This is what lists, maps and optionals hold, what `dyn`
 *   expressions yield and what comes out of an evaluation. See {@link Value}.
 * - *raw*: where the static type is `double` or `uint`, the bare JavaScript number (for `uint`:
 *   `number | bigint`). Every other type is the same in both.
 *
 * An int is a `number` while it is a safe integer and a `bigint` beyond that, never both for one
 * value, so `===` compares ints. A bare number that is not a safe integer is a double; a double that
 * is one (`2.0`, `-0.0`) is boxed as {@link Double}. What `JSON.parse` returns is therefore a universal
 * value as it stands.
 */

// Looked up once: the hot paths test for little else.
const isSafeInteger: (value: unknown) => boolean = Number.isSafeInteger;

/** What a runtime value is, as `type()` and the error texts name it. */
export type Kind =
  | "null_type"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "timestamp"
  | "duration"
  | "list"
  | "map"
  | "type"
  | "optional"
  | "opaque";

/** An int or a raw uint: a number when it is a safe integer, else a bigint. */
export type Int = number | bigint;

/** A key of a map as JavaScript's Map holds it; a uint key is held as the Int of the same value. */
export type Key = boolean | Int | string;

/** A map: a Map, or an object whose prototype is null or Object's; of an object only own properties count. */
export type MapValue = ReadonlyMap<Key, Value> | { readonly [name: string]: Value | undefined };

export interface ListValue extends ReadonlyArray<Value> {}

/** A value in the universal representation. */
export type Value = null | boolean | Int | string | Uint8Array | Boxed | ListValue | MapValue;

/** The base of all values that are instances of classes of ours. */
export abstract class Boxed {
  abstract readonly kind: Kind;
}

/** An unsigned 64-bit integer in the universal representation. */
export class Uint extends Boxed {
  readonly kind = "uint";
  readonly value: Int;
  constructor(value: Int) {
    super();
    this.value = value;
  }
}

/** A double whose value a safe integer could be mistaken for. */
export class Double extends Boxed {
  readonly kind = "double";
  readonly value: number;
  constructor(value: number) {
    super();
    this.value = value;
  }
}

/** An instant: seconds since 1970-01-01T00:00:00Z (negative before it) and 0 to 999,999,999 nanoseconds after that second. */
export class Timestamp extends Boxed {
  readonly kind = "timestamp";
  readonly seconds: number;
  readonly nanos: number;
  constructor(seconds: number, nanos: number) {
    super();
    this.seconds = seconds;
    this.nanos = nanos;
  }
}

/** A signed span of time; seconds and nanoseconds (under a second) have the same sign. */
export class Duration extends Boxed {
  readonly kind = "duration";
  readonly seconds: number;
  readonly nanos: number;
  constructor(seconds: number, nanos: number) {
    super();
    this.seconds = seconds;
    this.nanos = nanos;
  }
}

/** A type as a value: what `type(x)` yields. Equal by name. */
export class TypeValue extends Boxed {
  readonly kind = "type";
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
}

/** A value or none. */
export class Optional extends Boxed {
  static readonly none: Optional = new Optional(undefined);
  readonly kind = "optional";
  readonly value: Value | undefined;
  constructor(value: Value | undefined) {
    super();
    this.value = value;
  }
}

/** The base of the extension libraries' own values (an IP address, a quantity, …). */
export abstract class Opaque extends Boxed {
  readonly kind = "opaque";
  /** The declared type's name, for instance `net.IP`. */
  abstract readonly typeName: string;
  /** What `==` means; called only with a value of the same type name. */
  abstract equals(other: Opaque): boolean;
  /** The text that stands for it in JSON and in explanations. */
  abstract override toString(): string;
}

/** A map that has uint keys; `uints` says which of its (Int) keys are uints. */
export class UintKeyMap extends Map<Key, Value> {
  readonly uints: Set<Int> = new Set();
}

/** Why an evaluation, or a part of one, has no value. Errors are values: nothing throws them. */
export class CelError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Where in the source (UTF-16 offset), -1 when it is not known. */
  readonly offset: number;
  constructor(code: ErrorCode, message: string, offset = -1) {
    this.code = code;
    this.message = message;
    this.offset = offset;
  }
}

export type ErrorCode =
  | "no_such_overload"
  | "no_such_key"
  | "no_such_field"
  | "no_such_attribute"
  | "unbound_function"
  | "index_out_of_range"
  | "overflow"
  | "divide_by_zero"
  | "range"
  | "invalid_argument"
  | "invalid_value"
  | "duplicate_key"
  | "unsupported_key"
  | "budget_exceeded"
  | "internal";

/** An error of the given code, or `invalid_argument`; for the implementations of functions. */
export function celError(message: string, code: ErrorCode = "invalid_argument"): CelError {
  return new CelError(code, message);
}

/** A raw double in the universal representation. */
export function boxDouble(value: number): Value {
  return isSafeInteger(value) ? new Double(value) : value;
}

/** A bigint as an Int: a number when it is safe. The caller has checked the range of int or uint. */
export function normalise(value: bigint): Int {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

export const INT_MIN: bigint = -(2n ** 63n);
export const INT_MAX: bigint = 2n ** 63n - 1n;
export const UINT_MAX: bigint = 2n ** 64n - 1n;

/** Whether an object is a map: its prototype is null or Object's, so nothing but own properties can be meant. */
export function isPlainObject(value: object): value is { readonly [name: string]: Value | undefined } {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * What a universal value is; undefined for what is no value of the language (a function, a symbol,
 * undefined, an instance of a foreign class).
 */
export function kindOf(value: unknown): Kind | undefined {
  switch (typeof value) {
    case "string":
      return "string";
    case "number":
      return isSafeInteger(value) ? "int" : "double";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "object":
      if (value === null) return "null_type";
      if (value instanceof Boxed) return value.kind;
      if (Array.isArray(value)) return "list";
      if (value instanceof Map) return "map";
      if (value instanceof Uint8Array) return "bytes";
      return isPlainObject(value) ? "map" : undefined;
    default:
      return undefined;
  }
}

/** The value of a universal number of any kind, else undefined. */
export function numberOf(value: Value): Int | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (value instanceof Uint || value instanceof Double) return value.value;
  return undefined;
}
