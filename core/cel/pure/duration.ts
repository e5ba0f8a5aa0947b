import { failure, success, type Result } from "./result.ts";

/** Whole seconds and the nanoseconds left over; for a span both have the same sign, for an instant nanos is 0 to 999,999,999. */
export type SecondsAndNanos = { readonly seconds: number; readonly nanos: number };

const NANOS = 1_000_000_000;
/** A span is an int64 of nanoseconds, some 292 years either way, as in cel-go and the specification's tests. */
const MAX_SECONDS = 9_223_372_036;
const MAX_NANOS = 854_775_807;
/** Longest text read as a duration. */
const MAX_TEXT = 256;

const OUT_OF_RANGE = failure("duration out of range: it must fit in 64 bits of nanoseconds");

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00b5s", 1_000n],
  ["\u03bcs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

/**
 * Reads a duration as Go writes it: an optional sign, then numbers with a unit each ("1h30m", "-1.5s", "0"). What
 * is finer than a nanosecond is cut off.
 */
export function parseDuration(text: string): Result<SecondsAndNanos> {
  const bad = failure(`invalid duration ${JSON.stringify(text.slice(0, 64))}`);
  if (text.length > MAX_TEXT) return bad;
  const negative = text.startsWith("-");
  const body = negative || text.startsWith("+") ? text.slice(1) : text;
  if (body === "0") return success({ seconds: 0, nanos: 0 });
  if (body === "") return bad;
  let total = 0n;
  const term = /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;
  while (term.lastIndex < body.length) {
    const match = term.exec(body);
    const unit = UNITS.get(match?.[3] ?? "");
    if (match === null || unit === undefined) return bad;
    const whole = match[1] ?? "";
    const fraction = match[2] ?? "";
    if (whole === "" && fraction === "") return bad;
    total += BigInt(whole) * unit + (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
  }
  return fromNanoseconds(negative ? -total : total);
}

function fromNanoseconds(total: bigint): Result<SecondsAndNanos> {
  if (BigInt.asIntN(64, total) !== total) return OUT_OF_RANGE;
  return success({ seconds: Number(total / 1_000_000_000n), nanos: Number(total % 1_000_000_000n) });
}

/** Makes a span of seconds and nanoseconds that may differ in sign, |nanos| below 2 · 10⁹. */
export function duration(seconds: number, nanos: number): Result<SecondsAndNanos> {
  let s = seconds + Math.trunc(nanos / NANOS);
  let n = nanos % NANOS;
  if (s > 0 && n < 0) {
    s--;
    n += NANOS;
  } else if (s < 0 && n > 0) {
    s++;
    n -= NANOS;
  }
  const magnitude = Math.abs(s);
  const nanoLimit = s < 0 ? MAX_NANOS + 1 : MAX_NANOS;
  if (magnitude > MAX_SECONDS || (magnitude === MAX_SECONDS && Math.abs(n) > nanoLimit)) return OUT_OF_RANGE;
  return success({ seconds: s + 0, nanos: n + 0 }); // + 0: never -0
}

/** The sum of two spans. */
export function addDurations(a: SecondsAndNanos, b: SecondsAndNanos): Result<SecondsAndNanos> {
  return duration(a.seconds + b.seconds, a.nanos + b.nanos);
}

/** The difference of two spans. */
export function subtractDurations(a: SecondsAndNanos, b: SecondsAndNanos): Result<SecondsAndNanos> {
  return duration(a.seconds - b.seconds, a.nanos - b.nanos);
}

/** The span in the other direction. */
export function negateDuration(a: SecondsAndNanos): Result<SecondsAndNanos> {
  return duration(-a.seconds, -a.nanos);
}

/** Negative, zero or positive as `a` is before, equal to or after `b`; for spans and instants alike. */
export function compareTimes(a: SecondsAndNanos, b: SecondsAndNanos): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}

/** Seconds with up to nine digits after the point and "s", as protobuf's JSON form and `string(duration)` have it. */
export function formatDuration(value: SecondsAndNanos): string {
  const sign = value.seconds < 0 || value.nanos < 0 ? "-" : "";
  return `${sign}${Math.abs(value.seconds)}${formatFraction(Math.abs(value.nanos))}s`;
}

/** ".5" for 500,000,000; nothing for 0. */
export function formatFraction(nanos: number): string {
  return nanos === 0
    ? ""
    : `.${String(nanos)
        .padStart(9, "0")
        .replace(/0{1,9}$/, "")}`;
}

/** The whole hours of the span, cut towards zero. */
export function durationHours(seconds: number): number {
  return Math.trunc(seconds / 3600) + 0;
}

/** The whole minutes of the span, cut towards zero. */
export function durationMinutes(seconds: number): number {
  return Math.trunc(seconds / 60) + 0;
}

/** The milliseconds within the last second (cel-spec, "getMilliseconds"). */
export function durationMilliseconds(nanos: number): number {
  return Math.trunc(nanos / 1_000_000) + 0;
}
