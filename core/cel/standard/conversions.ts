import { chargeText } from "../budget.ts";
import type { CostEstimate, FunctionDeclaration, Library, Overload } from "../declarations.ts";
import { formatDuration } from "../pure/duration.ts";
import { formatTimestamp } from "../pure/timestamp.ts";
import { checkedInt, checkedUint } from "../runtime/numbers.ts";
import { typeOfValue } from "../type-names.ts";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  paramOf,
  STRING,
  TIMESTAMP,
  typeOf,
  UINT,
  type CelType,
} from "../types.ts";
import { CelError, celError, type Duration, type Int, type Timestamp, type Value } from "../values.ts";

const A = paramOf("A");

/** An overload `to(from)`; `name` is that of the function. */
function convert(name: string, from: CelType, result: CelType, call: Overload["call"], total = false): Overload {
  return { id: `${from.kind}_to_${name}`, params: [from], result, total, call };
}

/** No number, bool or time is longer as text. */
const SHORT_TEXT: CostEstimate = { cost: { min: 1, max: 1 }, size: { min: 1, max: 40 } };

/** The text of what is short whatever its value is. */
function text(from: CelType, call: Overload["call"]): Overload {
  return { ...convert("string", from, STRING, call, true), cost: () => SHORT_TEXT };
}

function same(type: CelType): Overload {
  return convert(type.kind, type, type, (value: Value) => value, true);
}

const INTEGER = /^[+-]?[0-9]+$/;
const RANGE = new CelError("range", "integer out of range");

function parseInteger(text: string, signed: boolean): Int | CelError {
  if (text.length > 64 || !INTEGER.test(text) || (!signed && text.startsWith("-"))) {
    return celError(`invalid ${signed ? "int" : "uint"}: ${JSON.stringify(text.slice(0, 64))}`);
  }
  const value = BigInt(text.replace(/^\+/, ""));
  return signed ? checkedInt(value) : checkedUint(value);
}

/** Truncates; what has no int of its size is an error, the limits of a double's precision included. */
function doubleToInt(value: number): Int | CelError {
  if (!(value > -(2 ** 63) && value < 2 ** 63)) return RANGE;
  const whole = Math.trunc(value);
  return Number.isSafeInteger(whole) ? whole + 0 : checkedInt(BigInt(whole));
}

function doubleToUint(value: number): Int | CelError {
  if (!(value >= 0 && value < 2 ** 64)) return RANGE;
  const whole = Math.trunc(value);
  return Number.isSafeInteger(whole) ? whole + 0 : checkedUint(BigInt(whole));
}

const NUMBER = /^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)$/i;

function parseDouble(text: string): number | CelError {
  if (text.length > 400 || !NUMBER.test(text)) return celError(`invalid double: ${JSON.stringify(text.slice(0, 64))}`);
  if (/nan/i.test(text)) return Number.NaN;
  if (/inf/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  const value = Number(text);
  return Number.isFinite(value) ? value : new CelError("range", "double out of range");
}

/** As Go's strconv writes a double with 'g': the shortest digits, an exponent from 1e6 and below 1e-4. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const scientific = value.toExponential();
  const exponent = Number(scientific.slice(scientific.indexOf("e") + 1));
  return exponent < -4 || exponent >= 6 ? scientific.replace(/e([+-])(\d)$/, "e$10$2") : String(value);
}

const TRUE: ReadonlySet<string> = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE: ReadonlySet<string> = new Set(["0", "f", "F", "false", "FALSE", "False"]);

function parseBool(text: string): boolean | CelError {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : celError(`invalid bool: ${JSON.stringify(text.slice(0, 64))}`);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | CelError {
  chargeText(bytes.length);
  try {
    return UTF8.decode(bytes);
  } catch {
    return celError("bytes are not valid utf-8");
  }
}

function encodeUtf8(text: string): Uint8Array | CelError {
  chargeText(text.length);
  return text.isWellFormed() ? new TextEncoder().encode(text) : celError("string is not well-formed unicode");
}

function declare(
  name: string,
  doc: string,
  overloads: readonly Overload[],
  ...examples: readonly (readonly [string, string])[]
): FunctionDeclaration {
  return { name, doc, overloads, examples: examples.map(([expression, result]) => ({ expression, result })) };
}

/** Conversions between types; timestamps and durations from text stand with their functions. */
export const CONVERSIONS: Library = {
  name: "conversions",
  doc: "Conversions between types. What cannot be converted exactly enough is an error.",
  macros: [],
  functions: [
    declare(
      "int",
      "An int from another number (truncated towards zero), from digits, or the seconds since 1970 of a timestamp.",
      [
        same(INT),
        convert("int", UINT, INT, (value: Int) => checkedInt(BigInt(value))),
        convert("int", DOUBLE, INT, doubleToInt),
        convert("int", STRING, INT, (text: string) => parseInteger(text, true)),
        convert("int", TIMESTAMP, INT, (at: Timestamp) => at.seconds, true),
        convert("int", DURATION, INT, (span: Duration) =>
          checkedInt(BigInt(span.seconds) * 1_000_000_000n + BigInt(span.nanos)),
        ),
      ],
      ["int('-7')", "-7"],
      ["int(2.9)", "2"],
    ),
    declare(
      "uint",
      "A uint from another number (truncated) or from digits.",
      [
        same(UINT),
        convert("uint", INT, UINT, (value: Int) => (value < 0 ? RANGE : value)),
        convert("uint", DOUBLE, UINT, doubleToUint),
        convert("uint", STRING, UINT, (text: string) => parseInteger(text, false)),
      ],
      ["uint(7)", "7u"],
    ),
    declare(
      "double",
      "A double from another number or from text.",
      [
        same(DOUBLE),
        convert("double", INT, DOUBLE, (value: Int) => Number(value) + 0, true),
        convert("double", UINT, DOUBLE, (value: Int) => Number(value), true),
        convert("double", STRING, DOUBLE, parseDouble),
      ],
      ["double('1.5')", "1.5"],
    ),
    declare(
      "string",
      "The text of a number, bool, timestamp (RFC 3339) or duration (seconds), or of UTF-8 bytes.",
      [
        same(STRING),
        text(INT, (value: Int) => String(value)),
        text(UINT, (value: Int) => String(value)),
        text(DOUBLE, formatDouble),
        text(BOOL, (value: boolean) => String(value)),
        convert("string", BYTES, STRING, decodeUtf8),
        text(TIMESTAMP, formatTimestamp),
        text(DURATION, formatDuration),
      ],
      ["string(1.5)", "'1.5'"],
      ["string(b'abc')", "'abc'"],
    ),
    declare(
      "bytes",
      "The UTF-8 bytes of a string.",
      [same(BYTES), convert("bytes", STRING, BYTES, encodeUtf8)],
      ["size(bytes('é'))", "2"],
    ),
    declare(
      "bool",
      "A bool from `true`, `t`, `1`, `false`, `f` or `0`.",
      [same(BOOL), convert("bool", STRING, BOOL, parseBool)],
      ["bool('true')", "true"],
    ),
    declare(
      "dyn",
      "The same value, of a type that is not known before it is evaluated.",
      [{ id: "to_dyn", params: [A], result: DYN, total: true, call: (value: Value) => value }],
      ["dyn(1) == 1.0", "true"],
    ),
    declare(
      "type",
      "The type of a value.",
      [{ id: "type", params: [A], result: typeOf(A), total: true, call: typeOfValue }],
      ["type(1) == int", "true"],
    ),
  ],
};
