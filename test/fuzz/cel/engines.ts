import { create } from "@bufbuild/protobuf";
import {
  DurationSchema,
  TimestampSchema,
  type Duration as ProtoDuration,
  type Timestamp as ProtoTimestamp,
} from "@bufbuild/protobuf/wkt";
import * as bufbuild from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import * as marcbachmann from "@marcbachmann/cel-js";
import { compile, Environment, kindOf, type CelType, type Value } from "../../../core/cel/index.ts";
import * as values from "../../../core/cel/index.ts";
import { EXTENSIONS } from "../../../core/cel/extensions/index.ts";
import { mapEntries } from "../../../core/cel/maps.ts";
import { boxDouble, normalise } from "../../../core/cel/values.ts";
import { parseDuration } from "../../../core/cel/pure/duration.ts";
import { parseTimestamp } from "../../../core/cel/pure/timestamp.ts";
import { bytesOf, VARIABLES, type Case, type Type } from "./generate.ts";
import { canonical, doubleOfBits, type Tagged } from "./values.ts";

/** The canonical text of a value, "error" (when it was evaluated) or "refused" (when it was compiled). */
export type Outcome = string;

export function isValue(outcome: Outcome): boolean {
  return outcome !== "error" && outcome !== "refused";
}

const TYPE_OF: Readonly<Record<Type, CelType>> = {
  int: values.INT, uint: values.UINT, double: values.DOUBLE, bool: values.BOOL, string: values.STRING, bytes: values.BYTES, timestamp: values.TIMESTAMP, duration: values.DURATION,
  "list(int)": values.listOf(values.INT), "list(string)": values.listOf(values.STRING), "list(double)": values.listOf(values.DOUBLE),
  "map(string, int)": values.mapOf(values.STRING, values.INT), "map(string, dyn)": values.mapOf(values.STRING, values.DYN), dyn: values.DYN,
}; // prettier-ignore

const ours = new Environment({
  variables: Object.fromEntries(Object.entries(VARIABLES).map(([name, type]) => [name, TYPE_OF[type]])),
  libraries: EXTENSIONS,
});

/** What our engine makes of a case, and how it refused. */
export function runOurs(given: Case): { readonly outcome: Outcome; readonly why: string } {
  const compiled = compile(given.expr, ours);
  if (!compiled.ok)
    return {
      outcome: "refused",
      why: compiled.problems.map((problem) => `${problem.code}: ${problem.message}`).join("; "),
    };
  const activation = Object.fromEntries(Object.entries(given.input).map(([name, value]) => [name, toOurs(value)]));
  const value = compiled.program.evaluate(activation, 5_000_000);
  return value instanceof values.CelError
    ? { outcome: "error", why: `${value.code}: ${value.message}` }
    : { outcome: ofOurs(value), why: "" };
}

export function toOurs(tagged: Tagged): Value {
  switch (tagged[0]) {
    case "null":
      return null;
    case "bool":
      return tagged[1] === "true";
    case "int":
      return normalise(BigInt(tagged[1]));
    case "uint":
      return new values.Uint(normalise(BigInt(tagged[1])));
    case "double":
      return boxDouble(doubleOfBits(tagged[1]));
    case "string":
      return tagged[1];
    case "bytes":
      return bytesOf(tagged[1]);
    case "timestamp": {
      const { seconds, nanos } = instant(tagged[1]);
      return new values.Timestamp(seconds, nanos);
    }
    case "duration": {
      const { seconds, nanos } = span(tagged[1]);
      return new values.Duration(seconds, nanos);
    }
    case "list":
      return tagged[1].map(toOurs);
    case "map":
      return new Map(tagged[1].map(([key, value]) => [key[1] as string, toOurs(value)]));
  }
}

