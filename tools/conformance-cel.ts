/**
 * Runs the conformance data of the CEL specification (@bufbuild/cel-spec) against core/cel and prints a
 * table: `npm run conformance:cel [-- --json] [-- --all]`. Exit code 1 below the bars.
 */
import { pathToFileURL } from "node:url";
import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";
import { equals } from "../core/cel/equality.ts";
import {
  BOOL, BYTES, CelError, compile, DOUBLE, Duration, DURATION, DYN, Environment, formatType, INT, kindOf, listOf, mapOf,
  NULL, opaqueOf, optionalOf, paramOf, STRING, Timestamp, TIMESTAMP, typeOf, TypeValue, Uint, UINT,
  type CelType, type Value,
} from "../core/cel/index.ts"; // prettier-ignore
import { EXTENSIONS } from "../core/cel/extensions/index.ts";
import { mapAdd, isMap, mapGet, mapKeys, mapSize } from "../core/cel/maps.ts";
import { parseDuration } from "../core/cel/pure/duration.ts";
import { parseTimestamp } from "../core/cel/pure/timestamp.ts";
import { BLOCK } from "../core/cel/standard/macros.ts";
import { boxDouble, normalise, UintKeyMap } from "../core/cel/values.ts";

type Json = Readonly<Record<string, unknown>>;

interface Case {
  readonly file: string;
  readonly name: string;
  readonly test: Json;
}

interface Suite {
  readonly name: string;
  readonly suites?: readonly Suite[];
  readonly tests?: readonly { readonly original: Json }[];
}

export type Outcome = "pass" | "refused" | "error" | "wrong" | "accepted";

/** refused: does not compile. error: has an error for a value. wrong: has another value. accepted: has a value for an error. */
export interface CaseResult {
  readonly file: string;
  readonly name: string;
  readonly expression: string;
  readonly outcome: Outcome;
  readonly detail: string;
}

export interface Report {
  readonly results: readonly CaseResult[];
  readonly core: Tally;
  readonly extensions: Tally;
  readonly deductions: Tally;
}

export interface Tally {
  readonly pass: number;
  readonly total: number;
}

const EXTENSION_FILES: ReadonlySet<string> = new Set([
  "bindings_ext", "block_ext", "encoders_ext", "macros2", "math_ext", "optionals", "string_ext",
]); // prettier-ignore
const PROTOBUF_FILES: ReadonlySet<string> = new Set(["proto2", "proto3", "proto2_ext", "enums", "wrappers"]);
/** What tells that a case is about protobuf messages, which the language here does not have. */
const PROTOBUF =
  /conformance\.proto|TestAllTypes|google\.protobuf\.(?!Timestamp|Duration)|"container":"google\.protobuf"|"messageType":"(?!google\.protobuf\.(?:Duration|Timestamp))|"wrapper"|enumValue/;

