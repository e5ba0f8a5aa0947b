/** Static types. Sizes (`maxLength`, `maxItems`) bound the cost of an expression; they are no part of a type's identity. */
export type CelType =
  SimpleType | StringType | ListType | MapType | OptionalType | TypeType | RecordType | OpaqueType | ParamType;

export interface SimpleType {
  readonly kind: "bool" | "int" | "uint" | "double" | "timestamp" | "duration" | "null" | "dyn";
}

export interface StringType {
  readonly kind: "string" | "bytes";
  /** At most so many code points (or bytes). */
  readonly maxLength?: number;
}

export interface ListType {
  readonly kind: "list";
  readonly element: CelType;
  readonly maxItems?: number;
}

export interface MapType {
  readonly kind: "map";
  readonly key: CelType;
  readonly value: CelType;
  readonly maxItems?: number;
}

export interface OptionalType {
  readonly kind: "optional";
  readonly value: CelType;
}

/** The type of a type: `type(1)` is a type(int). */
export interface TypeType {
  readonly kind: "type";
  readonly of: CelType;
}

/** A named, closed set of fields: reading any other is an error when the expression is compiled. */
export interface RecordType {
  readonly kind: "record";
  readonly name: string;
  readonly fields: { readonly [name: string]: RecordField };
}

export interface RecordField {
  readonly type: CelType;
  /** May be missing (undefined): `has()` asks, reading a missing one is an error. */
  readonly optional?: boolean;
  readonly doc?: string;
}

/** A type of an extension library, known by its name. */
export interface OpaqueType {
  readonly kind: "opaque";
  readonly name: string;
  readonly params?: readonly CelType[];
}

/** A type parameter of a function's declaration: `list(A).first() -> optional(A)`. */
export interface ParamType {
  readonly kind: "param";
  readonly name: string;
}

export const BOOL: SimpleType = { kind: "bool" };
export const INT: SimpleType = { kind: "int" };
export const UINT: SimpleType = { kind: "uint" };
export const DOUBLE: SimpleType = { kind: "double" };
export const STRING: StringType = { kind: "string" };
export const BYTES: StringType = { kind: "bytes" };
export const TIMESTAMP: SimpleType = { kind: "timestamp" };
export const DURATION: SimpleType = { kind: "duration" };
export const NULL: SimpleType = { kind: "null" };
export const DYN: SimpleType = { kind: "dyn" };

/** A string of at most `maxLength` code points. */
export function stringOf(maxLength: number): StringType {
  return { kind: "string", maxLength };
}

export function listOf(element: CelType, maxItems?: number): ListType {
  return maxItems === undefined ? { kind: "list", element } : { kind: "list", element, maxItems };
}

export function mapOf(key: CelType, value: CelType, maxItems?: number): MapType {
  return maxItems === undefined ? { kind: "map", key, value } : { kind: "map", key, value, maxItems };
}

export function optionalOf(value: CelType): OptionalType {
  return { kind: "optional", value };
}

export function typeOf(of: CelType): TypeType {
  return { kind: "type", of };
}

export function opaqueOf(name: string, params?: readonly CelType[]): OpaqueType {
  return params === undefined ? { kind: "opaque", name } : { kind: "opaque", name, params };
}

export function paramOf(name: string): ParamType {
  return { kind: "param", name };
}

/** A record; a field given as a bare type is always there, `{type, optional: true}` may be missing. */
export function recordOf(name: string, fields: { readonly [name: string]: CelType | RecordField }): RecordType {
  const all: Record<string, RecordField> = Object.create(null) as Record<string, RecordField>;
  for (const [field, given] of Object.entries(fields)) all[field] = "kind" in given ? { type: given } : given;
  return { kind: "record", name, fields: all };
}

/** A type as error texts and the reference write it: `map(string, list(int))`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case "list":
      return `list(${formatType(type.element)})`;
    case "map":
      return `map(${formatType(type.key)}, ${formatType(type.value)})`;
    case "optional":
      return `optional_type(${formatType(type.value)})`;
    case "type":
      return `type(${formatType(type.of)})`;
    case "record":
    case "param":
      return type.name;
    case "opaque":
      return type.params === undefined || type.params.length === 0
        ? type.name
        : `${type.name}(${type.params.map(formatType).join(", ")})`;
    default:
      return type.kind;
  }
}

/** Whether two types are the same, sizes aside. */
export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case "list":
      return b.kind === "list" && sameType(a.element, b.element);
    case "map":
      return b.kind === "map" && sameType(a.key, b.key) && sameType(a.value, b.value);
    case "optional":
      return b.kind === "optional" && sameType(a.value, b.value);
    case "type":
      return b.kind === "type" && sameType(a.of, b.of);
    case "record":
      return b.kind === "record" && a.name === b.name;
    case "param":
      return b.kind === "param" && a.name === b.name;
    case "opaque":
      return b.kind === "opaque" && a.name === b.name && sameTypes(a.params ?? [], b.params ?? []);
    default:
      return a.kind === b.kind;
  }
}

function sameTypes(a: readonly CelType[], b: readonly CelType[]): boolean {
  return a.length === b.length && a.every((type, i) => sameType(type, b[i] ?? DYN));
}
