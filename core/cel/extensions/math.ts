import { charge } from "../budget.ts";
import type { FunctionDeclaration, Implementation, Library, MacroDeclaration, Overload } from "../declarations.ts";
import { checkedInt } from "../runtime/numbers.ts";
import { compare } from "../runtime/order.ts";
import { BOOL, DOUBLE, DYN, INT, listOf, UINT, type CelType } from "../types.ts";
import {
  boxDouble,
  CelError,
  celError,
  normalise,
  numberOf,
  Uint,
  type Int,
  type ListValue,
  type Value,
} from "../values.ts";
import { declare, overload, toNumber } from "./declare.ts";

const NUMBERS: readonly CelType[] = [INT, UINT, DOUBLE];

/** A raw argument of a declared type as a universal value. */
function universal(type: CelType | undefined, value: Value): Value {
  if (type === DOUBLE && typeof value === "number") return boxDouble(value);
  return type === UINT && (typeof value === "number" || typeof value === "bigint") ? new Uint(value) : value;
}

function rawOf(type: CelType, value: Value): Value {
  return type === DOUBLE || type === UINT ? (numberOf(value) ?? value) : value;
}

/** The least (sign 1) or greatest (sign -1) of universal values; of equal ones the first. */
function choose(values: ListValue, sign: 1 | -1, name: string): Value | CelError {
  charge(values.length);
  let best = values[0];
  if (best === undefined) return celError(`${name}(list) argument must not be empty`);
  for (const value of values) {
    if (numberOf(value) === undefined) return celError(`${name}: expected numbers`, "no_such_overload");
    const order = values.length === 1 ? 0 : compare(best, value);
    if (order === undefined || Number.isNaN(order)) return celError(`${name}: NaN has no place in an order`);
    if (order * sign > 0) best = value;
  }
  return best;
}

/** The function that `math.least` or `math.greatest` becomes: of one number, of two, of a list. */
function chooser(name: string, internal: string, sign: 1 | -1): FunctionDeclaration {
  const overloads: Overload[] = [];
  const key = internal.replace("@math.", "math_@");
  for (const type of NUMBERS)
    overloads.push(overload(`${key}_${type.kind}`, [type], type, (value: Value) => value, { total: true }));
  for (const a of NUMBERS) {
    for (const b of NUMBERS) {
      const result = a === b ? a : DYN;
      const call: Implementation = (x: Value, y: Value) => {
        const best = choose([universal(a, x), universal(b, y)], sign, name);
        return best instanceof CelError ? best : rawOf(result, best);
      };
      overloads.push(overload(`${key}_${a.kind}_${b.kind}`, [a, b], result, call));
    }
  }
  for (const type of NUMBERS) {
    const call: Implementation = (values: ListValue) => {
      const best = choose(values, sign, name);
      return best instanceof CelError ? best : rawOf(type, best);
    };
    overloads.push(overload(`${key}_list_${type.kind}`, [listOf(type)], type, call));
  }
  return { name: internal, doc: `What ${name} becomes.`, overloads, examples: [] };
}

function chooserMacro(
  name: string,
  internal: string,
  doc: string,
  ...examples: readonly (readonly [string, string])[]
): MacroDeclaration {
  return {
    name,
    member: false,
    arity: undefined,
    signature: `${name}(a, b, …)`,
    doc,
    examples: examples.map(([expression, result]) => ({ expression, result })),
    expand: (builder, _target, args) => {
      const [first] = args;
      if (first === undefined) return undefined;
      for (const arg of args) {
        const isNumber = arg.kind !== "literal" || NUMBERS.includes(arg.type);
        const isAllowed = isNumber && arg.kind !== "map" && (arg.kind !== "list" || args.length === 1);
        if (!isAllowed)
          return builder.error(`${name}() invalid argument: expected numbers or one list of numbers`, arg);
      }
      return builder.call(internal, args.length <= 2 ? args : [builder.list(args)]);
    },
  };
}

function ofDouble(
  name: string,
  doc: string,
  call: (value: number) => number,
  ...examples: readonly (readonly [string, string])[]
): FunctionDeclaration {
  return declare(
    name,
    doc,
    [overload(`${name.replace(".", "_")}_double`, [DOUBLE], DOUBLE, call, { total: true })],
    ...examples,
  );
}

function testOfDouble(
  name: string,
  doc: string,
  call: (value: number) => boolean,
  ...examples: readonly (readonly [string, string])[]
): FunctionDeclaration {
  return declare(
    name,
    doc,
    [overload(`${name.replace(".", "_")}_double`, [DOUBLE], BOOL, call, { total: true })],
    ...examples,
  );
}

/** To the nearest whole number, halves away from zero. */
function round(value: number): number {
  const whole = Math.trunc(value);
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
}

function abs(value: Int): Int | CelError {
  if (typeof value === "number") return Math.abs(value);
  return checkedInt(value < 0n ? -value : value);
}

function sign(value: Int): number {
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}

function signOfDouble(value: number): number {
  return Number.isNaN(value) ? value : sign(value);
}

type Bits = (a: bigint, b: bigint) => bigint;

/** An operation on the 64 bits of two ints or two uints. */
function bitwise(
  name: string,
  doc: string,
  call: Bits,
  ...examples: readonly (readonly [string, string])[]
): FunctionDeclaration {
  const id = name.replace(".", "_");
  return declare(
    name,
    doc,
    [
      overload(
        `${id}_int_int`,
        [INT, INT],
        INT,
        (a: Int, b: Int) => normalise(BigInt.asIntN(64, call(BigInt(a), BigInt(b)))),
        { total: true },
      ),
      overload(
        `${id}_uint_uint`,
        [UINT, UINT],
        UINT,
        (a: Int, b: Int) => normalise(BigInt.asUintN(64, call(BigInt(a), BigInt(b)))),
        { total: true },
      ),
    ],
    ...examples,
  );
}

