/**
 * Combinators that describe a resource once: its shape for the compiler, its bounds, defaults and words for people. The
 * reader (read.ts) validates by them; the CustomResourceDefinitions are generated from them.
 */

/** A value as JSON has it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export type Node = StringNode | IntegerNode | DurationNode | ListNode | StringMapNode | ObjectNode;

export interface StringNode {
  readonly kind: "string";
  readonly minLength: number;
  readonly maxLength: number;
  /** The closed list of values with what each means; undefined: any value. */
  readonly values?: Readonly<Record<string, string>>;
  /** Values that the design has and this version does not enforce, so that they are refused with that reason. */
  readonly planned?: readonly string[];
  readonly format?: Format;
  /** CEL: what the expression is for. */
  readonly expression?: Purpose;
  /** An empty value (null) is taken as none: tools that write Kubernetes objects leave such. */
  readonly nullable?: boolean;
}

export type Purpose = "variable" | "when" | "require";

/** A named form of string. `pattern` holds for every valid value; `refuse` says in words why one is not valid. */
export interface Format {
  readonly name: string;
  readonly pattern: string;
  refuse(value: string): string | undefined;
}

export interface IntegerNode {
  readonly kind: "integer";
  readonly min: number;
  readonly max: number;
}

/** Written as "1h30m", read as seconds. */
export interface DurationNode {
  readonly kind: "duration";
  readonly minSeconds: number;
  readonly maxSeconds: number;
}

export interface ListNode {
  readonly kind: "list";
  readonly item: Node;
  readonly minItems: number;
  readonly maxItems: number;
  /** `set`: no value twice. `name`: items are objects whose names are unique. */
  readonly unique: "no" | "set" | "name";
}

export interface StringMapNode {
  readonly kind: "stringMap";
  readonly key: Format;
  readonly value: StringNode;
  readonly maxProperties: number;
}

export interface ObjectNode {
  readonly kind: "object";
  /** By the name that people write. */
  readonly fields: ReadonlyMap<string, FieldNode>;
  /** Fields of the design that this version does not enforce: refused with that reason. */
  readonly planned: readonly string[];
  /** Fields that others (the API server, controllers) write, and that configure nothing. */
  readonly ignored: readonly string[];
  /** Whether fields that are not listed may be there: only for other people's kinds, such as Pod. */
  readonly open: boolean;
  readonly rules: readonly CrossRule[];
}

export interface FieldNode {
  /** The property of the type in types.ts. */
  readonly property: string;
  readonly node: Node;
  readonly doc: string;
  readonly presence: "required" | "optional" | "default";
  /** As it would be written; only where presence is "default". */
  readonly fallback: Json;
}

/** What holds between the fields of an object. */
export interface CrossRule {
  /** The same in CEL over `self`, as it is written, for the API server (x-kubernetes-validations). */
  readonly cel: string;
  readonly message: string;
  /** The field that the message is about, relative to the object; "" for the object itself. */
  readonly path: string;
  holds(value: object): boolean;
}

declare const TYPE: unique symbol;

/** A node that is known to describe exactly T. */
export interface Schema<T> {
  readonly node: Node;
  /** Never there; makes Schema invariant in T, so that the compiler compares shapes both ways. */
  readonly [TYPE]?: (value: T) => T;
}

export interface RequiredField<T> {
  readonly schema: Schema<T>;
  readonly doc: string;
  readonly presence: "required" | "default";
  readonly fallback: Json;
  readonly written?: string;
}

export interface OptionalField<T> {
  readonly schema: Schema<T>;
  readonly doc: string;
  readonly presence: "optional";
  readonly written?: string;
}

/** A field for each property of T: optional where T's is, required or with a default where it is not. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Pick<T, K> extends Required<Pick<T, K>>
    ? RequiredField<T[K]>
    : OptionalField<Exclude<T[K], undefined>>;
};

interface StringOptions {
  readonly minLength?: number;
  readonly format?: Format;
  readonly expression?: Purpose;
  readonly nullable?: boolean;
}

export function string(maxLength: number, options: StringOptions = {}): Schema<string> {
  return { node: { kind: "string", minLength: 1, maxLength, ...options } };
}

/** One of a closed list, each value with what it means. */
export function enumeration<T extends string>(
  values: Readonly<Record<T, string>>,
  planned: readonly string[] = [],
): Schema<T> {
  const maxLength = Math.max(...Object.keys(values).map((value) => value.length));
  return { node: { kind: "string", minLength: 1, maxLength, values, planned } };
}

export function integer(min: number, max: number): Schema<number> {
  return { node: { kind: "integer", min, max } };
}

export function duration(minSeconds: number, maxSeconds: number): Schema<number> {
  return { node: { kind: "duration", minSeconds, maxSeconds } };
}

interface ListOptions {
  readonly minItems?: number;
  readonly maxItems: number;
  readonly unique?: ListNode["unique"];
}

export function list<T>(item: Schema<T>, options: ListOptions): Schema<readonly T[]> {
  return { node: { kind: "list", item: item.node, minItems: 0, unique: "no", ...options } };
}

export function stringMap(
  key: Format,
  value: StringNode,
  maxProperties: number,
): Schema<Readonly<Record<string, string>>> {
  return { node: { kind: "stringMap", key, value, maxProperties } };
}

/** What fields of every type have in common. */
interface AnyField {
  readonly schema: { readonly node: Node };
  readonly doc: string;
  readonly presence: FieldNode["presence"];
  readonly fallback?: Json;
  readonly written?: string;
}

interface ObjectOptions<T> {
  readonly planned?: readonly string[];
  readonly ignored?: readonly string[];
  readonly open?: boolean;
  readonly rules?: readonly (Omit<CrossRule, "holds"> & { holds(value: T): boolean })[];
}

export function object<T extends object>(fields: Fields<T>, options: ObjectOptions<T> = {}): Schema<T> {
  const nodes = new Map<string, FieldNode>();
  for (const [property, field] of Object.entries<AnyField>(fields)) {
    const { schema, doc, presence, written = property, fallback = null } = field;
    nodes.set(written, { property, node: schema.node, doc, presence, fallback });
  }
  // The reader calls a rule only with what it read by this very node.
  const rules = (options.rules ?? []).map((rule) => ({ ...rule, holds: (value: object) => rule.holds(value as T) }));
  const { planned = [], ignored = [], open = false } = options;
  return { node: { kind: "object", fields: nodes, planned, ignored, open, rules } };
}

export function required<T>(schema: Schema<T>, doc: string): RequiredField<T> {
  return { schema, doc, presence: "required", fallback: null };
}

export function optional<T>(schema: Schema<T>, doc: string): OptionalField<T> {
  return { schema, doc, presence: "optional" };
}

/** A field that is taken as `fallback` (as it would be written) where it is not given. */
export function defaulted<T>(schema: Schema<T>, fallback: Json, doc: string): RequiredField<T> {
  return { schema, doc, presence: "default", fallback };
}

/** The field's name in YAML, where it is not the property's. */
export function writtenAs<T>(written: string, field: RequiredField<T>): RequiredField<T> {
  return { ...field, written };
}
