/** A policy's expressions, compiled, with the variables that they share. */
import {
  BOOL,
  budget,
  CelError,
  DEFAULT_BUDGET,
  Environment,
  compile,
  recordOf,
  type Activation,
  type CelType,
  type Problem,
  type Program,
  type Value,
} from "../cel/index.ts";
import type { RuleAction } from "../api/types.ts";
import type { Facts } from "./facts.ts";
import { phaseProblem } from "./phase.ts";
import { VARIABLES } from "./schema.ts";
import { LIBRARIES } from "./libraries.ts";

/** Steps that an expression may be estimated to take at worst, on the largest inputs that the schema declares. */
export const MAX_ESTIMATE = 1_000_000;

/** Steps that all expressions of one decision may take together: a few milliseconds. What goes over it denies. */
export const DECISION_BUDGET: number = DEFAULT_BUDGET;

/** What the decision under way may still spend. A decision is synchronous, so there is one at a time. */
const purse = { left: DECISION_BUDGET };

/** Steps that the decision under way has taken so far. */
export function decisionCost(): number {
  return DECISION_BUDGET - purse.left;
}

/** A decision begins: its expressions share one budget from here on. */
export function beginDecision(): void {
  purse.left = DECISION_BUDGET;
}

/** A problem of one expression, with the path of its field below the policy's spec. */
export interface ExpressionProblem extends Problem {
  readonly path: string;
}

interface CompiledVariable {
  readonly name: string;
  readonly program: Program;
  /** Indexes of the variables that it reads. */
  readonly needs: readonly number[];
}

/** An expression that is true, false or an error, over the facts of one request. */
export class Condition {
  readonly program: Program;
  readonly #scope: Scope;
  readonly #needs: readonly number[];

  constructor(program: Program, scope: Scope) {
    this.program = program;
    this.#scope = scope;
    this.#needs = scope.needs(program);
  }

  test(facts: Facts): boolean | CelError {
    const activation = this.activation(facts);
    if (activation instanceof CelError) return activation;
    const result = this.program.test(activation, purse.left);
    purse.left -= budget.spent;
    return result;
  }

  /** The activation to trace with, or the error of a variable. */
  activation(facts: Facts): Activation | CelError {
    return this.#needs.length === 0 ? facts : this.#scope.activation(facts, this.#needs);
  }
}

/** Where the expressions of one policy are compiled: the common variables, and the policy's own. */
export class Scope {
  readonly problems: ExpressionProblem[] = [];
  readonly #variables: CompiledVariable[] = [];
  #environment: Environment;
  #lastFacts: Facts | undefined;
  #lastActivation: (Facts & { readonly variables: Record<string, unknown> }) | undefined;

  constructor(variables: readonly { readonly name: string; readonly expression: string }[]) {
    this.#environment = BASE;
    const types: Record<string, CelType> = {};
    for (const [index, { name, expression }] of variables.entries()) {
      const program = this.#compile(expression, `variables[${index}].expression`, undefined);
      if (program === undefined) continue;
      this.#variables.push({ name, program, needs: this.needs(program) });
      types[name] = program.type;
      this.#environment = new Environment({
        ...BASE.schema,
        variables: { ...BASE.schema.variables, variables: recordOf("Variables", types) },
      });
    }
  }

  /** A condition of a rule, or undefined after noting its problems. */
  condition(expression: string, path: string, action: RuleAction): Condition | undefined {
    const program = this.#compile(expression, path, BOOL);
    if (program === undefined) return undefined;
    const wrong = phaseProblem(action, this.#allReads(program)) ?? alwaysError(program);
    if (wrong === undefined) return new Condition(program, this);
    const place = { line: 1, column: 1, offset: 0, length: expression.length, excerpt: "" };
    this.problems.push({ code: "unsupported", message: wrong, path, ...place });
    return undefined;
  }

  /** What a program reads, by itself and through the policy's variables. */
  #allReads(program: Program): readonly string[] {
    return [
      ...program.reads,
      ...this.needs(program).flatMap((index) => this.#allReads(this.#variables[index]!.program)),
    ];
  }

  /** Indexes of the policy's variables that a program reads. */
  needs(program: Program): number[] {
    const named = new Set(
      program.reads.filter((path) => path.startsWith("variables.")).map((path) => path.split(".")[1]),
    );
    return this.#variables.flatMap((variable, index) => (named.has(variable.name) ? [index] : []));
  }

  /** The facts with the needed variables evaluated, each once for a request; or the first one's error. */
  activation(facts: Facts, needs: readonly number[]): Activation | CelError {
    if (this.#lastFacts !== facts) {
      this.#lastFacts = facts;
      this.#lastActivation = {
        source: facts.source,
        destination: facts.destination,
        request: facts.request,
        llm: facts.llm,
        variables: {},
      };
    }
    const activation = this.#lastActivation!;
    for (const index of needs) {
      const error = this.#evaluate(index, facts, activation.variables);
      if (error !== undefined) return error;
    }
    return activation;
  }

  #evaluate(index: number, facts: Facts, values: Record<string, unknown>): CelError | undefined {
    const variable = this.#variables[index]!;
    if (!Object.hasOwn(values, variable.name)) {
      const activation = this.activation(facts, variable.needs);
      values[variable.name] =
        activation instanceof CelError ? activation : evaluateVariable(variable.program, activation);
    }
    const value = values[variable.name];
    return value instanceof CelError ? value : undefined;
  }

  #compile(expression: string, path: string, expect: CelType | undefined): Program | undefined {
    const compiled = compile(expression, this.#environment, {
      ...(expect === undefined ? {} : { expect }),
      maxCost: MAX_ESTIMATE,
    });
    if (compiled.ok) return compiled.program;
    for (const problem of compiled.problems) this.problems.push({ ...problem, path });
    return undefined;
  }
}

/** Why an expression that reads nothing fails, which it then always does; undefined when it has a value, or reads something. */
function alwaysError(program: Program): string | undefined {
  if (program.reads.length > 0) return undefined;
  const value = program.evaluate({}, DECISION_BUDGET);
  return value instanceof CelError ? `this is always an error: ${value.message}` : undefined;
}

function evaluateVariable(program: Program, activation: Activation): Value | CelError {
  const value = program.evaluate(activation, purse.left);
  purse.left -= budget.spent;
  return value;
}

const BASE = new Environment({ variables: VARIABLES, libraries: LIBRARIES });
