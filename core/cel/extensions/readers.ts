import type { FunctionDeclaration, Overload } from "../declarations.ts";
import type { Result } from "../pure/result.ts";
import { BOOL, INT, type CelType } from "../types.ts";
import { celError, CelError, type Value } from "../values.ts";
import { declare, method, overload } from "./declare.ts";

/** A conversion from text and perhaps flags; with constants only it is done when the expression is compiled. */
export function reader(
  id: string,
  params: readonly CelType[],
  result: CelType,
  read: (text: string, flag?: boolean) => Value | CelError,
): Overload {
  return overload(id, params, result, read, {
    specialise: ([text, flag]) => {
      if (typeof text !== "string" || (params.length > 1 && typeof flag !== "boolean")) return undefined;
      const value = read(text, flag === true);
      return value instanceof CelError ? value : () => value;
    },
  });
}

export function wrap<T>(result: Result<T>, make: (value: T) => Value): Value | CelError {
  return result.ok ? make(result.value) : celError(result.message);
}

/** isLessThan, isGreaterThan and compareTo for a type. */
export function ordering(
  type: CelType,
  prefix: string,
  compare: (a: never, b: never) => number,
  examples: readonly [string, string],
): readonly FunctionDeclaration[] {
  const order = compare as (a: Value, b: Value) => number;
  const [small, large] = examples;
  return [
    declare(
      "isLessThan",
      "Whether it is less than another one.",
      [method(`${prefix}_is_less_than`, [type, type], BOOL, (a: Value, b: Value) => order(a, b) < 0, { total: true })],
      [`${small}.isLessThan(${large})`, "true"],
    ),
    declare(
      "isGreaterThan",
      "Whether it is greater than another one.",
      [
        method(`${prefix}_is_greater_than`, [type, type], BOOL, (a: Value, b: Value) => order(a, b) > 0, {
          total: true,
        }),
      ],
      [`${small}.isGreaterThan(${large})`, "false"],
    ),
    declare(
      "compareTo",
      "-1, 0 or 1 as it is less than, equal to or greater than another one.",
      [method(`${prefix}_compare_to`, [type, type], INT, (a: Value, b: Value) => order(a, b), { total: true })],
      [`${small}.compareTo(${large})`, "-1"],
    ),
  ];
}