function instant(text: string): { readonly seconds: number; readonly nanos: number } {
  const parsed = parseTimestamp(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

function span(text: string): { readonly seconds: number; readonly nanos: number } {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

function ofOurs(value: Value): string {
  if (value === null) return canonical.null;
  if (value instanceof values.Uint) return canonical.uint(value.value);
  if (value instanceof values.Double) return canonical.double(value.value);
  if (value instanceof values.Timestamp) return canonical.timestamp(value.seconds, value.nanos);
  if (value instanceof values.Duration) return canonical.duration(value.seconds, value.nanos);
  if (value instanceof values.TypeValue) return canonical.type(value.name);
  if (value instanceof values.Optional)
    return canonical.optional(value.value === undefined ? undefined : ofOurs(value.value));
  if (value instanceof values.Opaque) return `other:${value.typeName}`;
  if (value instanceof Uint8Array) return canonical.bytes(value);
  if (Array.isArray(value)) return canonical.list((value as readonly Value[]).map(ofOurs));
  switch (typeof value) {
    case "boolean":
      return canonical.bool(value);
    case "string":
      return canonical.string(value);
    case "bigint":
      return canonical.int(value);
    case "number":
      return kindOf(value) === "int" ? canonical.int(value) : canonical.double(value);
    default:
      return canonical.map(mapEntries(value as values.MapValue).map(([key, item]) => [ofOurs(key), ofOurs(item)]));
  }
}

const bufbuildEnv = bufbuild.celEnv({ funcs: strings });

/** What @bufbuild/cel makes of it. */
export function runBufbuild(given: Case): Outcome {
  let planned: ReturnType<typeof bufbuild.plan>;
  try {
    planned = bufbuild.plan(bufbuildEnv, bufbuild.parse(given.expr));
  } catch {
    return "refused";
  }
  try {
    const input = Object.fromEntries(Object.entries(given.input).map(([name, value]) => [name, toBufbuild(value)]));
    const value: unknown = planned(input as never);
    return bufbuild.isCelError(value) ? "error" : ofBufbuild(value);
  } catch {
    return "error";
  }
}

export function toBufbuild(tagged: Tagged): unknown {
  switch (tagged[0]) {
    case "null":
      return null;
    case "bool":
      return tagged[1] === "true";
    case "int":
      return BigInt(tagged[1]);
    case "uint":
      return bufbuild.celUint(BigInt(tagged[1]));
    case "double":
      return doubleOfBits(tagged[1]);
    case "string":
      return tagged[1];
    case "bytes":
      return bytesOf(tagged[1]);
    case "timestamp": {
      const { seconds, nanos } = instant(tagged[1]);
      return create(TimestampSchema, { seconds: BigInt(seconds), nanos });
    }
    case "duration": {
      const { seconds, nanos } = span(tagged[1]);
      return create(DurationSchema, { seconds: BigInt(seconds), nanos });
    }
    case "list":
      return bufbuild.celList(tagged[1].map(toBufbuild) as never);
    case "map":
      return bufbuild.celMap(new Map(tagged[1].map(([key, value]) => [key[1], toBufbuild(value)])) as never);
  }
}

function ofBufbuild(value: unknown): string {
  switch (typeof value) {
    case "boolean":
      return canonical.bool(value);
    case "string":
      return canonical.string(value);
    case "bigint":
      return canonical.int(value);
    case "number":
      return canonical.double(value);
    default:
      break;
  }
  if (value === null) return canonical.null;
  if (value instanceof Uint8Array) return canonical.bytes(value);
  if (bufbuild.isCelUint(value)) return canonical.uint(value.value);
  if (bufbuild.isCelList(value)) return canonical.list(Array.from(value as Iterable<unknown>, ofBufbuild));
  if (bufbuild.isCelMap(value))
    return canonical.map(
      Array.from(
        value as Iterable<readonly [unknown, unknown]>,
        ([key, item]) => [ofBufbuild(key), ofBufbuild(item)] as const,
      ),
    );
  if (bufbuild.isCelType(value)) return canonical.type((value as { readonly name: string }).name);
  const { message } = value as { readonly message?: { readonly $typeName?: string } };
  if (message?.$typeName === "google.protobuf.Timestamp") {
    const { seconds, nanos } = message as ProtoTimestamp;
    return canonical.timestamp(seconds, nanos);
  }
  if (message?.$typeName === "google.protobuf.Duration") {
    const { seconds, nanos } = message as ProtoDuration;
    return canonical.duration(seconds, nanos);
  }
  return `other:${Object.prototype.toString.call(value)}`;
}

const marcbachmannEnv = new marcbachmann.Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
});

/** Its classes of uints and durations, which it does not export, by instances of them. */
const UnsignedInt = (marcbachmannEnv.evaluate("1u") as object).constructor as new (value: bigint) => {
  valueOf(): bigint;
};
const Duration = (marcbachmannEnv.evaluate("duration('1s')") as object).constructor as new (
  seconds: bigint,
  nanos: number,
) => { readonly seconds: bigint; readonly nanos: number };

/** What @marcbachmann/cel-js makes of it. */
export function runMarcbachmann(given: Case): Outcome {
  try {
    const parsed = marcbachmannEnv.parse(given.expr);
    const input = Object.fromEntries(Object.entries(given.input).map(([name, value]) => [name, toMarcbachmann(value)]));
    return ofMarcbachmann(parsed(input));
  } catch {
    return "error";
  }
}

export function toMarcbachmann(tagged: Tagged): unknown {
  switch (tagged[0]) {
    case "uint":
      return new UnsignedInt(BigInt(tagged[1]));
    case "timestamp":
      return new Date(tagged[1]);
    case "duration": {
      const { seconds, nanos } = span(tagged[1]);
      return new Duration(BigInt(seconds), nanos);
    }
    case "list":
      return tagged[1].map(toMarcbachmann);
    case "map":
      return new Map(tagged[1].map(([key, value]) => [key[1], toMarcbachmann(value)]));
    default:
      return toBufbuild(tagged);
  }
}

function ofMarcbachmann(value: unknown): string {
  if (value === null) return canonical.null;
  if (Array.isArray(value)) return canonical.list(value.map(ofMarcbachmann));
  if (value instanceof UnsignedInt) return canonical.uint(value.valueOf());
  if (value instanceof Date)
    return canonical.timestamp(
      Math.floor(value.getTime() / 1000),
      (((value.getTime() % 1000) + 1000) % 1000) * 1_000_000,
    );
  if (value instanceof Duration) return canonical.duration(value.seconds, value.nanos);
  if (value instanceof Map)
    return canonical.map(
      [...(value as Map<unknown, unknown>)].map(([key, item]) => [ofMarcbachmann(key), ofMarcbachmann(item)]),
    );
  if (value instanceof Uint8Array || typeof value !== "object") return ofBufbuild(value);
  if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
    return canonical.map(Object.entries(value).map(([key, item]) => [canonical.string(key), ofMarcbachmann(item)]));
  return `other:${String((value as { readonly name?: unknown }).name)}`;
}

/** Features that an engine lacks, or on which it cannot be asked: @bufbuild/cel's replace may never end, marcbachmann's regular expressions neither. */
const NOT_ASKED: Readonly<Record<"cel-go" | "bufbuild" | "marcbachmann", ReadonlySet<string>>> = {
  "cel-go": new Set(["lone surrogate"]),
  bufbuild: new Set([
    "replace",
    "bind",
    "two variables",
    "optionals",
    "math",
    "lists",
    "sets",
    "regex",
    "encoders",
    "network",
    "reverse",
    "format",
    "quote",
  ]),
  marcbachmann: new Set([
    "replace",
    "bind",
    "two variables",
    "optionals",
    "math",
    "lists",
    "sets",
    "regex",
    "encoders",
    "network",
    "reverse",
    "format",
    "quote",
    "matches",
    "time",
    "time part",
    "duration part",
    "timestamp(string)",
    "duration(string)",
    "string(timestamp)",
    "string(duration)",
    "order:timestamp",
    "order:duration",
    "ascii",
  ]),
};

/** Whether a case is one for an engine. */
export function compares(oracle: "cel-go" | "bufbuild" | "marcbachmann", given: Case): boolean {
  for (const tag of given.tags) if (NOT_ASKED[oracle].has(tag)) return false;
  return true;
}
