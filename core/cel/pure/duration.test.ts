import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import * as d from "./duration.ts";

describe("parseDuration", () => {
  test.each([
    ["0", 0, 0],
    ["-0", 0, 0],
    ["1h30m", 5400, 0],
    ["1.5s", 1, 500_000_000],
    ["-3ms", 0, -3_000_000],
    ["+3ms", 0, 3_000_000],
    ["2us", 0, 2000],
    ["2\u00b5s", 0, 2000],
    ["2\u03bcs", 0, 2000],
    ["7ns", 0, 7],
    [".5s", 0, 500_000_000],
    ["1.s", 1, 0],
    ["0.1h", 360, 0],
    ["1.0000000001s", 1, 0],
    ["1m1m", 120, 0],
    ["100s1h", 3700, 0],
    ["-1.5h", -5400, 0],
    ["9223372036.854775807s", 9_223_372_036, 854_775_807],
    ["-9223372036.854775808s", -9_223_372_036, -854_775_808],
    ["1.9999999999999999ns", 0, 1],
  ])("reads %s", (text, seconds, nanos) => {
    expect(d.parseDuration(text)).toEqual({ ok: true, value: { seconds, nanos } });
  });

  test.each([
    "",
    "-",
    "+",
    "1",
    "1.5",
    "s",
    ".s",
    "-.s",
    "1d",
    "1 s",
    "1s ",
    " 1s",
    "1S",
    "--1s",
    "1-s",
    "1h-30m",
    "1e3s",
    "0x1s",
    "١s",
    `${"1".repeat(256)}s`,
  ])("refuses %s", (text) => {
    const result = d.parseDuration(text);
    expect(result.ok ? "" : result.message).toContain("invalid duration");
  });

  test.each(["9223372036.854775808s", "-9223372036.854775809s", "320000000000s", "2562048h", `${"9".repeat(200)}h`])(
    "%s is out of range",
    (text) => {
      const result = d.parseDuration(text);
      expect(result.ok ? "" : result.message).toContain("out of range");
    },
  );

  test("reads back what formatDuration writes", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (total) => {
        const span = { seconds: Number(total / 1_000_000_000n), nanos: Number(total % 1_000_000_000n) };
        expect(d.parseDuration(d.formatDuration(span))).toEqual({ ok: true, value: span });
      }),
      { numRuns: 2000 },
    );
  });
});

test("formats seconds and their fraction", () => {
  expect(d.formatDuration({ seconds: 5400, nanos: 0 })).toBe("5400s");
  expect(d.formatDuration({ seconds: 0, nanos: -3_000_000 })).toBe("-0.003s");
  expect(d.formatDuration({ seconds: -1, nanos: -500_000_000 })).toBe("-1.5s");
  expect(d.formatDuration({ seconds: 0, nanos: 0 })).toBe("0s");
  expect(d.formatDuration({ seconds: 1, nanos: 1 })).toBe("1.000000001s");
});

test("arithmetic agrees with nanoseconds counted in one integer", () => {
  const nanos = (span: d.SecondsAndNanos): bigint => BigInt(span.seconds) * 1_000_000_000n + BigInt(span.nanos);
  const spans = fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((total) => ({ seconds: Number(total / 1_000_000_000n), nanos: Number(total % 1_000_000_000n) }));
  fc.assert(
    fc.property(spans, spans, (a, b) => {
      for (const [result, exact] of [
        [d.addDurations(a, b), nanos(a) + nanos(b)],
        [d.subtractDurations(a, b), nanos(a) - nanos(b)],
        [d.negateDuration(a), -nanos(a)],
      ] as const) {
        const fits = BigInt.asIntN(64, exact) === exact;
        expect(result.ok).toBe(fits);
        if (result.ok) {
          expect(nanos(result.value)).toBe(exact);
          expect(result.value.seconds * result.value.nanos).toBeGreaterThanOrEqual(0);
          expect(Object.is(result.value.seconds, -0) || Object.is(result.value.nanos, -0)).toBe(false);
        }
      }
      expect(Math.sign(d.compareTimes(a, b))).toBe(nanos(a) < nanos(b) ? -1 : nanos(a) > nanos(b) ? 1 : 0);
    }),
    { numRuns: 2000 },
  );
});

test("the parts are cut towards zero", () => {
  expect(d.durationHours(10_000)).toBe(2);
  expect(d.durationHours(-10_000)).toBe(-2);
  expect(Object.is(d.durationHours(-10), 0)).toBe(true);
  expect(d.durationMinutes(3730)).toBe(62);
  expect(d.durationMilliseconds(321_456_789)).toBe(321);
  expect(d.durationMilliseconds(-321_456_789)).toBe(-321);
});
