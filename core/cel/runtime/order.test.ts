import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { equals } from "../equality.ts";
import { boxDouble, Duration, normalise, Optional, Timestamp, Uint, UintKeyMap, type Value } from "../values.ts";
import { compare, compareStrings } from "./order.ts";
import { codePoints } from "./text.ts";

const anyString = fc.string({ unit: "binary", maxLength: 20 });
/** Any UTF-16 units at all, so also surrogates without partners. */
const anyUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
  .map((units) => String.fromCharCode(...units));

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, true, false, boxDouble(-0), boxDouble(0), Number.NaN, Infinity, -Infinity),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(normalise),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => new Uint(normalise(value))),
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: 0, max: 3 }).map((value) => new Uint(value)),
  fc.double().map(boxDouble),
  fc.integer({ min: -3, max: 3 }).map(boxDouble),
  anyString,
  fc.uint8Array({ maxLength: 3 }),
  fc.tuple(fc.integer(), fc.nat(3)).map(([seconds, nanos]) => new Timestamp(seconds, nanos)),
  fc.tuple(fc.integer({ min: -2, max: 2 }), fc.constant(0)).map(([seconds, nanos]) => new Duration(seconds, nanos)),
);

const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(anyString, tie("value")), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.dictionary(fc.constantFrom("a", "b", "__proto__", "constructor"), tie("value"), { noNullPrototype: false }),
    tie("value").map((inner) => new Optional(inner)),
  ),
})).value;

function holdsNaN(given: Value): boolean {
  if (typeof given === "number") return Number.isNaN(given);
  if (Array.isArray(given)) return (given as readonly Value[]).some(holdsNaN);
  if (given instanceof Optional) return given.value !== undefined && holdsNaN(given.value);
  if (given instanceof Map) return [...(given as ReadonlyMap<string, Value>).values()].some(holdsNaN);
  if (typeof given !== "object" || given === null || given instanceof Uint8Array) return false;
  return Object.values(given as object).some((inner: unknown) => holdsNaN(inner as Value));
}

describe("equality", () => {
  test("holds of a value and itself unless NaN is in it", () => {
    fc.assert(fc.property(value, (a) => expect(equals(a, a)).toBe(!holdsNaN(a))));
  });

  test("holds of two values in both directions or in none", () => {
    fc.assert(fc.property(value, value, (a, b) => expect(equals(a, b)).toBe(equals(b, a))));
  });

  test("agrees with the order of what has one", () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        const order = compare(a, b);
        if (order !== undefined) expect(equals(a, b)).toBe(order === 0);
      }),
      { numRuns: 2_000 },
    );
  });

  test("does not tell a Map from an object with the same entries", () => {
    const map = new UintKeyMap();
    map.set("a", [1]);
    expect(equals(map, { a: [1] })).toBe(true);
    expect(equals({ a: [new Uint(1)] }, map)).toBe(true);
    expect(equals(map, { b: [1] })).toBe(false);
    expect(equals({ a: null }, { b: null })).toBe(false);
  });
});

describe("strings", () => {
  test("compare by code point", () => {
    const byCodePoint = (a: string, b: string): number => {
      const [x, y] = [Array.from(a), Array.from(b)].map((points) => points.map((point) => point.codePointAt(0) ?? 0));
      for (let i = 0; i < Math.min(x?.length ?? 0, y?.length ?? 0); i++) {
        const difference = (x?.[i] ?? 0) - (y?.[i] ?? 0);
        if (difference !== 0) return difference;
      }
      return (x?.length ?? 0) - (y?.length ?? 0);
    };
    fc.assert(
      fc.property(anyString, anyString, (a, b) =>
        expect(Math.sign(compareStrings(a, b))).toBe(Math.sign(byCodePoint(a, b))),
      ),
      { numRuns: 2_000 },
    );
  });

  test("have an order even where they are no unicode", () => {
    fc.assert(
      fc.property(anyUnits, anyUnits, anyUnits, (a, b, c) => {
        expect(Math.sign(compareStrings(a, b))).toBe(-Math.sign(compareStrings(b, a)) + 0);
        if (compareStrings(a, b) <= 0 && compareStrings(b, c) <= 0) expect(compareStrings(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test("are as long as they have code points", () => {
    fc.assert(fc.property(anyUnits, (text) => expect(codePoints(text)).toBe(Array.from(text).length)));
    fc.assert(
      fc.property(anyUnits, (text) => expect(codePoints(text.repeat(9))).toBe(Array.from(text.repeat(9)).length)),
    );
  });
});
