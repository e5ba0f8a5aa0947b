import { describe, expect, test } from "@jest/globals";
import * as q from "./quantity.ts";

function quantity(text: string): q.Quantity {
  const result = q.parseQuantity(text);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

// What Kubernetes' resource.Quantity gives for them.
test.each([
  ["0", "0"],
  ["1.5G", "1500M"],
  ["200k", "200k"],
  ["1000m", "1"],
  ["1.5", "1500m"],
  ["50Mi", "50Mi"],
  ["1024Ki", "1Mi"],
  ["0.5Gi", "512Mi"],
  ["0.5Ki", "512"],
  ["1.1Ki", "1126400m"],
  ["1e3", "1e3"],
  ["12e6", "12e6"],
  ["1E3", "1e3"],
  ["1E", "1E"],
  ["1e-3", "1e-3"],
  ["-5k", "-5k"],
  ["+5k", "5k"],
  ["0.1n", "1n"],
  ["-0.1n", "-1n"],
  [".5", "500m"],
  ["5.", "5"],
  ["1000000", "1M"],
  ["16Ei", "9223372036854775807"],
  ["0.0001Ki", "102400u"],
  ["01", "1"],
])("%s is written %s", (text, canonical) => {
  expect(q.formatQuantity(quantity(text))).toBe(canonical);
});

test.each([
  "",
  "200K",
  "Three",
  "Mi",
  "1,3G",
  "1 k",
  " 1",
  "1 ",
  "-",
  "+",
  ".",
  "1.2.3",
  "1ee3",
  "1e",
  "1e+",
  "1kk",
  "1i",
  "1e401",
  "e3",
  "0x10",
  "1e3k",
  "1Ki3",
  "١",
  "9".repeat(129),
])("%s is none", (text) => {
  const result = q.parseQuantity(text);
  expect(result.ok ? "" : result.message).toContain("invalid quantity");
});

describe("arithmetic", () => {
  test("compares by value, however written", () => {
    expect(q.compareQuantities(quantity("200M"), quantity("0.2G"))).toBe(0);
    expect(q.compareQuantities(quantity("50M"), quantity("50Mi"))).toBe(-1);
    expect(q.compareQuantities(quantity("50Mi"), quantity("50M"))).toBe(1);
    expect(["1n", "0", "-1n"].map((text) => q.signOf(quantity(text)))).toEqual([1, 0, -1]);
  });

  test("adds and subtracts exactly, in the first one's form", () => {
    expect(q.formatQuantity(q.addQuantities(quantity("50k"), quantity("20k")))).toBe("70k");
    expect(q.formatQuantity(q.addQuantities(quantity("50k"), q.quantityOf(20)))).toBe("50020");
    expect(q.formatQuantity(q.subtractQuantities(quantity("1Gi"), quantity("1Mi")))).toBe("1023Mi");
    expect(q.formatQuantity(q.addQuantities(quantity("0"), quantity("1Gi")))).toBe("1Gi");
    const huge = quantity("9999999999999999999999999999999999999G");
    expect(q.subtractQuantities(huge, quantity("1n")).nanos).toBe(
      9999999999999999999999999999999999999n * 10n ** 18n - 1n,
    );
  });

  test("gives integers only where nothing is lost", () => {
    expect(q.integerOf(quantity("50k"))).toBe(50_000n);
    expect(q.integerOf(quantity("50.5"))).toBeUndefined();
    expect(q.integerOf(quantity("9223372036854775807"))).toBe(2n ** 63n - 1n);
    expect(q.integerOf(quantity("9223372036854775808"))).toBeUndefined();
    expect(q.integerOf(quantity("-9223372036854775808"))).toBe(-(2n ** 63n));
    expect(q.floatOf(quantity("30k"))).toBe(30_000);
    expect(q.floatOf(quantity("0.1"))).toBe(0.1);
    expect(q.floatOf(quantity("1e400"))).toBe(Infinity);
  });
});
