import { budget, BudgetExceeded, DEFAULT_BUDGET } from "./budget.ts";
import { compileTree, type Compiled } from "./codegen/compile.ts";
import type { Range } from "./declarations.ts";
import type { Activation, Constant, Program, Trace, TraceStep } from "./program.ts";
import { provenConstant } from "./proof.ts";
import { readPaths } from "./reads.ts";
import { GuardError } from "./runtime/guards.ts";
import { typeNameOf } from "./type-names.ts";
import type { TypedNode } from "./typed.ts";
import type { CelType } from "./types.ts";
import { CelError, type Value } from "./values.ts";

/** A program over a compiled tree. */
export class CompiledProgram implements Program {
  readonly source: string;
  readonly type: CelType;
  readonly cost: Range;
  readonly reads: readonly string[];
  readonly constant: Constant | undefined;
  readonly #tree: TypedNode;
  readonly #run: Compiled["run"];
  #traced: Compiled | undefined;

  /** `tree` with its constants folded; traces run over the same tree, so that they read and yield the same. */
  constructor(source: string, tree: TypedNode, cost: Range, expect: CelType | undefined) {
    this.source = source;
    this.type = tree.type.kind === "dyn" && expect !== undefined ? expect : tree.type;
    this.cost = cost;
    this.reads = readPaths(tree);
    this.constant = provenConstant(source, tree);
    this.#tree = tree;
    this.#run = compileTree(tree, false).run;
  }

  evaluate(activation: Activation, steps: number = DEFAULT_BUDGET): Value | CelError {
    const before = budget.left;
    budget.left = steps;
    try {
      return this.#run(activation);
    } catch (error) {
      return asError(error);
    } finally {
      budget.spent = steps - budget.left;
      budget.left = before;
    }
  }

  test(activation: Activation, steps: number = DEFAULT_BUDGET): boolean | CelError {
    const value = this.evaluate(activation, steps);
    if (typeof value === "boolean" || value instanceof CelError) return value;
    return new CelError("no_such_overload", `expected bool, found ${typeNameOf(value)}`, 0);
  }

  trace(activation: Activation, steps: number = DEFAULT_BUDGET): Trace {
    this.#traced ??= compileTree(this.#tree, true);
    const { run, traced } = this.#traced;
    const values: (Value | CelError | undefined)[] = [];
    const counts: number[] = [];
    const before = budget.left;
    budget.left = steps;
    let result: Value | CelError;
    try {
      result = run(activation, (index, value) => {
        values[index] = value;
        counts[index] = (counts[index] ?? 0) + 1;
      });
    } catch (error) {
      result = asError(error);
    }
    const spent = Math.min(steps, steps - budget.left);
    budget.left = before;
    return { result, steps: this.#steps(traced, values, counts), spent };
  }

  #steps(
    traced: readonly TypedNode[],
    values: readonly (Value | CelError | undefined)[],
    counts: readonly number[],
  ): TraceStep[] {
    const steps: TraceStep[] = [];
    for (const [i, node] of traced.entries()) {
      const value = values[i];
      // A record is on the way to its fields; they are what is of interest.
      if (value === undefined || node.type.kind === "record") continue;
      const source = this.source.slice(node.start, node.end);
      steps.push({ source, offset: node.start, length: node.end - node.start, value, count: counts[i] ?? 0 });
    }
    return steps.sort((a, b) => a.offset - b.offset || b.length - a.length);
  }
}

/** What ended an evaluation, as an error value. */
function asError(error: unknown): CelError {
  if (error instanceof BudgetExceeded) return new CelError("budget_exceeded", error.message);
  if (error instanceof GuardError) return new CelError("invalid_value", error.message, error.offset);
  // The stack's end: input that nests without bound. A string's longest length: unbounded concatenation.
  if (error instanceof RangeError) return new CelError("budget_exceeded", "value nests too deep or is too large");
  return new CelError("internal", error instanceof Error ? error.message : "evaluation failed");
}
