/** Arithmetic on raw ints, uints and doubles. Ints are fast while they are safe integers; beyond, BigInt decides. */
import { CelError, INT_MAX, INT_MIN, normalise, UINT_MAX, type Int } from "../values.ts";

// Looked up once: these are the hottest functions of all.
const isSafeInteger: (value: unknown) => boolean = Number.isSafeInteger;

const OVERFLOW = new CelError("overflow", "integer overflow");
const DIVIDE_BY_ZERO = new CelError("divide_by_zero", "division by zero");
const MODULUS_BY_ZERO = new CelError("divide_by_zero", "modulus by zero");

/** A bigint as an int, or the overflow. */
export function checkedInt(value: bigint): Int | CelError {
  return value < INT_MIN || value > INT_MAX ? OVERFLOW : normalise(value);
}

/** A bigint as a uint, or the overflow. */
export function checkedUint(value: bigint): Int | CelError {
  return value < 0n || value > UINT_MAX ? OVERFLOW : normalise(value);
}

// A sum of safe integers that is safe itself is exact. One that is not safe is left to BigInt: rounding
// may have hidden by how much it is off.
export function addInt(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (isSafeInteger(sum)) return sum;
  }
  return checkedInt(BigInt(a) + BigInt(b));
}

export function subtractInt(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (isSafeInteger(difference)) return difference;
  }
  return checkedInt(BigInt(a) - BigInt(b));
}

// The rounded product is a safe integer only if the true one is within half a unit of it, so equal.
export function multiplyInt(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (isSafeInteger(product)) return product + 0;
  }
  return checkedInt(BigInt(a) * BigInt(b));
}

/** Truncates towards zero. */
export function divideInt(a: Int, b: Int): Int | CelError {
  if (b === 0) return DIVIDE_BY_ZERO;
  // A quotient of safe integers can round up to the next whole number; the remainder is exact.
  if (typeof a === "number" && typeof b === "number") return (a - (a % b)) / b + 0;
  return checkedInt(BigInt(a) / BigInt(b));
}

/** Has the sign of the dividend. */
export function moduloInt(a: Int, b: Int): Int | CelError {
  if (b === 0) return MODULUS_BY_ZERO;
  if (typeof a === "number" && typeof b === "number") return (a % b) + 0;
  const remainder = BigInt(a) % BigInt(b);
  return normalise(remainder);
}

export function negateInt(a: Int): Int | CelError {
  return typeof a === "number" ? 0 - a : checkedInt(-a);
}

export function addUint(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (isSafeInteger(sum)) return sum;
  }
  return checkedUint(BigInt(a) + BigInt(b));
}

export function subtractUint(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    return difference < 0 ? OVERFLOW : difference;
  }
  return checkedUint(BigInt(a) - BigInt(b));
}

export function multiplyUint(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (isSafeInteger(product)) return product;
  }
  return checkedUint(BigInt(a) * BigInt(b));
}

export function divideUint(a: Int, b: Int): Int | CelError {
  if (b === 0) return DIVIDE_BY_ZERO;
  if (typeof a === "number" && typeof b === "number") return (a - (a % b)) / b;
  return normalise(BigInt(a) / BigInt(b));
}
