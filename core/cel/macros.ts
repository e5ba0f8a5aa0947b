import type {
  BindNode,
  CallNode,
  EntryNode,
  FoldNode,
  FoldOp,
  IdentNode,
  ListNode,
  LiteralNode,
  MapNode,
  MessageNode,
  Node,
  SelectNode,
  Span,
} from "./ast.ts";
import type { MacroBuilder, MacroError } from "./declarations.ts";
import { SyntaxProblem } from "./lexer.ts";
import { BOOL, STRING, type CelType } from "./types.ts";
import type { Value } from "./values.ts";

/** Makes nodes and counts them; macros build their expansions with it, at the place of their call. */
export class AstBuilder implements MacroBuilder {
  readonly #maxNodes: number;
  #id = 0;
  #place: Span = { start: 0, end: 0 };

  constructor(maxNodes: number) {
    this.#maxNodes = maxNodes;
  }

  /** Where the nodes of an expansion are said to stand. */
  place(span: Span): void {
    this.#place = span;
  }

  #base(span: Span): { id: number; start: number; end: number } {
    this.#id++;
    if (this.#id > this.#maxNodes) {
      const message = `expression has more than ${this.#maxNodes} nodes`;
      throw new SyntaxProblem(message, span.start, span.end, "too_many_nodes");
    }
    return { id: this.#id, start: span.start, end: span.end };
  }

  node(span: Span, name: string, args: readonly Node[], target?: Node): CallNode {
    return { ...this.#base(span), kind: "call", name, target, args };
  }

  constant(value: Value, type: CelType, span: Span): LiteralNode {
    return { ...this.#base(span), kind: "literal", value, type };
  }

  identifier(name: string, span: Span): IdentNode {
    return { ...this.#base(span), kind: "ident", name };
  }

  map(entries: readonly EntryNode[], span: Span): MapNode {
    return { ...this.#base(span), kind: "map", entries };
  }

  message(name: string, entries: MessageNode["entries"], span: Span): MessageNode {
    return { ...this.#base(span), kind: "message", name, entries };
  }

  call(name: string, args: readonly Node[], target?: Node): CallNode {
    return this.node(this.#place, name, args, target);
  }

  ident(name: string): IdentNode {
    return this.identifier(name, this.#place);
  }

  literal(value: string | boolean): LiteralNode {
    return this.constant(value, typeof value === "string" ? STRING : BOOL, this.#place);
  }

  list(elements: readonly Node[], span: Span = this.#place, optional: readonly number[] = []): ListNode {
    return { ...this.#base(span), kind: "list", elements, optional };
  }

  select(
    operand: Node,
    field: string,
    span: Span = this.#place,
    options: { readonly test?: boolean; readonly optional?: boolean; readonly quoted?: boolean } = {},
  ): SelectNode {
    const { test = false, optional = false, quoted = false } = options;
    return { ...this.#base(span), kind: "select", operand, field, test, optional, quoted };
  }

  bind(name: string, value: Node, body: Node): BindNode {
    return { ...this.#base(this.#place), kind: "bind", name, value, body };
  }

  fold(
    op: FoldOp,
    range: Node,
    variables: readonly [string] | readonly [string, string],
    body: Node,
    filter?: Node,
  ): FoldNode {
    return { ...this.#base(this.#place), kind: "fold", op, range, variables, body, filter };
  }

  variable(node: Node): string | undefined {
    return node.kind === "ident" && !node.name.startsWith(".") ? node.name : undefined;
  }

  error(message: string, at: Span): MacroError {
    return { kind: "macro_error", message, at };
  }
}
