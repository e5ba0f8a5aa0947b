import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { formatDouble, formatFixed, formatHexBytes, formatInteger, formatScientific, parseTemplate } from "./format.ts";

test("templates are split into texts and clauses", () => {
  expect(parseTemplate("%%%s%% %.3f%e%x%X%d%b%o")).toEqual({
    ok: true,
    value: [
      "%",
      { kind: "s" },
      "% ",
      { kind: "f", precision: 3 },
      { kind: "e", precision: 6 },
      { kind: "x" },
      { kind: "X" },
      { kind: "d" },
      { kind: "b" },
      { kind: "o" },
    ],
  });
  expect(parseTemplate("plain")).toEqual({ ok: true, value: ["plain"] });
  expect(parseTemplate("")).toEqual({ ok: true, value: [] });
});

test.each(["%", "a%", "%5d", "%.f", "%.3", "%a", "%E", "%.101f", "%-s", "% s", "%.99999f"])(
  "%s is refused",
  (template) => {
    const result = parseTemplate(template);
    expect(result.ok ? "" : result.message).toContain("could not parse formatting clause");
  },
);

test.each([
  [1.2345, 3, "1.234"],
  [2.5, 0, "2"],
  [1.5, 0, "2"],
  [3.5001, 0, "4"],
  [-123.4999, 3, "-123.500"],
  [-1.2, 5, "-1.20000"],
  [0.000001, 3, "0.000"],
  [-0, 1, "-0.0"],
  [1e22, 1, "10000000000000000000000.0"],
  [0.1, 20, "0.10000000000000000555"],
  [0.125, 2, "0.12"],
  [0.375, 2, "0.38"],
  [5e-324, 3, "0.000"],
  [NaN, 2, "NaN"],
  [-Infinity, 2, "-Infinity"],
])("%d with %d digits after the point is %s", (value, precision, text) => {
  expect(formatFixed(value, precision)).toBe(text);
});

test.each([
  [1052.032911275, 6, "1.052033e+03"],
  [2.71828, 6, "2.718280e+00"],
  [0, 2, "0.00e+00"],
  [9.995, 2, "9.99e+00"],
  [9.9999, 2, "1.00e+01"],
  [1.5e300, 0, "2e+300"],
  [2.5, 0, "2e+00"],
  [-1e-7, 1, "-1.0e-07"],
  [5e-324, 2, "4.94e-324"],
  [Infinity, 1, "Infinity"],
])("%d in scientific notation with %d digits is %s", (value, precision, text) => {
  expect(formatScientific(value, precision)).toBe(text);
});

test("rounding agrees with toFixed and toExponential but for exact halves", () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e20, max: 1e20 }),
      fc.nat(20),
      (value, precision) => {
        const isHalf = Number.isInteger(value * 2 ** 21);
        if (!isHalf && !Object.is(value, -0) && value.toFixed(precision) !== `-${(0).toFixed(precision)}`)
          expect(formatFixed(value, precision)).toBe(value.toFixed(precision));
        if (!isHalf)
          expect(formatScientific(value, precision).replace(/e([+-])0(\d)$/, "e$1$2")).toBe(
            value.toExponential(precision),
          );
      },
    ),
    { numRuns: 3000 },
  );
});

test("the shortest form reads back and has no exponent", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Object.is(Number(formatDouble(value)), value)).toBe(true);
      expect(formatDouble(value)).not.toContain("e");
    }),
    { numRuns: 2000 },
  );
  expect([64.2, 1e21, 1e-7, -0, 0, 123456789, 100].map(formatDouble)).toEqual([
    "64.2",
    "1000000000000000000000",
    "0.0000001",
    "-0",
    "0",
    "123456789",
    "100",
  ]);
  expect([NaN, Infinity, -Infinity].map(formatDouble)).toEqual(["NaN", "Infinity", "-Infinity"]);
});

test("integers and bytes", () => {
  expect(formatInteger(-5, 2)).toBe("-101");
  expect(formatInteger(2n ** 64n - 1n, 16)).toBe("ffffffffffffffff");
  expect(formatInteger(11, 8)).toBe("13");
  expect(formatHexBytes(new Uint8Array([0, 10, 255]))).toBe("000aff");
});
