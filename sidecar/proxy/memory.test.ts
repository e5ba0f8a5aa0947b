import { expect, test } from "@jest/globals";
import { MemoryBudget } from "./memory.ts";

test("no caller holds more than a quarter, and all together no more than there is", () => {
  const budget = new MemoryBudget(100);
  const a = budget.holder(() => "a");
  expect([a.take(20), a.take(6), a.take(5)]).toEqual([true, false, true]);
  expect(budget.holder(() => "a").take(1)).toBe(false);
  for (const name of ["b", "c", "d"]) expect(budget.holder(() => name).take(25)).toBe(true);
  expect(budget.left).toBe(0);
  expect(budget.holder(() => "e").take(1)).toBe(false);
  a.give(25);
  expect(budget.left).toBe(25);
  expect(budget.holder(() => "e").take(25)).toBe(true);
});
