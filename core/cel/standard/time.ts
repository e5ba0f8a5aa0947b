import type { FunctionDeclaration, Implementation, Library, Overload } from "../declarations.ts";
import { parseDuration } from "../pure/duration.ts";
import * as clock from "../pure/timestamp.ts";
import { lookUpZone } from "../pure/zone.ts";
import { toDuration, toTimestamp } from "../runtime/time.ts";
import { DURATION, INT, STRING, TIMESTAMP } from "../types.ts";
import { CelError, celError, type Duration, type Int, type Timestamp, type Value } from "../values.ts";

/** Reads a part of a local time (seconds since 1970 with the zone's offset added). */
type Part = (localSeconds: number) => number;

function inZone(part: Part): (at: Timestamp, zone: string) => number | CelError {
  return (at, zone) => {
    const found = lookUpZone(zone);
    return found.ok ? part(at.seconds + found.value.offsetAt(at.seconds)) : celError(found.message);
  };
}

/** A constant zone is looked up when the expression is compiled. */
function constantZone(
  part: Part,
): (constants: readonly (Value | undefined)[]) => Implementation | CelError | undefined {
  return ([, name]) => {
    if (typeof name !== "string") return undefined;
    const found = lookUpZone(name);
    if (!found.ok) return celError(found.message);
    const zone = found.value;
    return (at: Timestamp) => part(at.seconds + zone.offsetAt(at.seconds));
  };
}

/** A part of a timestamp in UTC or in a zone, and where there is one, of a duration. */
function accessor(
  name: string,
  doc: string,
  part: Part,
  ofDuration: ((span: Duration) => Int) | undefined,
  examples: readonly (readonly [string, string])[],
): FunctionDeclaration {
  const overloads: Overload[] = [
    {
      id: `timestamp_${name}`,
      member: true,
      params: [TIMESTAMP],
      result: INT,
      total: true,
      call: (at: Timestamp) => part(at.seconds),
    },
    {
      id: `timestamp_${name}_zone`,
      member: true,
      params: [TIMESTAMP, STRING],
      result: INT,
      call: inZone(part),
      specialise: constantZone(part),
    },
  ];
  if (ofDuration !== undefined) {
    const id = `duration_${name}`;
    overloads.push({ id, member: true, params: [DURATION], result: INT, total: true, call: ofDuration });
  }
  return { name, doc, overloads, examples: examples.map(([expression, result]) => ({ expression, result })) };
}

/** Milliseconds are no matter of zones, so they are read from the nanoseconds. */
function milliseconds(): FunctionDeclaration {
  const call = (at: Timestamp): number => clock.milliseconds(at.nanos);
  const inAnyZone = (at: Timestamp, zone: string): number | CelError => {
    const found = lookUpZone(zone);
    return found.ok ? call(at) : celError(found.message);
  };
  return {
    name: "getMilliseconds",
    doc: "The milliseconds within the second.",
    overloads: [
      { id: "timestamp_getMilliseconds", member: true, params: [TIMESTAMP], result: INT, total: true, call },
      { id: "timestamp_getMilliseconds_zone", member: true, params: [TIMESTAMP, STRING], result: INT, call: inAnyZone },
      {
        id: "duration_getMilliseconds",
        member: true,
        params: [DURATION],
        result: INT,
        total: true,
        call: (span: Duration) => Math.trunc(span.nanos / 1e6) + 0,
      },
    ],
    examples: [{ expression: "timestamp('2026-11-21T07:00:00.25Z').getMilliseconds()", result: "250" }],
  };
}

/** Text to a value, where a constant text is read when the expression is compiled. */
function parsed(read: (text: string) => Timestamp | Duration | CelError): Pick<Overload, "call" | "specialise"> {
  return {
    call: read,
    specialise: ([text]) => {
      if (typeof text !== "string") return undefined;
      const value = read(text);
      return value instanceof CelError ? value : () => value;
    },
  };
}

const MORNING = "timestamp('2026-11-21T07:05:09Z')";
const wholeSeconds = (span: Duration): number => span.seconds;

/** Timestamps and durations. */
export const TIME: Library = {
  name: "time",
  doc: "Timestamps (nanoseconds, the years 1 to 9999) and durations. Zones are names of the IANA database or offsets such as `+05:30`; without one it is UTC.",
  macros: [],
  functions: [
    {
      name: "timestamp",
      doc: "A timestamp from RFC 3339 text, or from seconds since 1970.",
      overloads: [
        {
          id: "timestamp_to_timestamp",
          params: [TIMESTAMP],
          result: TIMESTAMP,
          total: true,
          call: (at: Timestamp) => at,
        },
        {
          id: "string_to_timestamp",
          params: [STRING],
          result: TIMESTAMP,
          ...parsed((text) => toTimestamp(clock.parseTimestamp(text))),
        },
        {
          id: "int_to_timestamp",
          params: [INT],
          result: TIMESTAMP,
          call: (seconds: Int) => toTimestamp(clock.timestamp(Number(seconds), 0)),
        },
      ],
      examples: [
        { expression: "timestamp('2026-11-21T08:00:00+01:00') == timestamp('2026-11-21T07:00:00Z')", result: "true" },
      ],
    },
    {
      name: "duration",
      doc: "A duration from numbers with units: `1h30m`, `1.5s`, `-3ms`; the units are h, m, s, ms, us, ns.",
      overloads: [
        {
          id: "duration_to_duration",
          params: [DURATION],
          result: DURATION,
          total: true,
          call: (span: Duration) => span,
        },
        {
          id: "string_to_duration",
          params: [STRING],
          result: DURATION,
          ...parsed((text) => toDuration(parseDuration(text))),
        },
      ],
      examples: [{ expression: "duration('90m') == duration('1h30m')", result: "true" }],
    },
    accessor("getFullYear", "The year.", clock.fullYear, undefined, [[`${MORNING}.getFullYear()`, "2026"]]),
    accessor("getMonth", "The month, from 0 for January.", clock.month, undefined, [[`${MORNING}.getMonth()`, "10"]]),
    accessor("getDate", "The day of the month, from 1.", clock.date, undefined, [[`${MORNING}.getDate()`, "21"]]),
    accessor("getDayOfMonth", "The day of the month, from 0.", clock.dayOfMonth, undefined, [
      [`${MORNING}.getDayOfMonth()`, "20"],
    ]),
    accessor("getDayOfWeek", "The day of the week, from 0 for Sunday.", clock.dayOfWeek, undefined, [
      [`${MORNING}.getDayOfWeek()`, "6"],
    ]),
    accessor("getDayOfYear", "The day of the year, from 0.", clock.dayOfYear, undefined, [
      [`${MORNING}.getDayOfYear()`, "324"],
    ]),
    accessor(
      "getHours",
      "The hour of the day, 0 to 23; of a duration, its whole hours.",
      clock.hours,
      (span) => Math.trunc(span.seconds / 3600) + 0,
      [
        [`${MORNING}.getHours('Europe/Zurich')`, "8"],
        ["duration('90m').getHours()", "1"],
      ],
    ),
    accessor(
      "getMinutes",
      "The minute of the hour; of a duration, its whole minutes.",
      clock.minutes,
      (span) => Math.trunc(span.seconds / 60) + 0,
      [[`${MORNING}.getMinutes()`, "5"]],
    ),
    accessor("getSeconds", "The second of the minute; of a duration, its whole seconds.", clock.seconds, wholeSeconds, [
      [`${MORNING}.getSeconds()`, "9"],
    ]),
    milliseconds(),
  ],
};
