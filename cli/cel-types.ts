/** Types of inputs as people write them on the command line, and JSON read as values of these types. */
import {
  BOOL, BYTES, DOUBLE, DURATION, DYN, INT, NULL, STRING, TIMESTAMP, UINT,
  Double, Duration, Timestamp, Uint, formatType, listOf, mapOf, optionalOf,
  type CelType, type Value,
} from "../core/cel/index.ts"; // prettier-ignore
import { parseDuration } from "../core/cel/pure/duration.ts";
import { parseTimestamp } from "../core/cel/pure/timestamp.ts";

const NAMES: Readonly<Record<string, CelType>> = {
  bool: BOOL,
  int: INT,
  uint: UINT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  timestamp: TIMESTAMP,
  duration: DURATION,
  null: NULL,
  null_type: NULL,
  dyn: DYN,
  "google.protobuf.Timestamp": TIMESTAMP,
  "google.protobuf.Duration": DURATION,
};

const MAX_DEPTH = 16;

/** Reads `list(map(string, int))` and the like. @throws {Error} that names what is wrong */
export function parseType(text: string): CelType {
  const tokens = text.match(/[A-Za-z_.]+|[(),<>]|\S/g) ?? [];
  let at = 0;
  const expect = (open: string): void => {
    const token = tokens[at++];
    if (token !== open && !(open === "(" && token === "<") && !(open === ")" && token === ">"))
      throw new Error(`malformed type ${JSON.stringify(text)}: expected ${open}`);
  };
  const read = (depth: number): CelType => {
    if (depth > MAX_DEPTH) throw new Error("the type is nested too deeply");
    const name = tokens[at++] ?? "";
    if (name === "list" || name === "map" || name === "optional" || name === "optional_type") {
      if (tokens[at] !== "(" && tokens[at] !== "<")
        return name === "map" ? mapOf(DYN, DYN) : name === "list" ? listOf(DYN) : optionalOf(DYN);
      expect("(");
      const first = read(depth + 1);
      let type: CelType = name === "list" ? listOf(first) : optionalOf(first);
      if (name === "map") {
        expect(",");
        type = mapOf(first, read(depth + 1));
      }
      expect(")");
      return type;
    }
    const type = NAMES[name];
    if (type === undefined)
      throw new Error(
        `unknown type ${JSON.stringify(name)}; known: ${Object.keys(NAMES).join(", ")}, list(T), map(K, V)`,
      );
    return type;
  };
  const type = read(0);
  if (at !== tokens.length) throw new Error(`malformed type ${JSON.stringify(text)}: more than one type`);
  return type;
}

/** A value of `parseJson` as a value of the declared type. @throws {Error} where it is none */
export function convert(value: Value, type: CelType, path: string): Value {
  const wrong = (): Error => new Error(`${path} is not a ${formatType(type)}`);
  switch (type.kind) {
    case "dyn":
      return value;
    case "uint": {
      const number = integerOf(value);
      if (number === undefined || number < 0) throw wrong();
      return new Uint(number);
    }
    case "int": {
      const number = integerOf(value);
      if (number === undefined) throw wrong();
      return number;
    }
    case "double": {
      const number =
        value instanceof Double
          ? value.value
          : typeof value === "string" && /^(NaN|-?Infinity)$/.test(value)
            ? Number(value)
            : value;
      if (typeof number !== "number" && typeof number !== "bigint") throw wrong();
      return new Double(Number(number));
    }
    case "bytes":
      if (typeof value !== "string") throw wrong();
      return new Uint8Array(Buffer.from(value, "base64"));
    case "timestamp": {
      const parsed = typeof value === "string" ? parseTimestamp(value) : undefined;
      if (parsed?.ok !== true) throw wrong();
      return new Timestamp(parsed.value.seconds, parsed.value.nanos);
    }
    case "duration": {
      const parsed = typeof value === "string" ? parseDuration(value) : undefined;
      if (parsed?.ok !== true) throw wrong();
      return new Duration(parsed.value.seconds, parsed.value.nanos);
    }
    case "list":
      if (!Array.isArray(value)) throw wrong();
      return (value as readonly Value[]).map((item, i) => convert(item, type.element, `${path}[${i}]`));
    case "map": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong();
      const entries = Object.entries(value as Readonly<Record<string, Value>>);
      return new Map(
        entries.map(([key, entry]) => [keyOf(key, type.key, path), convert(entry, type.value, `${path}.${key}`)]),
      );
    }
    default:
      return value;
  }
}

function integerOf(value: Value): number | bigint | undefined {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  if (typeof value === "bigint") return value;
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : BigInt(value);
  }
  return undefined;
}

function keyOf(key: string, type: CelType, path: string): string | number | bigint | boolean {
  if (type.kind === "int" || type.kind === "uint") {
    const number = integerOf(key);
    if (number === undefined)
      throw new Error(`${path} has the key ${JSON.stringify(key)}, which is no ${formatType(type)}`);
    return number;
  }
  if (type.kind === "bool") return key === "true";
  return key;
}
