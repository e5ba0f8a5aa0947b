import { check } from "./check.ts";
import { estimateCost } from "./cost.ts";
import { elaborate } from "./elaborate.ts";
import type { Environment } from "./environment.ts";
import { CompiledProgram } from "./execute.ts";
import { checkConstants, foldConstants } from "./fold.ts";
import { sameForExpectation } from "./inference.ts";
import { parse } from "./parser.ts";
import { problemAt } from "./problems.ts";
import type { CompileOptions, CompileResult, Problem } from "./program.ts";
import { formatType } from "./types.ts";

/** Compiles an expression. Never throws, whatever the source: bombs are refused with a position. */
export function compile(source: string, environment: Environment, options: CompileOptions = {}): CompileResult {
  try {
    return compileSource(source, environment, options);
  } catch (error) {
    // Depth is bounded, so only a caller that is itself deep in the stack meets its end.
    const deep = error instanceof RangeError && /call stack/i.test(error.message);
    const whole = { start: 0, end: source.length };
    const message = error instanceof Error ? error.message : "unknown";
    return refuse([
      deep
        ? problemAt(source, "too_deep", "expression nests too deep to be compiled", whole)
        : problemAt(source, "internal", `the compiler failed: ${message}`, whole),
    ]);
  }
}

function refuse(problems: readonly Problem[]): CompileResult {
  return { ok: false, problems };
}

function compileSource(source: string, environment: Environment, options: CompileOptions): CompileResult {
  const parsed = parse(source, (name, arity, member) => environment.macro(name, arity, member));
  if (!parsed.ok) return parsed;
  const state = check(source, parsed.node, environment);
  if (state.problems.length > 0) return refuse(state.problems);
  const tree = elaborate(parsed.node, state);
  const { expect, maxCost } = options;
  if (expect !== undefined && !sameForExpectation(tree.type, expect)) {
    const message = `expected an expression of type ${formatType(expect)}, found ${formatType(tree.type)}`;
    return refuse([problemAt(source, "type_mismatch", message, tree)]);
  }
  const problems = environment.lenient ? [] : checkConstants(source, tree);
  if (problems.length > 0) return refuse(problems);
  const folded = foldConstants(tree);
  const { cost, dearest } = estimateCost(folded, environment.schema);
  if (maxCost !== undefined && cost.max > maxCost) {
    const message = `worst-case cost ${cost.max} exceeds the limit of ${maxCost}`;
    return refuse([problemAt(source, "cost_exceeded", message, dearest ?? tree)]);
  }
  return { ok: true, program: new CompiledProgram(source, folded, cost, expect) };
}
