/** All that generated code may call, by the names it uses. */
export { budget } from "../budget.ts";
export { equals, listContains } from "../equality.ts";
export { mapAdd, mapGet, mapKeys, mapSize } from "../maps.ts";
export { boxDouble, CelError, Optional, Uint, UintKeyMap } from "../values.ts";
export { typeOfValue } from "../type-names.ts";
export {
  adapt, any, bool, bytes, dbl, duration, int, lst, map, nul, opaque, optional, rec, str, timestamp, typeValue, uint,
} from "./guards.ts"; // prettier-ignore
export {
  add, concat, concatBytes, concatLists, divide, entries, greater, greaterEquals, has, index, isIn, less, lessEquals,
  mapHas, modulo, multiply, negate, noOverload, not, noSuchKey, optionalIndex, outOfRange, range, select,
  selectOptional, subtract,
} from "./dynamic.ts"; // prettier-ignore
export {
  addInt, addUint, divideInt, divideUint, moduloInt, multiplyInt, multiplyUint, negateInt, subtractInt, subtractUint,
} from "./numbers.ts"; // prettier-ignore
export { compareBytes, compareStrings, compareTimes } from "./order.ts";
export {
  addDurations, addTimestampDuration, subtractDurations, subtractTimestampDuration, subtractTimestamps,
} from "./time.ts"; // prettier-ignore
export { field, member, over, placed } from "./support.ts";
export { codePoints, endsWith, includes, sameText, startsWith } from "./text.ts";
