import type { Environment } from "./environment.ts";
import type { CompileOptions, CompileResult } from "./program.ts";

/** Compiles an expression. Never throws, whatever the source: bombs are refused with a position. */
export function compile(source: string, environment: Environment, options: CompileOptions = {}): CompileResult {
  throw new Error(`not built yet: ${source} ${String(environment)} ${String(options)}`);
}
