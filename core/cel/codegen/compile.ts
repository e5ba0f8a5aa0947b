import * as runtime from "../runtime/index.ts";
import type { TypedNode } from "../typed.ts";
import type { CelError, Value } from "../values.ts";
import { Emitter } from "./emitter.ts";
import { generate } from "./generate.ts";

/** A compiled expression: the value (universal) or the error; throws GuardError and BudgetExceeded. */
export type Run = (activation: unknown, record?: (index: number, value: Value | CelError) => void) => Value | CelError;

export interface Compiled {
  readonly run: Run;
  /** The nodes that the recorder is called for, by index; only where tracing was asked for. */
  readonly traced: readonly TypedNode[];
  /** The JavaScript, for those who want to see it. */
  readonly code: string;
}

/** Compiles a checked tree to a JavaScript function. */
export function compileTree(root: TypedNode, trace: boolean): Compiled {
  const out = new Emitter(trace, generate);
  const { target } = out;
  const result = out.generate(root);
  const names = [...out.used].sort();
  const lines = [
    '"use strict";',
    `const {${names.join(",")}}=r;`,
    ...out.constants.map((_, i) => `const c${i}=c[${i}];`),
    "return function(a,rec$){",
    `let ${out.temps.join(",")};`,
    `${target.label}:{`,
    ...out.lines,
    `return ${out.box(result)};`,
    "}",
    `return ${target.error};}`,
  ];
  // `box` may have used one more name of the runtime.
  lines[1] = `const {${[...out.used].sort().join(",")}}=r;`;
  const code = lines.join("\n");
  // eslint-disable-next-line no-new-func, typescript/no-implied-eval -- the text holds no part of any expression: see docs/adr/0004
  const make = new Function("r", "c", code) as (r: typeof runtime, c: readonly unknown[]) => Run;
  return { run: make(runtime, out.constants), traced: out.traced ?? [], code };
}
