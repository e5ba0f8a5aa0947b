import type { Overload } from "../declarations.ts";
import { isMap } from "../maps.ts";
import { noOverload } from "../runtime/dynamic.ts";
import type { CelType } from "../types.ts";
import { boxDouble, CelError, Double, kindOf, Opaque, Uint, type Int, type Value } from "../values.ts";

type Call = (...args: Value[]) => Value | CelError;

/** A function over universal values that finds out for each call which overload its arguments fit. */
export function dispatcher(name: string, overloads: readonly Overload[], member: boolean): Call {
  const choices = overloads.map((overload) => ({ overload, call: overload.call as (...args: unknown[]) => unknown }));
  return (...args) => {
    for (const { overload, call } of choices) {
      const { params, result } = overload;
      if (params.length === args.length && params.every((param, i) => accepts(param, args[i]))) {
        return universal(call(...args.map((arg, i) => raw(arg, params[i]))), result);
      }
    }
    return noOverload(member ? `.${name}` : name, ...args);
  };
}

/** An overload's result for universal arguments that are of its types; universal. */
export function call(overload: Overload, args: readonly Value[]): Value | CelError {
  const implementation = overload.call as (...args: unknown[]) => unknown;
  return universal(implementation(...args.map((arg, i) => raw(arg, overload.params[i]))), overload.result);
}

/** Whether a universal value is of a declared type, as far as can be told without looking into containers. */
function accepts(type: CelType, value: Value | undefined): boolean {
  if (value === undefined) return false;
  switch (type.kind) {
    case "dyn":
    case "param":
      return kindOf(value) !== undefined;
    case "null":
      return value === null;
    case "map":
    case "record":
      return isMap(value);
    case "opaque":
      return value instanceof Opaque && value.typeName === type.name;
    default:
      return kindOf(value) === type.kind;
  }
}

function raw(value: Value, type: CelType | undefined): unknown {
  if (type?.kind === "double" && value instanceof Double) return value.value;
  return type?.kind === "uint" && value instanceof Uint ? value.value : value;
}

function universal(value: unknown, type: CelType): Value | CelError {
  if (value instanceof CelError) return value;
  if (type.kind === "double") return boxDouble(value as number);
  return type.kind === "uint" ? new Uint(value as Int) : (value as Value);
}
