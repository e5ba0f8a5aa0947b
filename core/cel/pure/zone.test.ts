import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { fastestMs } from "../../../test/support/fastest.ts";
import { hours, parseTimestamp } from "./timestamp.ts";
import { lookUpZone, type Zone } from "./zone.ts";

function zone(name: string): Zone {
  const found = lookUpZone(name);
  if (!found.ok) throw new Error(found.message);
  return found.value;
}

function at(text: string): number {
  const parsed = parseTimestamp(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value.seconds;
}

test("fixed offsets, with and without a sign", () => {
  expect(zone("+05:30").offsetAt(0)).toBe(19_800);
  expect(zone("-02:30").offsetAt(0)).toBe(-9000);
  expect(zone("02:00").offsetAt(0)).toBe(7200);
  expect(zone("-00:00").offsetAt(0) + 0).toBe(0);
  expect(zone("+14:00").offsetAt(0)).toBe(50_400);
});

test("named zones, summer time and history", () => {
  expect(zone("UTC").offsetAt(0)).toBe(0);
  expect(zone("Asia/Kathmandu").offsetAt(at("2009-02-13T23:31:30Z"))).toBe(20_700);
  expect(zone("Europe/Zurich").offsetAt(at("2026-03-29T00:59:59Z"))).toBe(3600);
  expect(zone("Europe/Zurich").offsetAt(at("2026-03-29T01:00:00Z"))).toBe(7200);
  expect(zone("America/New_York").offsetAt(at("1880-01-01T00:00:00Z"))).toBe(-17_762);
  // Local mean time ended in the middle of a quarter of an hour: the sun stood highest at 12:03:58.
  const end = at("1883-11-18T17:00:00Z");
  expect(zone("America/New_York").offsetAt(end - 1)).toBe(-17_762);
  expect(zone("America/New_York").offsetAt(end)).toBe(-18_000);
  expect(zone("US/Central").offsetAt(at("2009-02-13T23:31:30Z"))).toBe(-21_600);
  expect(zone("Etc/GMT+5").offsetAt(0)).toBe(-18_000);
  expect(zone("Africa/Monrovia").offsetAt(at("1972-01-07T00:44:29Z"))).toBe(-2670);
  expect(zone("Africa/Monrovia").offsetAt(at("1972-01-07T00:44:30Z"))).toBe(0);
});

test("remembered offsets are those of the runtime's own formatter", () => {
  const names = [
    "Europe/Zurich",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Tehran",
  ];
  const oracles = names.map(
    (name) => new Intl.DateTimeFormat("en-US", { timeZone: name, hour: "2-digit", hourCycle: "h23" }),
  );
  fc.assert(
    fc.property(
      fc.nat(names.length - 1),
      fc.integer({ min: at("1900-01-01T00:00:00Z"), max: at("2100-01-01T00:00:00Z") }),
      fc.nat(2000),
      (which, seconds, later) => {
        const found = zone(names[which] ?? "");
        for (const instant of [seconds, seconds + later, seconds]) {
          expect(hours(instant + found.offsetAt(instant))).toBe(Number(oracles[which]?.format(instant * 1000)));
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test.each([
  "",
  "Z",
  "Local",
  "Foo/Bar",
  "europe/zurich",
  "+5:30",
  "+15:00",
  "+05:60",
  "+05",
  "05:30:00",
  "Europe/Zurich ",
  "../etc/passwd",
  "GMT+1",
  "__proto__",
  "A".repeat(100),
])("%s is no zone", (name) => {
  const result = lookUpZone(name);
  expect(result.ok ? "" : result.message).toContain("unknown time zone");
});

test("zones are remembered, a bounded number of them", () => {
  const first = zone("+00:01");
  expect(zone("+00:01")).toBe(first);
  for (let i = 0; i < 60; i++) for (const hour of ["01", "02"]) zone(`+${hour}:${String(i).padStart(2, "0")}`);
  expect(zone("+00:01")).not.toBe(first);
  expect(zone("UTC").offsetAt(0)).toBe(0);
});

test("a warm look-up takes well under a microsecond", () => {
  const zurich = zone("Europe/Zurich");
  const now = at("2026-11-21T09:00:00Z");
  let sum = 0;
  for (let i = 0; i < 100_000; i++) sum += hours(now + zurich.offsetAt(now));
  const elapsed = fastestMs(() => {
    for (let i = 0; i < 100_000; i++) sum += hours(now + (i & 511) + zurich.offsetAt(now + (i & 511)));
  }, 50);
  expect(elapsed / 100_000).toBeLessThan(0.001);
  expect(sum % 1_000_000).toBe(0);
});
