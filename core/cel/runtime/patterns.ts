import { charge } from "../budget.ts";
import { compileCached, isCached, type Regex } from "../pure/regex.ts";
import { celError, type CelError } from "../values.ts";

/** Steps of compiling a pattern: a fixed part and one for each character. Milliseconds, in the worst case. */
const COMPILE_STEPS = 20_000;
const STEPS_PER_CHARACTER = 32;
/** Longest pattern that compiles; beyond it nothing is spent but a look at its length. */
const MAX_PATTERN = 4_096;

/** Steps of compiling a pattern of at most so many characters. */
export function compileSteps(length: number): number {
  return COMPILE_STEPS + STEPS_PER_CHARACTER * Math.min(length, MAX_PATTERN);
}

/** The expression of a pattern that is known only when it is evaluated; the budget pays where it is new. */
export function dynamicRegex(pattern: string): Regex | CelError {
  if (!isCached(pattern)) charge(compileSteps(pattern.length));
  const compiled = compileCached(pattern);
  return compiled.ok ? compiled.regex : celError(`invalid regular expression: ${compiled.message}`);
}
