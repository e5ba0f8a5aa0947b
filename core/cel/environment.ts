import type { FunctionDeclaration, Library, MacroDeclaration, Overload } from "./declarations.ts";
import { BASE_LIBRARIES } from "./standard/libraries.ts";
import type { Schema } from "./program.ts";
import {
  BOOL, BYTES, DOUBLE, DURATION, DYN, INT, NULL, STRING, TIMESTAMP, UINT,
  listOf, mapOf, optionalOf, typeOf, type CelType, type RecordType,
} from "./types.ts"; // prettier-ignore

/** The overloads of one function's name. */
export interface FunctionEntry {
  readonly name: string;
  readonly member: Overload[];
  readonly global: Overload[];
}

const NAME = /^[A-Za-z_@][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

const TYPE_NAMES: readonly (readonly [string, CelType])[] = [
  ["bool", BOOL],
  ["int", INT],
  ["uint", UINT],
  ["double", DOUBLE],
  ["string", STRING],
  ["bytes", BYTES],
  ["null_type", NULL],
  ["list", listOf(DYN)],
  ["map", mapOf(DYN, DYN)],
  ["type", typeOf(DYN)],
  ["optional_type", optionalOf(DYN)],
  ["google.protobuf.Timestamp", TIMESTAMP],
  ["google.protobuf.Duration", DURATION],
];

/** A schema made ready: declarations indexed, names checked. Made once; holds no state of evaluations. */
export class Environment {
  readonly schema: Schema;
  readonly variables: ReadonlyMap<string, CelType>;
  readonly types: ReadonlyMap<string, CelType>;
  readonly libraries: readonly Library[];
  readonly lenient: boolean;
  readonly #functions: Map<string, FunctionEntry> = new Map();
  readonly #macros: Map<string, MacroDeclaration> = new Map();
  readonly #prefixes: readonly string[];

  /** @throws {Error} where a schema names something twice, or what no expression may name */
  constructor(schema: Schema) {
    this.schema = schema;
    this.lenient = schema.lenient ?? false;
    this.libraries = [...BASE_LIBRARIES, ...(schema.libraries ?? [])];
    this.variables = new Map(Object.entries(schema.variables));
    const types = new Map<string, CelType>(TYPE_NAMES);
    for (const [name, type] of this.variables) {
      checkName(name);
      collectRecords(type, types, 0);
    }
    for (const record of schema.records ?? []) collectRecords(record, types, 0);
    for (const library of this.libraries) {
      for (const declaration of library.functions) this.#declare(declaration);
      for (const macro of library.macros) this.#macros.set(macroKey(macro.name, macro.arity, macro.member), macro);
      for (const type of library.types ?? []) if (type.kind === "opaque") types.set(type.name, type);
    }
    this.types = types;
    this.#prefixes = prefixes(schema.container ?? "");
  }

  #declare(declaration: FunctionDeclaration): void {
    checkName(declaration.name);
    const entry = this.#functions.get(declaration.name) ?? { name: declaration.name, member: [], global: [] };
    for (const overload of declaration.overloads) {
      const list = overload.member === true ? entry.member : entry.global;
      if (list.some((other) => other.id === overload.id)) throw new Error(`overload ${overload.id} is declared twice`);
      list.push(overload);
    }
    this.#functions.set(declaration.name, entry);
  }

  /** What a name may stand for, the innermost namespace first: in `a.b`, `x` is `a.b.x`, `a.x` or `x`. */
  candidates(name: string): readonly string[] {
    if (name.startsWith(".")) return [name.slice(1)];
    return this.#prefixes.length === 0 ? [name] : [...this.#prefixes.map((prefix) => prefix + name), name];
  }

  /** A function by its name as it is written. */
  function(name: string): FunctionEntry | undefined {
    for (const candidate of this.candidates(name)) {
      const entry = this.#functions.get(candidate);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  macro(name: string, arity: number, member: boolean): MacroDeclaration | undefined {
    return this.#macros.get(macroKey(name, arity, member)) ?? this.#macros.get(macroKey(name, undefined, member));
  }

  functionNames(): readonly string[] {
    return [...this.#functions.keys()].filter((name) => !name.startsWith("@"));
  }
}

function macroKey(name: string, arity: number | undefined, member: boolean): string {
  return `${member ? "." : ""}${name}/${arity ?? "*"}`;
}

function checkName(name: string): void {
  const parts = name.split(".");
  if (!NAME.test(name) || parts.some((part) => FORBIDDEN.has(part))) {
    throw new Error(`'${name}' cannot be the name of a variable, field or function`);
  }
}

/** Makes records known by name, and checks their fields' names. */
function collectRecords(type: CelType, into: Map<string, CelType>, depth: number): void {
  if (depth > 32) throw new Error("types nest too deep");
  switch (type.kind) {
    case "list":
      return collectRecords(type.element, into, depth + 1);
    case "map":
      collectRecords(type.key, into, depth + 1);
      return collectRecords(type.value, into, depth + 1);
    case "optional":
      return collectRecords(type.value, into, depth + 1);
    case "record":
      return collectRecord(type, into, depth);
    default:
  }
}

function collectRecord(type: RecordType, into: Map<string, CelType>, depth: number): void {
  const known = into.get(type.name);
  if (known === type) return;
  if (known !== undefined) throw new Error(`two types are named ${type.name}`);
  into.set(type.name, type);
  for (const [name, field] of Object.entries(type.fields)) {
    checkName(name);
    collectRecords(field.type, into, depth + 1);
  }
}

function prefixes(container: string): string[] {
  const parts = container === "" ? [] : container.split(".");
  return parts.map((_, i) => `${parts.slice(0, parts.length - i).join(".")}.`);
}
