import { charge, chargeText } from "../budget.ts";
import type { FunctionDeclaration, Implementation } from "../declarations.ts";
import { isMap, mapEntries } from "../maps.ts";
import { formatDuration } from "../pure/duration.ts";
import {
  formatDouble,
  formatFixed,
  formatHexBytes,
  formatInteger,
  formatScientific,
  parseTemplate,
  type Clause,
} from "../pure/format.ts";
import { formatTimestamp } from "../pure/timestamp.ts";
import { compareStrings } from "../runtime/order.ts";
import { typeNameOf } from "../type-names.ts";
import { DYN, listOf, STRING } from "../types.ts";
import {
  celError,
  Double,
  Duration,
  kindOf,
  Timestamp,
  TypeValue,
  Uint,
  type CelError,
  type Int,
  type ListValue,
  type Value,
} from "../values.ts";
import { declare, linearCost, method } from "./declare.ts";

/** Longest text that `format` makes, in UTF-16 units. */
const MAX_RESULT = 65_536;
/** Deepest nesting of lists and maps that %s writes. */
const MAX_DEPTH = 32;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The cause of a failure on the way through nested values. */
class Refusal {
  readonly error: CelError;
  constructor(error: CelError) {
    this.error = error;
  }
}

/** What %s writes (cel-spec, extensions/strings.md); maps by the order of their keys' texts. */
function writeValue(value: Value, depth: number): string | Refusal {
  charge(1);
  if (depth > MAX_DEPTH)
    return new Refusal(celError(`error during formatting: value is nested deeper than ${MAX_DEPTH}`));
  if (typeof value === "string") return value;
  if (value === null || typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : formatDouble(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Double) return formatDouble(value.value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof Uint8Array) return writeBytes(value);
  if (Array.isArray(value)) return writeList(value as ListValue, depth);
  if (isMap(value)) return writeMap(value, depth);
  return refuse(
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
    value,
  );
}

function refuse(rule: string, value: Value): Refusal {
  return new Refusal(celError(`error during formatting: ${rule}, was given ${typeNameOf(value)}`));
}

function writeBytes(bytes: Uint8Array): string | Refusal {
  try {
    return UTF8.decode(bytes);
  } catch {
    return new Refusal(celError("error during formatting: bytes are not valid utf-8"));
  }
}

function writeList(list: ListValue, depth: number): string | Refusal {
  const parts: string[] = [];
  for (const item of list) {
    const part = writeValue(item, depth + 1);
    if (part instanceof Refusal) return part;
    parts.push(part);
  }
  return `[${parts.join(", ")}]`;
}

function writeMap(map: Parameters<typeof mapEntries>[0], depth: number): string | Refusal {
  const parts: (readonly [string, string])[] = [];
  for (const [key, value] of mapEntries(map)) {
    const name = writeValue(key, depth + 1);
    const part = writeValue(value, depth + 1);
    if (name instanceof Refusal) return name;
    if (part instanceof Refusal) return part;
    parts.push([name, part]);
  }
  parts.sort(([a], [b]) => compareStrings(a, b));
  return `{${parts.map(([name, part]) => `${name}: ${part}`).join(", ")}}`;
}

/** An int or a uint. */
function integerOf(value: Value): Int | undefined {
  if (value instanceof Uint) return value.value;
  return kindOf(value) === "int" ? (value as Int) : undefined;
}

function doubleOf(value: Value): number | undefined {
  if (value instanceof Double) return value.value;
  return kindOf(value) === "double" ? (value as number) : undefined;
}

function writeClause(clause: Clause, value: Value): string | Refusal {
  const integer = integerOf(value);
  switch (clause.kind) {
    case "s":
      return writeValue(value, 0);
    case "d": {
      if (integer !== undefined) return formatInteger(integer, 10);
      const double = doubleOf(value);
      return double === undefined ? refuse("decimal clause can only be used on integers", value) : formatDouble(double);
    }
    case "f":
    case "e": {
      const double = integer === undefined ? doubleOf(value) : Number(integer);
      if (double === undefined)
        return refuse(
          `${clause.kind === "f" ? "fixed-point" : "scientific"} clause can only be used on doubles`,
          value,
        );
      return clause.kind === "f" ? formatFixed(double, clause.precision) : formatScientific(double, clause.precision);
    }
    case "b":
      if (typeof value === "boolean") return value ? "1" : "0";
      return integer === undefined
        ? refuse("only integers and bools can be formatted as binary", value)
        : formatInteger(integer, 2);
    case "o":
      return integer === undefined
        ? refuse("octal clause can only be used on integers", value)
        : formatInteger(integer, 8);
    case "x":
    case "X": {
      const digits = writeHex(value, integer);
      if (digits instanceof Refusal) return digits;
      return clause.kind === "X" ? digits.toUpperCase() : digits;
    }
  }
}

function writeHex(value: Value, integer: Int | undefined): string | Refusal {
  if (integer !== undefined) return formatInteger(integer, 16);
  if (typeof value === "string") return formatHexBytes(new TextEncoder().encode(value));
  return value instanceof Uint8Array
    ? formatHexBytes(value)
    : refuse("only integers, byte buffers, and strings can be formatted as hex", value);
}

function fill(parts: readonly (string | Clause)[], values: ListValue): string | CelError {
  let out = "";
  let next = 0;
  for (const part of parts) {
    if (typeof part === "string") out += part;
    else {
      const value = values[next];
      if (value === undefined) return celError(`index ${next} out of range`, "index_out_of_range");
      next++;
      const written = writeClause(part, value);
      if (written instanceof Refusal) return written.error;
      out += written;
    }
    if (out.length > MAX_RESULT) return celError(`formatted text is longer than ${MAX_RESULT} characters`);
  }
  chargeText(out.length);
  return out;
}

function format(template: string, values: ListValue): string | CelError {
  chargeText(template.length);
  const parts = parseTemplate(template);
  return parts.ok ? fill(parts.value, values) : celError(parts.message);
}

/** A constant template is read once. */
function precompile([template]: readonly (Value | undefined)[]): Implementation | CelError | undefined {
  if (typeof template !== "string") return undefined;
  const parts = parseTemplate(template);
  if (!parts.ok) return celError(parts.message);
  return (_: string, values: ListValue) => fill(parts.value, values);
}

export const FORMAT: FunctionDeclaration = declare(
  "format",
  "The template with values put in: %s any value, %d a number, %f and %e a number with six or (%.2f) so many digits, %b binary, %o octal, %x and %X hexadecimal, %% a percent sign.",
  [
    method("string_format", [STRING, listOf(DYN)], STRING, format, {
      specialise: precompile,
      cost: linearCost(() => MAX_RESULT),
    }),
  ],
  ["'%s has %d tokens'.format(['llama', 42])", "'llama has 42 tokens'"],
  ["'%.2f %e %x'.format([2.5, 1500.0, 255])", "'2.50 1.500000e+03 ff'"],
  ["'%s'.format([{'b': 1, 'a': [true, null]}])", "'{a: [true, null], b: 1}'"],
);
