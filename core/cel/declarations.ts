import type { FoldOp, Node, Span } from "./ast.ts";
import type { CelType } from "./types.ts";
import type { CelError, Value } from "./values.ts";

/** An expression and its value as a literal expression: `'abc'.charAt(1)` is `'b'`. A test evaluates each. */
export interface Example {
  readonly expression: string;
  readonly result: string;
}

/** A least and a greatest number. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What is known of a call when its cost is estimated. */
export interface CostCall {
  /** Sizes of the arguments, receiver first: code points, bytes or items; 1 for scalars. */
  readonly sizes: readonly Range[];
  /** The arguments that are constants. */
  readonly constants: readonly (Value | undefined)[];
}

export interface CostEstimate {
  /** Steps of the call itself, without evaluating its arguments. */
  readonly cost: Range;
  /** Size of the result, where it has one. */
  readonly size?: Range;
}

/**
 * Takes the arguments, receiver first, each in the representation of its declared parameter type
 * (values.ts: raw for `double` and `uint`, universal for all else) and returns the result likewise. It
 * never throws for bad input (it returns a CelError), holds no state, and charges the budget
 * (budget.ts) where its work grows with its input.
 */
export type Implementation = (...args: never[]) => Value | CelError;

export interface Overload {
  /** Unique in an environment, for instance `string_to_int`. */
  readonly id: string;
  /** Called as `params[0].name(params[1], …)`. */
  readonly member?: boolean;
  readonly params: readonly CelType[];
  readonly result: CelType;
  readonly call: Implementation;
  /** Never returns an error, whatever arguments of the declared types it gets. Saves a check on each call. */
  readonly total?: boolean;
  /**
   * Called once when the expression is compiled, with the arguments that are constants (undefined for
   * the others). It may refuse them (the expression does not compile), return a faster implementation
   * for these constants (same arguments, same results), or undefined to go on with `call`.
   */
  readonly specialise?: (constants: readonly (Value | undefined)[]) => Implementation | CelError | undefined;
  /** Without it, a step and an eighth of a step for each unit of the arguments' sizes, and a result as large as all arguments. */
  readonly cost?: (call: CostCall) => CostEstimate;
  /** Where this overload needs words of its own. */
  readonly doc?: string;
  readonly examples?: readonly Example[];
}

export interface FunctionDeclaration {
  /** May be qualified: `math.greatest`. */
  readonly name: string;
  readonly doc: string;
  readonly overloads: readonly Overload[];
  readonly examples: readonly Example[];
}

/** Makes nodes for a macro's expansion, all at the place of the macro's call. */
export interface MacroBuilder {
  call(name: string, args: readonly Node[], target?: Node): Node;
  ident(name: string): Node;
  literal(value: string | boolean): Node;
  list(elements: readonly Node[]): Node;
  select(operand: Node, field: string): Node;
  bind(name: string, value: Node, body: Node): Node;
  fold(
    op: FoldOp,
    range: Node,
    variables: readonly [string] | readonly [string, string],
    body: Node,
    filter?: Node,
  ): Node;
  /** The name of an identifier node that may be bound as a variable, else undefined. */
  variable(node: Node): string | undefined;
  error(message: string, at: Span): MacroError;
}

export interface MacroError {
  readonly kind: "macro_error";
  readonly message: string;
  readonly at: Span;
}

export interface MacroDeclaration {
  /** May be qualified (`cel.bind`); then it is no member. */
  readonly name: string;
  readonly member: boolean;
  /** How many arguments (receiver not counted); a call with another number is no call of the macro. Undefined: any number. */
  readonly arity: number | undefined;
  /** The expansion; undefined where the call is not this macro's after all. */
  expand(builder: MacroBuilder, target: Node | undefined, args: readonly Node[]): Node | MacroError | undefined;
  readonly signature: string;
  readonly doc: string;
  readonly examples: readonly Example[];
}

/** Functions and macros that an environment takes as one. */
export interface Library {
  readonly name: string;
  readonly doc: string;
  readonly functions: readonly FunctionDeclaration[];
  readonly macros: readonly MacroDeclaration[];
  /** Types that expressions can name, for instance `net.IP`. */
  readonly types?: readonly CelType[];
}
