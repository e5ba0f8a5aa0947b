import { expect, it } from "@jest/globals";
import { selects } from "./selector.ts";
import type { LabelSelector } from "./types.ts";

const LABELS = { app: "llama", tier: "gold", empty: "" };

it.each<readonly [boolean, LabelSelector]>([
  [true, {}],
  [true, { matchLabels: {} }],
  [true, { matchLabels: { app: "llama" } }],
  [true, { matchLabels: { empty: "" } }],
  [false, { matchLabels: { absent: "" } }],
  [false, { matchLabels: { app: "llama", tier: "silver" } }],
  [false, { matchLabels: { toString: "x" } }],
  [true, { matchExpressions: [{ key: "app", operator: "In", values: ["a", "llama"] }] }],
  [false, { matchExpressions: [{ key: "absent", operator: "In", values: ["a"] }] }],
  [false, { matchExpressions: [{ key: "app", operator: "NotIn", values: ["llama"] }] }],
  [true, { matchExpressions: [{ key: "absent", operator: "NotIn", values: ["llama"] }] }],
  [true, { matchExpressions: [{ key: "empty", operator: "Exists" }] }],
  [false, { matchExpressions: [{ key: "constructor", operator: "Exists" }] }],
  [true, { matchExpressions: [{ key: "absent", operator: "DoesNotExist" }] }],
  [false, { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }],
  [false, { matchLabels: { app: "llama" }, matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] }],
])("selects or not as Kubernetes does: %s for %j", (expected, selector) => {
  expect(selects(selector, LABELS)).toBe(expected);
});