/** A shift of the 64 bits; vacant ones are filled with zeros, also from the left. */
function shift(
  name: string,
  doc: string,
  call: Bits,
  ...examples: readonly (readonly [string, string])[]
): FunctionDeclaration {
  const id = name.replace(".", "_");
  const shifted = (value: Int, by: Int, fit: (bits: number, value: bigint) => bigint): Int | CelError => {
    if (by < 0) return celError(`${name}() negative offset: ${by}`);
    return by >= 64 ? 0 : normalise(fit(64, call(BigInt.asUintN(64, BigInt(value)), BigInt(by))));
  };
  return declare(
    name,
    doc,
    [
      overload(`${id}_int_int`, [INT, INT], INT, (value: Int, by: Int) =>
        shifted(value, by, (bits, wide) => BigInt.asIntN(bits, wide)),
      ),
      overload(`${id}_uint_int`, [UINT, INT], UINT, (value: Int, by: Int) =>
        shifted(value, by, (bits, wide) => BigInt.asUintN(bits, wide)),
      ),
    ],
    ...examples,
  );
}

/** cel-go's `math` library. */
export const MATH: Library = {
  name: "math",
  doc: "Numbers.",
  macros: [
    chooserMacro(
      "math.greatest",
      "@math.max",
      "The greatest of some numbers, or of a list of numbers.",
      ["math.greatest(1, 3, 2)", "3"],
      ["math.greatest([-1.5, -2.5])", "-1.5"],
    ),
    chooserMacro("math.least", "@math.min", "The least of some numbers, or of a list of numbers.", [
      "math.least(1, 3, 2)",
      "1",
    ]),
  ],
  functions: [
    chooser("math.greatest", "@math.max", -1),
    chooser("math.least", "@math.min", 1),
    ofDouble("math.ceil", "The least whole number that is not smaller.", Math.ceil, ["math.ceil(1.2)", "2.0"]),
    ofDouble("math.floor", "The greatest whole number that is not greater.", Math.floor, ["math.floor(-1.2)", "-2.0"]),
    ofDouble("math.round", "The nearest whole number, halves away from zero.", round, ["math.round(-1.5)", "-2.0"]),
    ofDouble("math.trunc", "The number without its fraction.", Math.trunc, ["math.trunc(-1.3)", "-1.0"]),
    declare(
      "math.abs",
      "The absolute value; an error of the least int.",
      [
        overload("math_abs_double", [DOUBLE], DOUBLE, (value: number) => Math.abs(value), { total: true }),
        overload("math_abs_int", [INT], INT, abs),
        overload("math_abs_uint", [UINT], UINT, (value: Int) => value, { total: true }),
      ],
      ["math.abs(-1)", "1"],
    ),
    declare(
      "math.sign",
      "-1, 0 or 1, as a number of the same type.",
      [
        overload("math_sign_double", [DOUBLE], DOUBLE, signOfDouble, { total: true }),
        overload("math_sign_int", [INT], INT, sign, { total: true }),
        overload("math_sign_uint", [UINT], UINT, sign, { total: true }),
      ],
      ["math.sign(-42)", "-1"],
    ),
    testOfDouble(
      "math.isInf",
      "Whether the number is infinite.",
      (value) => value === Infinity || value === -Infinity,
      ["math.isInf(1.0 / 0.0)", "true"],
    ),
    testOfDouble("math.isNaN", "Whether the value is not a number.", Number.isNaN, ["math.isNaN(0.0 / 0.0)", "true"]),
    testOfDouble("math.isFinite", "Whether the number is neither infinite nor NaN.", Number.isFinite, [
      "math.isFinite(1.2)",
      "true",
    ]),
    declare(
      "math.sqrt",
      "The square root; NaN of a negative number.",
      [
        overload("math_sqrt_double", [DOUBLE], DOUBLE, (value: number) => Math.sqrt(value), { total: true }),
        overload("math_sqrt_int", [INT], DOUBLE, (value: Int) => Math.sqrt(toNumber(value)), { total: true }),
        overload("math_sqrt_uint", [UINT], DOUBLE, (value: Int) => Math.sqrt(toNumber(value)), { total: true }),
      ],
      ["math.sqrt(81)", "9.0"],
    ),
    bitwise("math.bitAnd", "The bits that both have.", (a, b) => a & b, ["math.bitAnd(3, 5)", "1"]),
    bitwise("math.bitOr", "The bits that either has.", (a, b) => a | b, ["math.bitOr(1u, 2u)", "3u"]),
    bitwise("math.bitXor", "The bits that one of them has.", (a, b) => a ^ b, ["math.bitXor(1, 3)", "2"]),
    declare(
      "math.bitNot",
      "The bits that it lacks.",
      [
        overload("math_bitNot_int_int", [INT], INT, (value: Int) => normalise(~BigInt(value)), { total: true }),
        overload("math_bitNot_uint_uint", [UINT], UINT, (value: Int) => normalise(BigInt.asUintN(64, ~BigInt(value))), {
          total: true,
        }),
      ],
      ["math.bitNot(1)", "-2"],
    ),
    shift("math.bitShiftLeft", "The bits moved to the left, zeros from the right; 0 from 64 on.", (a, b) => a << b, [
      "math.bitShiftLeft(1, 2)",
      "4",
    ]),
    shift("math.bitShiftRight", "The bits moved to the right, zeros from the left; 0 from 64 on.", (a, b) => a >> b, [
      "math.bitShiftRight(1024, 2)",
      "256",
    ]),
  ],
};
