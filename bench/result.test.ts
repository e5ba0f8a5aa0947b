import { describe, expect, test } from "@jest/globals";
import { clears, formatBar, formatRows, spread } from "./result.ts";

test("a spread is the least, the middle and the most", () => {
  expect(spread([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
  expect(spread([4, 1, 2, 3])).toEqual({ min: 1, median: 2.5, max: 4 });
  expect(spread([]).median).toBeNaN();
});

describe("a bar", () => {
  test("is cleared from its own side, the limit included", () => {
    expect(clears({ name: "x", value: 1, atLeast: 1 })).toBe(true);
    expect(clears({ name: "x", value: 0.99, atLeast: 1 })).toBe(false);
    expect(clears({ name: "x", value: 300, atMost: 300 })).toBe(true);
    expect(clears({ name: "x", value: 301, atMost: 300 })).toBe(false);
  });

  test("is missed by what was not measured", () => {
    expect(clears({ name: "x", value: NaN, atLeast: 1 })).toBe(false);
    expect(formatBar({ name: "x", value: NaN, atMost: 1 })).toMatch(/^MISSED x: NaN \(≤ 1\)$/u);
  });
});

test("a void row shows its reason and no figures", () => {
  const rows = [
    { name: "a", figures: { "p50 ms": spread([1, 2, 3]) } },
    { name: "b", figures: {}, void: "the intruder got 200" },
  ];
  expect(formatRows(rows)).toBe("a: p50 ms 2.000 (1.000–3.000)\nb: void: the intruder got 200");
});
