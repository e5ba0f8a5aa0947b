import { duration, formatFraction, type SecondsAndNanos } from "./duration.ts";
import { failure, success, type Result } from "./result.ts";

/** 0001-01-01T00:00:00Z. */
export const MIN_TIMESTAMP_SECONDS = -62_135_596_800;
/** 9999-12-31T23:59:59Z. */
export const MAX_TIMESTAMP_SECONDS = 253_402_300_799;

const NANOS = 1_000_000_000;
const DAY = 86_400;

const OUT_OF_RANGE = failure("timestamp out of range: it must lie in the years 0001 to 9999");

/**
 * Reads a date and time of RFC 3339 (section 5.6), with up to nine digits of a second. A day that its month does
 * not have and a leap second are refused.
 */
export function parseTimestamp(text: string): Result<SecondsAndNanos> {
  const match = text.length > 64 ? null : RFC3339.exec(text);
  if (match === null) {
    // The specification's tests want years of five digits to be a range error.
    return /^\d{5,}-\d\d-\d\d[Tt]/.test(text)
      ? OUT_OF_RANGE
      : failure(`invalid timestamp ${JSON.stringify(text.slice(0, 64))}`);
  }
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((i) => Number(match[i])) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (second === 60) return failure(`invalid timestamp ${JSON.stringify(text)}: leap seconds are not supported`);
  if (day > daysInMonth(year, month))
    return failure(`invalid timestamp ${JSON.stringify(text)}: its month has no such day`);
  const nanos = Number((match[7] ?? "").padEnd(9, "0"));
  const offset = (match[8] === "-" ? -1 : 1) * (Number(match[9] ?? 0) * 3600 + Number(match[10] ?? 0) * 60);
  return timestamp(daysFromCivil(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset, nanos);
}

const RFC3339 =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** Makes an instant of seconds and nanoseconds, |nanos| below 2 · 10⁹, if it is in range. */
export function timestamp(seconds: number, nanos: number): Result<SecondsAndNanos> {
  const carry = Math.floor(nanos / NANOS);
  const s = seconds + carry;
  if (!(s >= MIN_TIMESTAMP_SECONDS && s <= MAX_TIMESTAMP_SECONDS)) return OUT_OF_RANGE;
  return success({ seconds: s, nanos: nanos - carry * NANOS });
}

/** The instant a span after another. */
export function addToTimestamp(at: SecondsAndNanos, span: SecondsAndNanos): Result<SecondsAndNanos> {
  return timestamp(at.seconds + span.seconds, at.nanos + span.nanos);
}

/** The instant a span before another. */
export function subtractFromTimestamp(at: SecondsAndNanos, span: SecondsAndNanos): Result<SecondsAndNanos> {
  return timestamp(at.seconds - span.seconds, at.nanos - span.nanos);
}

/** The span from `b` to `a`; out of range beyond some 292 years. */
export function timestampDifference(a: SecondsAndNanos, b: SecondsAndNanos): Result<SecondsAndNanos> {
  return duration(a.seconds - b.seconds, a.nanos - b.nanos);
}

/** RFC 3339 in UTC, with as many digits of a second as are needed. */
export function formatTimestamp(at: SecondsAndNanos): string {
  const date = civilFromDays(Math.floor(at.seconds / DAY));
  const inDay = secondOfDay(at.seconds);
  const clock = [Math.floor(inDay / 3600), Math.floor(inDay / 60) % 60, inDay % 60].map(twoDigits).join(":");
  return `${String(date.year).padStart(4, "0")}-${twoDigits(date.month)}-${twoDigits(date.day)}T${clock}${formatFraction(at.nanos)}Z`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function secondOfDay(seconds: number): number {
  return ((seconds % DAY) + DAY) % DAY;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/**
 * Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted from March, so that the
 * leap day is a year's last.
 */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

function civilFromDays(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

/*
 * Parts of a date and time. Each takes seconds of local time: those of the instant plus the zone's offset
 * (`Zone.offsetAt`, 0 for UTC). Which of them count from zero is the specification's choice.
 */

/** The year. */
export function fullYear(localSeconds: number): number {
  return civilFromDays(Math.floor(localSeconds / DAY)).year;
}

/** The month, from 0. */
export function month(localSeconds: number): number {
  return civilFromDays(Math.floor(localSeconds / DAY)).month - 1;
}

/** The day of the month, from 1. */
export function date(localSeconds: number): number {
  return civilFromDays(Math.floor(localSeconds / DAY)).day;
}

/** The day of the month, from 0. */
export function dayOfMonth(localSeconds: number): number {
  return date(localSeconds) - 1;
}

/** The day of the year, from 0. */
export function dayOfYear(localSeconds: number): number {
  const days = Math.floor(localSeconds / DAY);
  return days - daysFromCivil(civilFromDays(days).year, 1, 1);
}

/** The day of the week, from 0 for Sunday. */
export function dayOfWeek(localSeconds: number): number {
  return (((Math.floor(localSeconds / DAY) + 4) % 7) + 7) % 7;
}

/** The hour, 0 to 23. */
export function hours(localSeconds: number): number {
  return Math.floor(secondOfDay(localSeconds) / 3600);
}

/** The minute, 0 to 59. */
export function minutes(localSeconds: number): number {
  return Math.floor(secondOfDay(localSeconds) / 60) % 60;
}

/** The second, 0 to 59. */
export function seconds(localSeconds: number): number {
  return secondOfDay(localSeconds) % 60;
}

/** The milliseconds within the second. */
export function milliseconds(nanos: number): number {
  return Math.floor(nanos / 1_000_000);
}
