import { expect, test } from "@jest/globals";
import { conformance, shortfalls } from "../../tools/conformance-cel.ts";

const report = conformance();

test("every core case of the specification without protobuf messages passes", () => {
  expect(report.core).toEqual({ pass: 1_081, total: 1_081 });
});

test("every type deduction without protobuf messages is the specification's", () => {
  expect(report.deductions).toEqual({ pass: 26, total: 26 });
});

test("no case has another value or a value for an error, and the extensions are above their bar", () => {
  expect(shortfalls(report)).toEqual([]);
});
