import { failure, success, type Result } from "./result.ts";

/** How a quantity is written: with k, M, G (powers of ten), with Ki, Mi, Gi (powers of 1024) or with an exponent. */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** A Kubernetes resource quantity, exact in billionths. */
export type Quantity = { readonly nanos: bigint; readonly format: QuantityFormat };

const BILLION = 1_000_000_000n;
const MAX_TEXT = 128;
const MAX_EXPONENT = 400;
const INT64_MAX = 2n ** 63n - 1n;

const DECIMAL_SUFFIXES: ReadonlyMap<string, number> = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const BINARY_SUFFIXES: ReadonlyMap<string, number> = new Map([
  ["Ki", 10],
  ["Mi", 20],
  ["Gi", 30],
  ["Ti", 40],
  ["Pi", 50],
  ["Ei", 60],
]);

/**
 * Reads a quantity as Kubernetes' resource.Quantity does: what is finer than a billionth is rounded away from zero,
 * and quantities with a binary suffix stop at 2^63 - 1. Unlike there, a text without any digit is refused, and so is
 * an exponent beyond 400.
 */
export function parseQuantity(text: string): Result<Quantity> {
  const invalid = failure(`invalid quantity ${JSON.stringify(text.slice(0, 64))}`);
  if (text.length > MAX_TEXT) return invalid;
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([A-Za-z]*)(?:([+-]?\d+))?$/.exec(text);
  if (match === null) return invalid;
  const [negative, whole, fraction, letters] = [match[1] === "-", match[2] ?? "", match[3] ?? "", match[4] ?? ""];
  if (whole === "" && fraction === "") return invalid;
  const digits = BigInt(whole + fraction);
  const binary = BINARY_SUFFIXES.get(letters);
  let exponent = DECIMAL_SUFFIXES.get(letters);
  let format: QuantityFormat = "DecimalSI";
  if (match[5] !== undefined) {
    if (letters !== "e" && letters !== "E") return invalid;
    exponent = Number(match[5]);
    format = "DecimalExponent";
    if (Math.abs(exponent) > MAX_EXPONENT) return invalid;
  } else if (binary !== undefined) {
    exponent = 0;
    format = "BinarySI";
  } else if (exponent === undefined) return invalid;
  const scale = exponent - fraction.length + 9;
  const scaled = digits * (binary === undefined ? 1n : 2n ** BigInt(binary));
  let nanos = scale >= 0 ? scaled * 10n ** BigInt(scale) : divideUp(scaled, 10n ** BigInt(-scale));
  if (format === "BinarySI") {
    if (nanos > INT64_MAX * BILLION) nanos = INT64_MAX * BILLION;
    if (nanos > 0n && nanos < BILLION) format = "DecimalSI";
  }
  return success({ nanos: negative ? -nanos : nanos, format });
}

function divideUp(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

/** The quantity of a whole number. */
export function quantityOf(value: number | bigint): Quantity {
  return { nanos: BigInt(value) * BILLION, format: "DecimalExponent" };
}

/** The sum; it is written as the first quantity is, unless that is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** The difference; it is written as the first quantity is, unless that is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** -1, 0 or 1 as `a` is smaller than, equal to or greater than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}

/** -1, 0 or 1. */
export function signOf(a: Quantity): -1 | 0 | 1 {
  return a.nanos < 0n ? -1 : a.nanos > 0n ? 1 : 0;
}

/** The value as a 64-bit integer, if it is one. */
export function integerOf(a: Quantity): bigint | undefined {
  const value = a.nanos / BILLION;
  return a.nanos % BILLION === 0n && BigInt.asIntN(64, value) === value ? value : undefined;
}

/** The nearest double; beyond the range of doubles an infinity. */
export function floatOf(a: Quantity): number {
  return Number(`${a.nanos}e-9`);
}

/** The canonical form: the largest suffix that leaves a whole number, no digits lost. */
export function formatQuantity(a: Quantity): string {
  if (a.nanos === 0n) return "0";
  const whole = a.nanos % BILLION === 0n ? a.nanos / BILLION : undefined;
  if (a.format === "BinarySI" && whole !== undefined && (whole <= -1024n || whole >= 1024n)) {
    const [mantissa, times] = divideOut(whole, 1024n, 6);
    return `${mantissa}${["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][times] ?? ""}`;
  }
  const [mantissa, times] = divideOut(a.nanos, 1000n, Infinity);
  const exponent = times * 3 - 9;
  if (a.format !== "DecimalExponent" && exponent <= 18)
    return `${mantissa}${["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][times] ?? ""}`;
  return exponent === 0 ? String(mantissa) : `${mantissa}e${exponent}`;
}

function divideOut(value: bigint, factor: bigint, most: number): readonly [bigint, number] {
  let times = 0;
  let rest = value;
  while (times < most && rest % factor === 0n) {
    rest /= factor;
    times++;
  }
  return [rest, times];
}