function collect(suite: Suite, path: readonly string[], into: Case[]): void {
  for (const { original } of suite.tests ?? []) {
    const file = path[0] ?? "";
    if (PROTOBUF_FILES.has(file) || PROTOBUF.test(JSON.stringify(original))) continue;
    const name = [...path.slice(1), text(original["name"])].join("/");
    into.push({ file, name, test: original });
  }
  for (const inner of suite.suites ?? []) collect(inner, [...path, inner.name], into);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function array(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}

const PRIMITIVES: Readonly<Record<string, CelType>> = {
  BOOL, INT64: INT, UINT64: UINT, DOUBLE, STRING, BYTES,
}; // prettier-ignore

/** A type of the data; undefined for those of messages. */
function typeFrom(json: Json): CelType {
  const [kind = "", value] = Object.entries(json)[0] ?? [];
  switch (kind) {
    case "primitive":
      return PRIMITIVES[text(value)] ?? DYN;
    case "wellKnown":
      return value === "TIMESTAMP" ? TIMESTAMP : value === "DURATION" ? DURATION : DYN;
    case "messageType":
      return value === "google.protobuf.Duration" ? DURATION : value === "google.protobuf.Timestamp" ? TIMESTAMP : DYN;
    case "listType":
      return listOf(typeFrom(object(object(value)["elemType"])));
    case "mapType":
      return mapOf(typeFrom(object(object(value)["keyType"])), typeFrom(object(object(value)["valueType"])));
    case "null":
      return NULL;
    case "type":
      return typeOf(typeFrom(object(value)));
    case "typeParam":
      return paramOf(text(value));
    case "abstractType": {
      const params = array(object(value)["parameterTypes"]).map(typeFrom);
      const name = text(object(value)["name"]);
      return name === "optional_type" ? optionalOf(params[0] ?? DYN) : opaqueOf(name, params);
    }
    default:
      return DYN;
  }
}

/** A value of the data. */
function valueFrom(json: Json): Value {
  const [kind = "", value] = Object.entries(json)[0] ?? [];
  switch (kind) {
    case "int64Value":
      return normalise(BigInt(text(value)));
    case "uint64Value":
      return new Uint(normalise(BigInt(text(value))));
    case "doubleValue":
      return boxDouble(Number(value));
    case "stringValue":
      return text(value);
    case "boolValue":
      return value === true;
    case "nullValue":
      return null;
    case "bytesValue":
      return new Uint8Array(Buffer.from(text(value), "base64"));
    case "typeValue":
      return new TypeValue(text(value));
    case "listValue":
      return array(object(value)["values"]).map(valueFrom);
    case "mapValue": {
      const map = new UintKeyMap();
      for (const entry of array(object(value)["entries"])) {
        mapAdd(map, valueFrom(object(entry["key"])), valueFrom(object(entry["value"])));
      }
      return map;
    }
    case "objectValue":
      return wellKnown(object(value));
    default:
      throw new Error(`a value of kind ${kind}`);
  }
}

function wellKnown(json: Json): Value {
  const name = text(json["@type"]);
  const content = text(json["value"]);
  const parsed = name.endsWith(".Duration") ? parseDuration(content) : parseTimestamp(content);
  if (!parsed.ok) throw new Error(`${name} ${content}: ${parsed.message}`);
  const { seconds, nanos } = parsed.value;
  return name.endsWith(".Duration") ? new Duration(seconds, nanos) : new Timestamp(seconds, nanos);
}

/** Equal in type too, NaN being NaN. */
function identical(a: Value, b: Value): boolean {
  if (kindOf(a) !== kindOf(b)) return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => identical(item as Value, b[i] as Value));
  }
  if (isMap(a) && isMap(b)) {
    return (
      mapSize(a) === mapSize(b) &&
      mapKeys(a).every((key) => identical(mapGet(a, key) ?? null, mapGet(b, key) ?? new Uint(0)))
    );
  }
  if (typeof a === "number" && Number.isNaN(a)) return Number.isNaN(b);
  return equals(a, b);
}

function show(value: Value | CelError): string {
  if (value instanceof CelError) return `error: ${value.message}`;
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "bigint" ? `${item}n` : item instanceof Map ? [...(item as Map<unknown, unknown>)] : item,
  );
}

function environmentOf(test: Json): Environment {
  const variables: Record<string, CelType> = {};
  for (const declaration of array(test["typeEnv"])) {
    const ident = object(declaration["ident"]);
    const name = text(declaration["name"]);
    if (declaration["ident"] !== undefined && !["true", "false", "null"].includes(name)) {
      variables[name] = typeFrom(object(ident["type"]));
    }
  }
  return new Environment({
    variables,
    libraries: [...EXTENSIONS, BLOCK, ...declared(test)],
    container: text(test["container"]),
    lenient: test["disableCheck"] === true,
  });
}

/** Functions that a case declares for its types alone. */
function declared(test: Json): ConstructorParameters<typeof Environment>[0]["libraries"] & object {
  const functions = array(test["typeEnv"]).flatMap((declaration) => {
    const overloads = array(object(declaration["function"])["overloads"]).map((overload) => ({
      id: text(overload["overloadId"]),
      member: overload["isInstanceFunction"] === true,
      params: array(overload["params"]).map(typeFrom),
      result: typeFrom(object(overload["resultType"])),
      call: () => new CelError("unbound_function", "declared only"),
    }));
    return overloads.length === 0 ? [] : [{ name: text(declaration["name"]), doc: "", overloads, examples: [] }];
  });
  return [{ name: "declared", doc: "", functions, macros: [] }];
}

