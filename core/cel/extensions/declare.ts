import type {
  CostCall,
  CostEstimate,
  Example,
  FunctionDeclaration,
  Implementation,
  Overload,
} from "../declarations.ts";
import { TRAVERSAL } from "../cost.ts";
import type { Result } from "../pure/result.ts";
import type { CelType } from "../types.ts";
import { celError, type CelError, type Int } from "../values.ts";

/** A function with one or more overloads; examples are pairs of an expression and its value. */
export function declare(
  name: string,
  doc: string,
  overloads: readonly Overload[],
  ...examples: readonly (readonly [string, string])[]
): FunctionDeclaration {
  return { name, doc, overloads, examples: examples.map(([expression, result]): Example => ({ expression, result })) };
}

type Extra = Partial<Pick<Overload, "cost" | "specialise" | "total" | "doc">>;

/** An overload called as a function. */
export function overload(
  id: string,
  params: readonly CelType[],
  result: CelType,
  call: Implementation,
  extra: Extra = {},
): Overload {
  return { id, params, result, call, ...extra };
}

/** An overload called as a method of its first parameter. */
export function method(
  id: string,
  params: readonly CelType[],
  result: CelType,
  call: Implementation,
  extra: Extra = {},
): Overload {
  return { id, params, result, call, member: true, ...extra };
}

/** The value of a pure computation, or its failure as an error of the evaluation. */
export function valueOf<T>(result: Result<T>): T | CelError {
  return result.ok ? result.value : celError(result.message);
}

/** An int as an index or a count; one beyond 2^53 is beyond every length all the same. */
export function toNumber(value: Int): number {
  return Number(value);
}

/** The cost of work that grows with the product of two sizes. */
export function productCost(steps: number): (call: CostCall) => CostEstimate {
  return ({ sizes: [a, b] }) => ({ cost: { min: 1, max: 1 + steps * (a?.max ?? 1) * (b?.max ?? 1) } });
}

/** The cost of going through the arguments once, with the greatest size that the result can have. */
export function linearCost(resultSize: (call: CostCall) => number): (call: CostCall) => CostEstimate {
  return (call) => {
    const most = resultSize(call);
    const read = call.sizes.reduce((sum, size) => sum + size.max, 0);
    return { cost: { min: 1, max: 2 + TRAVERSAL * (read + most) }, size: { min: 0, max: most } };
  };
}
