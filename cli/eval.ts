/** `sallyport eval` and `sallyport check-expr`: the expression language at hand, as the sidecar evaluates it. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import {
  BOOL,
  CelError,
  DYN,
  Environment,
  compile,
  formatProblem,
  formatType,
  fromJson,
  parseJson,
  parseType,
  toJson,
  type CelType,
  type CompileResult,
  type Json,
  type Value,
} from "../core/cel/index.ts";
import { MAX_ESTIMATE } from "../core/policy/condition.ts";
import { LIBRARIES } from "../core/policy/libraries.ts";
import { PHASES, phaseOf, variablesIn, type Phase } from "../core/policy/phase.ts";
import { EXIT, UsageError } from "./command.ts";

export const EVAL_HELP: string = `usage: sallyport eval [--phase PHASE] [--input FILE] [--json] EXPRESSION
       sallyport eval --jsonl

Evaluates an expression. The input is a JSON object whose keys are the variables: without --phase each is dyn, with it
they are those of a policy in that phase (${PHASES.join(", ")}). --input - reads it from standard input. --json tells the
type and the cost beside the value.

--jsonl reads a JSON object a line, {"expr", "input", "types"?}, and writes one a line, {"value", "type", "cost"} or
{"error", "type", "cost"}.

  sallyport eval '1 + 2 == 3'
  echo '{"user": {"groups": ["a"]}}' | sallyport eval --input - '"a" in user.groups'
  echo '{"expr": "x + 1", "input": {"x": 2}, "types": {"x": "int"}}' | sallyport eval --jsonl

Exit codes: 0 a value, 1 an error, 2 wrong usage.
`;

export const CHECK_EXPR_HELP: string = `usage: sallyport check-expr [--phase PHASE] [--json] EXPRESSION

Checks an expression as a policy's condition, which is true or false and costs at most 1,000,000 steps: what it reads, its
earliest phase, its greatest cost. A policy's own variables (variables.NAME) are checked with the policy: sallyport check.

  sallyport check-expr 'llm.model.startsWith("llama") && request.size < 100000'

Exit codes: 0 it compiles, 1 it does not, 2 wrong usage.
`;

/** Runs `eval`; returns the exit code. */
export async function evaluate(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) return help(EVAL_HELP);
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      phase: { type: "string" },
      input: { type: "string" },
      jsonl: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  if (values.jsonl) {
    if (positionals.length > 0) throw new UsageError("eval --jsonl takes no expression: they come on standard input");
    return evaluateLines();
  }
  const [expression] = positionals;
  if (expression === undefined || positionals.length > 1) throw new UsageError("eval takes one expression");
  const input = values.input === undefined ? {} : readInput(values.input);
  const compiled =
    values.phase === undefined
      ? compileFor(expression, input, {})
      : compile(expression, policyEnvironment(values.phase));
  if (!compiled.ok) {
    process.stderr.write(`${compiled.problems.map(formatProblem).join("\n")}\n`);
    return 1;
  }
  const missing = compiled.program.reads
    .map((path) => path.split(".", 1)[0]!)
    .find((name) => !Object.hasOwn(input, name));
  if (missing !== undefined)
    throw new UsageError(`the expression reads ${missing}, which the input lacks: give it with --input`);
  const value = compiled.program.evaluate(input);
  if (value instanceof CelError) {
    process.stderr.write(`error: ${value.message}\n`);
    return 1;
  }
  const json = toJson(value);
  const { cost } = compiled.program;
  process.stdout.write(
    `${JSON.stringify(values.json ? { value: json, type: formatType(compiled.program.type), cost: cost.max } : json)}\n`,
  );
  return 0;
}

