import type { FoldOp, Span } from "./ast.ts";
import type { Overload } from "./declarations.ts";
import type { CelType, RecordField } from "./types.ts";
import type { CelError, Value } from "./values.ts";

/**
 * The tree that the checker makes and everything after it reads: every node has its final type, and
 * every name is resolved. Nothing in it is text of the source but constants' values.
 */
interface Base extends Span {
  readonly type: CelType;
}

/** A variable of a macro or of cel.bind. */
export interface Slot {
  readonly name: string;
  readonly type: CelType;
}

export interface ConstNode extends Base {
  readonly kind: "const";
  readonly value: Value;
}

/** A variable of the schema. */
export interface VariableNode extends Base {
  readonly kind: "variable";
  readonly name: string;
}

export interface LocalNode extends Base {
  readonly kind: "local";
  readonly slot: Slot;
}

/** A field of a record. */
export interface FieldNode extends Base {
  readonly kind: "field";
  readonly operand: TypedNode;
  readonly name: string;
  readonly field: RecordField;
  /** value: the field, missing is an error; test: whether it is there; optional: the field as an optional. */
  readonly mode: SelectMode;
}

export type SelectMode = "value" | "test" | "optional";

/** A key of a map, of a dyn, or of what an optional of these holds. */
export interface MemberNode extends Base {
  readonly kind: "member";
  readonly operand: TypedNode;
  readonly key: string;
  readonly mode: SelectMode;
}

export interface OperatorNode extends Base {
  readonly kind: "operator";
  readonly name: string;
  /** The overload's id; undefined: the values decide when it is evaluated. */
  readonly overload: string | undefined;
  readonly args: readonly TypedNode[];
}

export interface FunctionNode extends Base {
  readonly kind: "function";
  readonly name: string;
  readonly member: boolean;
  /** One, or those that the values choose from when it is evaluated. */
  readonly overloads: readonly Overload[];
  readonly dynamic: boolean;
  readonly args: readonly TypedNode[];
}

export interface ListNode extends Base {
  readonly kind: "list";
  readonly elements: readonly TypedNode[];
  readonly optional: readonly number[];
}

export interface MapEntry {
  readonly key: TypedNode;
  readonly value: TypedNode;
  readonly optional: boolean;
}

export interface MapNode extends Base {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
}

export interface FoldNode extends Base {
  readonly kind: "fold";
  readonly op: FoldOp;
  readonly range: TypedNode;
  readonly slots: readonly Slot[];
  readonly filter: TypedNode | undefined;
  readonly body: TypedNode;
}

export interface BindNode extends Base {
  readonly kind: "bind";
  readonly slot: Slot;
  readonly value: TypedNode;
  readonly body: TypedNode;
}

/** What cannot be evaluated, in a lenient environment: an undeclared name, a function without a fitting overload. */
export interface FailureNode extends Base {
  readonly kind: "failure";
  readonly error: CelError;
}

export type TypedNode =
  | ConstNode
  | VariableNode
  | LocalNode
  | FieldNode
  | MemberNode
  | OperatorNode
  | FunctionNode
  | ListNode
  | MapNode
  | FoldNode
  | BindNode
  | FailureNode;

/** The nodes directly below, in the order of their evaluation. */
export function children(node: TypedNode): readonly TypedNode[] {
  switch (node.kind) {
    case "field":
    case "member":
      return [node.operand];
    case "operator":
    case "function":
      return node.args;
    case "list":
      return node.elements;
    case "map":
      return node.entries.flatMap((entry) => [entry.key, entry.value]);
    case "fold":
      return node.filter === undefined ? [node.range, node.body] : [node.range, node.filter, node.body];
    case "bind":
      return [node.value, node.body];
    default:
      return [];
  }
}
