import type { Library, Range } from "./declarations.ts";
import type { CelType, RecordType } from "./types.ts";
import type { CelError, Value } from "./values.ts";

/** Why an expression does not compile, or what is doubtful in it. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in code points. */
  readonly column: number;
  /** In UTF-16 units. */
  readonly offset: number;
  readonly length: number;
  /** The source line, and below it `^~~~` under the text meant. */
  readonly excerpt: string;
}

export type ProblemCode =
  | "syntax"
  | "too_long"
  | "too_deep"
  | "too_many_nodes"
  | "undeclared_reference"
  | "undefined_field"
  | "no_matching_overload"
  | "type_mismatch"
  | "invalid_literal"
  | "unsupported"
  | "cost_exceeded"
  | "internal";

/** What the expressions of an environment may name. Names are identifiers; `__proto__`, `constructor` and `prototype` are refused. */
export interface Schema {
  /** Names may be qualified (`a.b`), then the activation has the property "a.b". */
  readonly variables: Readonly<Record<string, CelType>>;
  /** Record types that no variable reaches but that expressions may name. */
  readonly records?: readonly RecordType[];
  /** Beside the standard library, which is always there. */
  readonly libraries?: readonly Library[];
  /** Names are first looked up inside this namespace (`com.example`). */
  readonly container?: string;
  /** How large what declares no size is taken to be in cost estimates (default 1,000 items, 65,536 code points). */
  readonly unknownSize?: { readonly items?: number; readonly length?: number };
  /** Leave to run time what static types cannot settle: undeclared names and missing overloads become errors of the evaluation. */
  readonly lenient?: boolean;
}

/** One property for each variable; undefined where it has no value. A property may be a getter. */
export type Activation = Readonly<Record<string, unknown>>;

export interface CompileOptions {
  /** The type that the expression must have (`dyn` fits, and is checked when it is evaluated). */
  readonly expect?: CelType;
  /** The worst-case cost above which it is refused. */
  readonly maxCost?: number;
}

export type CompileResult =
  { readonly ok: true; readonly program: Program } | { readonly ok: false; readonly problems: readonly Problem[] };

/** A condition whose value does not depend on its variables: whatever they are, it is this or an error. */
export interface Constant {
  readonly value: Value;
  /** Why, in words: "a value cannot equal both "a" and "b"". */
  readonly reason: string;
}

/** A sub-expression and what it evaluated to, for explanations. */
export interface TraceStep {
  readonly source: string;
  readonly offset: number;
  readonly length: number;
  /** The last value where the sub-expression ran several times. */
  readonly value: Value | CelError;
  /** How often it ran: 1 outside of macros. */
  readonly count: number;
}

export interface Trace {
  readonly result: Value | CelError;
  /** What was evaluated, in order of their place in the source, outermost first; literals are left out. */
  readonly steps: readonly TraceStep[];
  /** Steps of the budget that the evaluation took. */
  readonly spent: number;
}

export interface Program {
  readonly source: string;
  readonly type: CelType;
  /** Worst and best case, in steps. */
  readonly cost: Range;
  /** Paths of what it reads, sorted, the longest record path of each: `["request.path", "user.groups"]`. */
  readonly reads: readonly string[];
  readonly constant: Constant | undefined;
  /** The value (universal) or the error. Never throws. */
  evaluate(activation: Activation, budget?: number): Value | CelError;
  /** For conditions: an error also where the value is no bool. Never throws. */
  test(activation: Activation, budget?: number): boolean | CelError;
  /** As evaluate, slower, with the values on the way. */
  trace(activation: Activation, budget?: number): Trace;
}
