import type { CelType } from "./types.ts";
import type { Value } from "./values.ts";

/** Where a node stands in the source, in UTF-16 offsets; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface Base extends Span {
  /** Unique within its expression. */
  readonly id: number;
}

/** A constant, in the universal representation. */
export interface LiteralNode extends Base {
  readonly kind: "literal";
  readonly value: Value;
  readonly type: CelType;
}

export interface IdentNode extends Base {
  readonly kind: "ident";
  /** A leading dot (`.name`: not relative to the container) stays part of the name. */
  readonly name: string;
}

export interface SelectNode extends Base {
  readonly kind: "select";
  readonly operand: Node;
  readonly field: string;
  /** `has(operand.field)`. */
  readonly test: boolean;
  /** `operand.?field`. */
  readonly optional: boolean;
  /** The field was written in backquotes, so it is never a part of a qualified name. */
  readonly quoted: boolean;
}

/** A function or an operator; operators have the specification's names (`_+_`, `!_`, `_?_:_`, `_[_]`, `@in`, `_[?_]`). */
export interface CallNode extends Base {
  readonly kind: "call";
  readonly name: string;
  readonly target: Node | undefined;
  readonly args: readonly Node[];
}

export interface ListNode extends Base {
  readonly kind: "list";
  readonly elements: readonly Node[];
  /** Indices of the elements written `?e`. */
  readonly optional: readonly number[];
}

export interface EntryNode {
  readonly key: Node;
  readonly value: Node;
  readonly optional: boolean;
}

export interface MapNode extends Base {
  readonly kind: "map";
  readonly entries: readonly EntryNode[];
}

/** `Name{field: value}`. The language has no messages here: the checker refuses it by name. */
export interface MessageNode extends Base {
  readonly kind: "message";
  readonly name: string;
  readonly entries: readonly { readonly field: string; readonly value: Node; readonly optional: boolean }[];
}

export type FoldOp =
  "all" | "exists" | "exists_one" | "map" | "filter" | "transformList" | "transformMap" | "transformMapEntry";

/** One of the macros over a list or a map. It stays whole (no accumulator), so it compiles to a plain loop. */
export interface FoldNode extends Base {
  readonly kind: "fold";
  readonly op: FoldOp;
  readonly range: Node;
  readonly variables: readonly [string] | readonly [string, string];
  /** Of map and transform: the elements to take. */
  readonly filter: Node | undefined;
  readonly body: Node;
}

/** `cel.bind(name, value, body)`; the value is not evaluated unless it is used. */
export interface BindNode extends Base {
  readonly kind: "bind";
  readonly name: string;
  readonly value: Node;
  readonly body: Node;
}

export type Node =
  LiteralNode | IdentNode | SelectNode | CallNode | ListNode | MapNode | MessageNode | FoldNode | BindNode;

/** `a.b.c` where the node is made of names alone. */
export function qualifiedName(node: Node): string | undefined {
  if (node.kind === "ident") return node.name;
  if (node.kind !== "select" || node.test || node.optional || node.quoted) return undefined;
  const operand = qualifiedName(node.operand);
  return operand === undefined ? undefined : `${operand}.${node.field}`;
}
