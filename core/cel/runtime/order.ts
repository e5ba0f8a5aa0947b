/** Ordering: strings by code point, bytes by octet, numbers by value across types. */
import { chargeText } from "../budget.ts";
import { Double, Duration, Timestamp, Uint, type Value } from "../values.ts";
import { SHORT_TEXT } from "./text.ts";

/**
 * Below zero where a comes first. UTF-16 order differs from that of code points only where a surrogate
 * meets a unit above the surrogates (U+E000 to U+FFFF).
 */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (i > SHORT_TEXT) chargeText(i);
    return x >= 0xd800 && y >= 0xd800 ? rank(x) - rank(y) : x - y;
  }
  if (length > SHORT_TEXT) chargeText(length);
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function compareTimes(a: Timestamp | Duration, b: Timestamp | Duration): number {
  return a.seconds === b.seconds ? a.nanos - b.nanos : a.seconds - b.seconds;
}

/**
 * The order of two universal values; NaN where they are numbers without one, undefined where the
 * language has none between their types.
 */
export function compare(a: Value, b: Value): number | undefined {
  const x = a instanceof Uint || a instanceof Double ? a.value : a;
  const y = b instanceof Uint || b instanceof Double ? b.value : b;
  if ((typeof x === "number" || typeof x === "bigint") && (typeof y === "number" || typeof y === "bigint")) {
    return typeof x === typeof y ? order(x, y) : order(Number(x), Number(y));
  }
  if (typeof x === "string" && typeof y === "string") return compareStrings(x, y);
  if (typeof x === "boolean" && typeof y === "boolean") return Number(x) - Number(y);
  if (x instanceof Uint8Array && y instanceof Uint8Array) return compareBytes(x, y);
  if (x instanceof Timestamp && y instanceof Timestamp) return compareTimes(x, y);
  if (x instanceof Duration && y instanceof Duration) return compareTimes(x, y);
  return undefined;
}

/** An int beyond 2^53 and a double compare as doubles: the specification's tests want 2^63-1 not below 2^63. */
function order(x: number | bigint, y: number | bigint): number {
  if (x < y) return -1;
  if (x > y) return 1;
  return x === y ? 0 : Number.NaN;
}
