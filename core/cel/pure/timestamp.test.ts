import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import * as t from "./timestamp.ts";
import type { SecondsAndNanos } from "./duration.ts";
import type { Result } from "./result.ts";

function value(result: Result<SecondsAndNanos>): SecondsAndNanos {
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

describe("parseTimestamp", () => {
  test.each([
    ["1970-01-01T00:00:00Z", 0, 0],
    ["2009-02-13T23:31:30Z", 1234567890, 0],
    ["2009-02-13t23:31:30z", 1234567890, 0],
    ["2009-02-14T05:01:30.5+05:30", 1234567890, 500_000_000],
    ["2009-02-13T23:31:30.000000001-00:00", 1234567890, 1],
    ["0001-01-01T00:00:00Z", t.MIN_TIMESTAMP_SECONDS, 0],
    ["9999-12-31T23:59:59.999999999Z", t.MAX_TIMESTAMP_SECONDS, 999_999_999],
    ["2024-02-29T00:00:00Z", 1709164800, 0],
    ["2000-02-29T00:00:00Z", 951782400, 0],
    ["1969-12-31T23:59:59.25Z", -1, 250_000_000],
  ])("reads %s", (text, seconds, nanos) => {
    expect(t.parseTimestamp(text)).toEqual({ ok: true, value: { seconds, nanos } });
  });

  test.each([
    "",
    "2009-02-13",
    "2009-02-13T23:31:30",
    "2009-02-13 23:31:30Z",
    " 2009-02-13T23:31:30Z",
    "2009-02-13T23:31:30Z ",
    "2009-02-13T23:31:30.Z",
    "2024-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2024-04-31T00:00:00Z",
    "2024-13-01T00:00:00Z",
    "2024-00-01T00:00:00Z",
    "2024-01-00T00:00:00Z",
    "2024-01-32T00:00:00Z",
    "2024-01-01T24:00:00Z",
    "2024-01-01T00:60:00Z",
    "2016-12-31T23:59:60Z",
    "2024-01-01T00:00:00+24:00",
    "2024-01-01T00:00:00+0530",
    "2024-01-01T00:00:00.1234567890Z",
    "+2024-01-01T00:00:00Z",
    "-001-01-01T00:00:00Z",
    "1234567890",
    "２０２４-01-01T00:00:00Z",
  ])("refuses %s", (text) => {
    const result = t.parseTimestamp(text);
    expect(result).toEqual({ ok: false, message: result.ok ? "" : result.message });
    if (!result.ok) expect(result.message).toContain("invalid timestamp");
  });

  test.each([
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
  ])("%s is out of range", (text) => {
    const result = t.parseTimestamp(text);
    expect(result.ok ? "" : result.message).toContain("range");
  });

  test("reads back what formatTimestamp writes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: t.MIN_TIMESTAMP_SECONDS, max: t.MAX_TIMESTAMP_SECONDS }),
        fc.nat(999_999_999),
        (seconds, nanos) => {
          expect(t.parseTimestamp(t.formatTimestamp({ seconds, nanos }))).toEqual({
            ok: true,
            value: { seconds, nanos },
          });
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test("parts agree with Date over the whole range", () => {
  fc.assert(
    fc.property(fc.integer({ min: t.MIN_TIMESTAMP_SECONDS, max: t.MAX_TIMESTAMP_SECONDS }), (at) => {
      const date = new Date(at * 1000);
      expect([
        t.fullYear(at),
        t.month(at),
        t.date(at),
        t.dayOfMonth(at),
        t.dayOfWeek(at),
        t.hours(at),
        t.minutes(at),
        t.seconds(at),
      ]).toEqual([
        date.getUTCFullYear(),
        date.getUTCMonth(),
        date.getUTCDate(),
        date.getUTCDate() - 1,
        date.getUTCDay(),
        date.getUTCHours(),
        date.getUTCMinutes(),
        date.getUTCSeconds(),
      ]);
      const newYear = new Date(0);
      newYear.setUTCFullYear(date.getUTCFullYear(), 0, 1);
      expect(t.dayOfYear(at)).toBe(Math.floor((date.getTime() - newYear.getTime()) / 86_400_000));
    }),
    { numRuns: 3000 },
  );
});

test("parts of the last day of a leap year and of the first instants", () => {
  const last = value(t.parseTimestamp("2024-12-31T23:59:59.987654321Z"));
  expect(t.dayOfYear(last.seconds)).toBe(365);
  expect(t.milliseconds(last.nanos)).toBe(987);
  expect(t.dayOfYear(t.MIN_TIMESTAMP_SECONDS)).toBe(0);
  expect(t.dayOfWeek(t.MIN_TIMESTAMP_SECONDS)).toBe(1);
  // A zone west of Greenwich puts the first instant into the year before the first.
  expect(t.fullYear(t.MIN_TIMESTAMP_SECONDS - 3600)).toBe(0);
});

test("adds and subtracts, and says when the result is out of range", () => {
  const at = { seconds: 10, nanos: 500_000_000 };
  expect(t.addToTimestamp(at, { seconds: 1, nanos: 600_000_000 })).toEqual({
    ok: true,
    value: { seconds: 12, nanos: 100_000_000 },
  });
  expect(t.addToTimestamp(at, { seconds: -1, nanos: -600_000_000 })).toEqual({
    ok: true,
    value: { seconds: 8, nanos: 900_000_000 },
  });
  expect(t.subtractFromTimestamp(at, { seconds: 1, nanos: 600_000_000 })).toEqual({
    ok: true,
    value: { seconds: 8, nanos: 900_000_000 },
  });
  expect(t.timestampDifference(at, { seconds: 11, nanos: 250_000_000 })).toEqual({
    ok: true,
    value: { seconds: 0, nanos: -750_000_000 },
  });
  const first = { seconds: t.MIN_TIMESTAMP_SECONDS, nanos: 0 };
  const last = { seconds: t.MAX_TIMESTAMP_SECONDS, nanos: 999_999_999 };
  for (const result of [
    t.subtractFromTimestamp(first, { seconds: 0, nanos: 1 }),
    t.addToTimestamp(last, { seconds: 0, nanos: 1 }),
    t.timestampDifference(last, first),
  ]) {
    expect(result.ok ? "" : result.message).toContain("out of range");
  }
});

test("a number that is no instant is out of range", () => {
  expect(t.timestamp(NaN, 0).ok).toBe(false);
  expect(t.timestamp(Infinity, 0).ok).toBe(false);
});