/** Runs `check-expr`; returns the exit code. */
export function checkExpression(args: readonly string[]): number {
  if (args.includes("--help")) return help(CHECK_EXPR_HELP);
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { phase: { type: "string", default: "Request" }, json: { type: "boolean", default: false } },
  });
  const [expression] = positionals;
  if (expression === undefined || positionals.length > 1) throw new UsageError("check-expr takes one expression");
  const compiled = compile(expression, policyEnvironment(values.phase), { expect: BOOL, maxCost: MAX_ESTIMATE });
  if (!compiled.ok) {
    if (values.json) process.stdout.write(`${JSON.stringify({ ok: false, problems: compiled.problems })}\n`);
    else process.stderr.write(`${compiled.problems.map(formatProblem).join("\n")}\n`);
    return 1;
  }
  const { type, cost, reads, constant } = compiled.program;
  const report = {
    ok: true,
    type: formatType(type),
    phase: phaseOf(reads),
    reads,
    cost,
    ...(constant === undefined ? {} : { always: toJson(constant.value), because: constant.reason }),
  };
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    process.stdout.write(
      `type   ${report.type}\nphase  ${report.phase}\nreads  ${reads.join(", ") || "nothing"}\ncost   ${cost.min} to ${cost.max} steps\n`,
    );
    if (constant !== undefined)
      process.stdout.write(`always ${JSON.stringify(toJson(constant.value))}: ${constant.reason}\n`);
  }
  return 0;
}

type Input = Readonly<Record<string, Value>>;

/** Compiles for an input's own names: dyn, or the types given. */
function compileFor(expression: string, input: Input, types: Readonly<Record<string, CelType>>): CompileResult {
  const variables: Record<string, CelType> = {};
  for (const name of Object.keys(input)) variables[name] = DYN;
  return compile(expression, new Environment({ variables: { ...variables, ...types }, libraries: LIBRARIES }));
}

function policyEnvironment(phase: string): Environment {
  if (!PHASES.includes(phase as Phase)) throw new UsageError(`--phase must be one of ${PHASES.join(", ")}`);
  return new Environment({ variables: variablesIn(phase as Phase), libraries: LIBRARIES });
}

function readInput(file: string): Input {
  try {
    return objectOf(parseJson(readFileSync(file === "-" ? 0 : file, "utf8")), "the input");
  } catch (error) {
    throw new UsageError(`--input ${file}: ${(error as Error).message}`);
  }
}

function objectOf(value: Value | undefined, what: string): Input {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${what} must be a JSON object`);
  return value as Input;
}

async function evaluateLines(): Promise<number> {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    process.stdout.write(`${JSON.stringify(evaluateLine(line))}\n`);
  }
  return 0;
}

interface LineResult {
  readonly value?: Json;
  readonly error?: string;
  readonly type: string;
  readonly cost: number;
}

/** One line of the batch mode: an answer for whatever comes. */
export function evaluateLine(line: string): LineResult {
  try {
    const request = objectOf(parseJson(line), "a line");
    const expression = request["expr"];
    if (typeof expression !== "string") throw new Error("expr must be a string");
    const types: Record<string, CelType> = {};
    for (const [name, type] of Object.entries(
      request["types"] === undefined ? {} : objectOf(request["types"], "types"),
    )) {
      if (typeof type !== "string") throw new Error(`the type of ${name} must be a string`);
      types[name] = parseType(type);
    }
    const given = request["input"] === undefined ? {} : objectOf(request["input"], "input");
    const input = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, fromJson(value, types[name] ?? DYN)]),
    );
    const compiled = compileFor(expression, given, types);
    if (!compiled.ok)
      return {
        error: compiled.problems.map(({ line: at, column, message }) => `${at}:${column}: ${message}`).join("; "),
        type: "",
        cost: 0,
      };
    const { result, spent, steps } = compiled.program.trace(input);
    // What was evaluated, and what loops and long texts took beside it.
    const cost = steps.reduce((sum, step) => sum + step.count, spent);
    const type = formatType(compiled.program.type);
    return result instanceof CelError ? { error: result.message, type, cost } : { value: toJson(result), type, cost };
  } catch (error) {
    return { error: (error as Error).message, type: "", cost: 0 };
  }
}

function help(text: string): number {
  process.stdout.write(text);
  return EXIT.ok;
}