function run(test: Json): readonly [Outcome, string] {
  const compiled = compile(text(test["expr"]), environmentOf(test));
  const wantsError = test["evalError"] !== undefined || test["anyEvalErrors"] !== undefined;
  if (!compiled.ok) {
    const problem = compiled.problems[0];
    const detail = `${problem?.line ?? 0}:${problem?.column ?? 0}: ${problem?.message ?? ""}`;
    return wantsError ? ["pass", detail] : ["refused", detail];
  }
  const { program } = compiled;
  const typed = object(test["typedResult"]);
  if (test["typedResult"] !== undefined) {
    const want = formatType(typeFrom(object(typed["deducedType"])));
    const found = formatType(program.type);
    if (found !== want) return ["wrong", `type ${found}, not ${want}`];
    if (test["checkOnly"] === true) return ["pass", ""];
  }
  const activation: Record<string, unknown> = {};
  for (const [name, binding] of Object.entries(object(test["bindings"]))) {
    activation[name] = valueFrom(object(object(binding)["value"]));
  }
  const value = program.evaluate(activation);
  if (wantsError) return value instanceof CelError ? ["pass", value.message] : ["accepted", show(value)];
  const wanted = test["value"] ?? typed["result"];
  const expected = wanted === undefined ? true : valueFrom(object(wanted));
  if (value instanceof CelError) return ["error", `${show(value)}, not ${show(expected)}`];
  return identical(value, expected) ? ["pass", ""] : ["wrong", `${show(value)}, not ${show(expected)}`];
}

function tally(results: readonly CaseResult[]): Tally {
  return { pass: results.filter((result) => result.outcome === "pass").length, total: results.length };
}

/** Runs every case that is not about protobuf messages. */
export function conformance(): Report {
  const cases: Case[] = [];
  for (const suite of (tests as Suite).suites ?? []) collect(suite, [suite.name], cases);
  const results = cases.map(({ file, name, test }): CaseResult => {
    const [outcome, detail] = run(test);
    return { file, name, expression: text(test["expr"]), outcome, detail };
  });
  const isExtension = (result: CaseResult): boolean => EXTENSION_FILES.has(result.file);
  const isDeduction = (result: CaseResult): boolean => result.file === "type_deductions";
  return {
    results,
    core: tally(results.filter((result) => !isExtension(result) && !isDeduction(result))),
    extensions: tally(results.filter(isExtension)),
    deductions: tally(results.filter(isDeduction)),
  };
}

/** What is below the bars that the project holds itself to. */
export function shortfalls(report: Report): string[] {
  const found: string[] = [];
  const { core, extensions, deductions } = report;
  if (core.total - core.pass > 7) found.push(`core: ${core.total - core.pass} of ${core.total} fail, 7 may`);
  if (extensions.pass < 0.95 * extensions.total) found.push("extensions: fewer than 95 % pass");
  if (deductions.pass < 0.8 * deductions.total) found.push("type deductions: fewer than 80 % pass");
  const bad = report.results.filter((r) => r.outcome !== "pass" && r.outcome !== "refused");
  for (const result of bad) {
    if (result.file === "type_deductions" && result.detail.startsWith("type ")) continue;
    found.push(`${result.file} ${result.name}: ${result.outcome}`);
  }
  return found;
}

function print(report: Report): void {
  const files = [...new Set(report.results.map((result) => result.file))];
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const file of files) {
    const { pass, total } = tally(report.results.filter((result) => result.file === file));
    write(`${file.padEnd(18)} ${String(pass).padStart(4)}/${total}`);
  }
  const sums = { core: report.core, extensions: report.extensions, "type deductions": report.deductions };
  for (const [name, { pass, total }] of Object.entries(sums)) {
    write(`${name.padEnd(18)} ${String(pass).padStart(4)}/${total} (${((100 * pass) / total).toFixed(1)} %)`);
  }
  for (const { file, name, outcome, detail, expression } of report.results) {
    if (outcome !== "pass") write(`${outcome.toUpperCase()} ${file} ${name}: ${expression.slice(0, 200)} — ${detail}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const report = conformance();
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(report)}\n`);
  else print(report);
  const below = shortfalls(report);
  for (const line of below) process.stderr.write(`below the bar: ${line}\n`);
  process.exitCode = below.length > 0 ? 1 : 0;
}
