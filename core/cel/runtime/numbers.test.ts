import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { CelError, normalise, type Int } from "../values.ts";
import * as numbers from "./numbers.ts";

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

/** Integers of a range, of which many lie at the edges: of the range, of 2^53, of 2^32, of zero. */
function integers(min: bigint, max: bigint): fc.Arbitrary<bigint> {
  const edges = [min, max, 0n, 2n ** 53n, -(2n ** 53n), 2n ** 32n, 2n ** 31n, -(2n ** 31n)];
  const near = fc
    .tuple(fc.constantFrom(...edges), fc.bigInt({ min: -3n, max: 3n }))
    .map(([edge, offset]) => edge + offset)
    .filter((value) => value >= min && value <= max);
  return fc.oneof(
    near,
    fc.bigInt({ min, max }),
    fc.bigInt({ min: -1_000n, max: 1_000n }).filter((v) => v >= min),
  );
}

const ints = integers(INT_MIN, INT_MAX);
const uints = integers(0n, UINT_MAX);

type Operation = (a: Int, b: Int) => Int | CelError;

function agree(
  operation: Operation,
  exact: (a: bigint, b: bigint) => bigint | undefined,
  min: bigint,
  max: bigint,
  arbitrary: fc.Arbitrary<bigint>,
): void {
  fc.assert(
    fc.property(arbitrary, arbitrary, (a, b) => {
      const found = operation(normalise(a), normalise(b));
      const wanted = exact(a, b);
      if (wanted === undefined || wanted < min || wanted > max) expect(found).toBeInstanceOf(CelError);
      // Not Object.is: a negative zero is the int 0, and every use of it says so.
      else expect(found === normalise(wanted)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
}

describe("int arithmetic is that of 64-bit integers, with overflow an error:", () => {
  test.each<[string, Operation, (a: bigint, b: bigint) => bigint | undefined]>([
    ["addition", numbers.addInt, (a, b) => a + b],
    ["subtraction", numbers.subtractInt, (a, b) => a - b],
    ["multiplication", numbers.multiplyInt, (a, b) => a * b],
    ["division", numbers.divideInt, (a, b) => (b === 0n ? undefined : a / b)],
    ["remainder", numbers.moduloInt, (a, b) => (b === 0n ? undefined : a % b)],
  ])("%s", (_name, operation, exact) => agree(operation, exact, INT_MIN, INT_MAX, ints));

  test("negation", () => {
    agree(
      (a) => numbers.negateInt(a),
      (a) => -a,
      INT_MIN,
      INT_MAX,
      ints,
    );
  });
});

describe("uint arithmetic is that of unsigned 64-bit integers, with overflow an error:", () => {
  test.each<[string, Operation, (a: bigint, b: bigint) => bigint | undefined]>([
    ["addition", numbers.addUint, (a, b) => a + b],
    ["subtraction", numbers.subtractUint, (a, b) => a - b],
    ["multiplication", numbers.multiplyUint, (a, b) => a * b],
    ["division", numbers.divideUint, (a, b) => (b === 0n ? undefined : a / b)],
    ["remainder", numbers.moduloInt, (a, b) => (b === 0n ? undefined : a % b)],
  ])("%s", (_name, operation, exact) => agree(operation, exact, 0n, UINT_MAX, uints));
});

test("results are numbers where they are safe integers and bigints where they are not", () => {
  fc.assert(
    fc.property(ints, ints, (a, b) => {
      for (const operation of [numbers.addInt, numbers.subtractInt, numbers.multiplyInt]) {
        const found = operation(normalise(a), normalise(b));
        if (found instanceof CelError) continue;
        expect(typeof found === "number" ? Number.isSafeInteger(found) : !Number.isSafeInteger(Number(found))).toBe(
          true,
        );
      }
    }),
  );
});
