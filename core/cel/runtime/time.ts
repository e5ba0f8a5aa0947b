/** Arithmetic on timestamps and durations, on values of the language. */
import * as span from "../pure/duration.ts";
import type { Result } from "../pure/result.ts";
import * as instant from "../pure/timestamp.ts";
import { CelError, Duration, Timestamp } from "../values.ts";

/** An instant computed, or the range error. */
export function toTimestamp(result: Result<span.SecondsAndNanos>): Timestamp | CelError {
  if (!result.ok) return new CelError("range", result.message);
  return new Timestamp(result.value.seconds, result.value.nanos);
}

/** A span computed, or the range error. */
export function toDuration(result: Result<span.SecondsAndNanos>): Duration | CelError {
  if (!result.ok) return new CelError("range", result.message);
  return new Duration(result.value.seconds + 0, result.value.nanos + 0);
}

export function addTimestampDuration(a: Timestamp, b: Duration): Timestamp | CelError {
  return toTimestamp(instant.addToTimestamp(a, b));
}

export function subtractTimestampDuration(a: Timestamp, b: Duration): Timestamp | CelError {
  return toTimestamp(instant.subtractFromTimestamp(a, b));
}

export function subtractTimestamps(a: Timestamp, b: Timestamp): Duration | CelError {
  return toDuration(instant.timestampDifference(a, b));
}

export function addDurations(a: Duration, b: Duration): Duration | CelError {
  return toDuration(span.addDurations(a, b));
}

export function subtractDurations(a: Duration, b: Duration): Duration | CelError {
  return toDuration(span.subtractDurations(a, b));
}
