import { expect, test } from "@jest/globals";
import { connectionsFor, descriptorLimit } from "./descriptors.ts";

test("the limit of descriptors is the soft one", () => {
  const text =
    "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 524288               files\n";
  expect(descriptorLimit(7, text)).toBe(1024);
  expect(descriptorLimit(7, "")).toBe(7);
  expect(descriptorLimit(7, "Max open files            unlimited            unlimited            files\n")).toBe(7);
  expect(descriptorLimit(0)).toBeGreaterThan(0);
});

test("connections of both sides leave descriptors for the rest", () => {
  expect(connectionsFor(1024, 4096)).toBe(448);
  expect(connectionsFor(1_000_000, 4096)).toBe(4096);
  expect(connectionsFor(64, 4096)).toBe(16);
});
