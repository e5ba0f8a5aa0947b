import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { anyGlob } from "./glob.ts";

describe("a glob", () => {
  test.each([
    ["llama", "llama", true],
    ["llama", "llama-3", false],
    ["*", "", true],
    ["llama-*", "llama-3", true],
    ["llama-*", "llama-", true],
    ["llama-*", "llama", false],
    ["*-8b", "llama-3-8b", true],
    ["l*a*a", "llama", true],
    ["a*a", "a", false],
    ["ab*ba", "aba", false],
    ["a*b*c", "aXbYc", true],
    ["a*b*c", "aXcYb", false],
    ["a**c", "abc", true],
    ["l.ama", "llama", false],
  ])("%s on %s is %s", (pattern, subject, expected) => {
    expect(anyGlob([pattern])(subject)).toBe(expected);
  });

  test("agrees with the regular expression that it stands for", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
    const subjects = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
    fc.assert(
      fc.property(letters, subjects, (pattern, subject) => {
        const expression = new RegExp(`^${pattern.replaceAll("*", "[^]*")}$`);
        expect(anyGlob([pattern])(subject)).toBe(expression.test(subject));
      }),
      { numRuns: 2000 },
    );
  });

  test("of several patterns any may match", () => {
    const matches = anyGlob(["llama", "mistral-*"]);
    expect(["llama", "mistral-7b", "llama-2"].map(matches)).toEqual([true, true, false]);
  });
});
