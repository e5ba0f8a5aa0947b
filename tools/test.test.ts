import { describe, expect, test } from "@jest/globals";
import { closingLine, countsOf, total, type JestReport } from "./test.ts";
import { TIERS, testFiles } from "./tiers.ts";

const clean: JestReport = {
  numPassedTests: 5,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
};

describe("counting", () => {
  test("a file that cannot be loaded is a failure", () => {
    expect(countsOf({ ...clean, numRuntimeErrorTestSuites: 2 }, 1)).toEqual({ passed: 5, failed: 2, skipped: 0 });
  });

  test("a runner that dies is a failure, with or without a report", () => {
    expect(countsOf(undefined, 134)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countsOf(clean, 1)).toEqual({ passed: 5, failed: 1, skipped: 0 });
    expect(countsOf(clean, 0)).toEqual({ passed: 5, failed: 0, skipped: 0 });
  });

  test("tests left to do and tests skipped are counted as skipped", () => {
    expect(countsOf({ ...clean, numPendingTests: 1, numTodoTests: 2 }, 0).skipped).toBe(3);
  });

  test("in CI what is skipped has failed", () => {
    const counts = [
      { passed: 1, failed: 0, skipped: 2 },
      { passed: 3, failed: 1, skipped: 0 },
    ];
    expect(total(counts, false)).toEqual({ passed: 4, failed: 1, skipped: 2 });
    expect(total(counts, true)).toEqual({ passed: 4, failed: 3, skipped: 0 });
  });
});

test("the closing line says skipped only when something was", () => {
  expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
  expect(closingLine({ passed: 12, failed: 1, skipped: 3 })).toBe("12 passed, 1 failed, 3 skipped");
});

test("every test file is in one tier and no more", () => {
  const files = TIERS.flatMap(testFiles);
  expect(new Set(files).size).toBe(files.length);
  expect(files).toContain("tools/test.test.ts");
});
