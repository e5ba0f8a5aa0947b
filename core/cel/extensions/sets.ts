import { charge } from "../budget.ts";
import type { Library } from "../declarations.ts";
import { equals } from "../equality.ts";
import { BOOL, listOf, paramOf } from "../types.ts";
import type { ListValue, Value } from "../values.ts";
import { declare, overload, productCost } from "./declare.ts";

const LIST = listOf(paramOf("T"));

/** The first index of a value in a list, -1 where it is not in it. */
export function indexOf(list: ListValue, value: Value): number {
  charge(list.length);
  return list.findIndex((item) => equals(item, value));
}

/** Whether every element of the second list equals one of the first. */
export function containsAll(list: ListValue, other: ListValue): boolean {
  return other.every((value) => indexOf(list, value) >= 0);
}

export function intersects(list: ListValue, other: ListValue): boolean {
  return other.some((value) => indexOf(list, value) >= 0);
}

export function equivalent(list: ListValue, other: ListValue): boolean {
  return containsAll(list, other) && containsAll(other, list);
}

/** cel-go's `sets` library. */
export const SETS: Library = {
  name: "sets",
  doc: "Lists taken as sets: neither order nor repetition counts.",
  macros: [],
  functions: [
    declare(
      "sets.contains",
      "Whether the first list has every element of the second.",
      [overload("list_sets_contains_list", [LIST, LIST], BOOL, containsAll, { total: true, cost: productCost(1) })],
      ["sets.contains([1, 2, 3], [3, 1])", "true"],
      ["sets.contains([], [1])", "false"],
    ),
    declare(
      "sets.equivalent",
      "Whether the lists have the same elements.",
      [overload("list_sets_equivalent_list", [LIST, LIST], BOOL, equivalent, { total: true, cost: productCost(2) })],
      ["sets.equivalent([1, 2], [2, 1, 1])", "true"],
    ),
    declare(
      "sets.intersects",
      "Whether the lists have an element in common.",
      [overload("list_sets_intersects_list", [LIST, LIST], BOOL, intersects, { total: true, cost: productCost(1) })],
      ["sets.intersects([1], [1, 2])", "true"],
    ),
  ],
};
