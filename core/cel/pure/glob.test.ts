import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { fastestMs } from "../../../test/support/fastest.ts";
import { matchGlob } from "./glob.ts";

test.each([
  ["llama-3-8b", "llama-3-8b", true],
  ["llama-3-8b", "llama-3", false],
  ["mistral-7b", "mistral-*", true],
  ["mistral-", "mistral-*", true],
  ["my-mistral-7b", "mistral-*", false],
  ["gpt-4o-mini", "*-mini", true],
  ["a", "*", true],
  ["", "*", true],
  ["", "", true],
  ["a", "", false],
  ["a.b", "a?b", false],
  ["a[b]", "a[b]", true],
  ["abab", "ab*ab", true],
  ["aba", "ab*ba", false],
  ["axbxc", "a*b*c", true],
  ["ac", "a**c", true],
  ["aXbXbc", "a*b*bc", true],
  ["abc", "*b*", true],
  ["a/b", "a*", true],
])("%s matched with %s: %s", (text, pattern, expected) => {
  expect(matchGlob(text, pattern)).toBe(expected);
});

test("agrees with the regular expression of the same meaning", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "."), maxLength: 8 });
  fc.assert(
    fc.property(letters, letters, (text, pattern) => {
      const expression = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll(/\*+/g, ".*")}$`, "s");
      expect(matchGlob(text, pattern)).toBe(expression.test(text));
    }),
    { numRuns: 5000 },
  );
});

test("takes no time to speak of on what makes backtracking explode", () => {
  const elapsed = fastestMs(() => {
    expect(matchGlob("a".repeat(50_000), `${"*a".repeat(200)}*b`)).toBe(false);
    expect(matchGlob("a".repeat(50_000), `*${"a".repeat(200)}b*`)).toBe(false);
  }, 20);
  expect(elapsed).toBeLessThan(100);
});
