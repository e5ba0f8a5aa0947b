/**
 * Checks for parameters' types and ranges. A check looks at one value, notes the features that it makes use of, and returns
 * what is wrong with it. Tables of checks are closed lists: a member that is not in its table is refused.
 */
import type { Feature } from "../exchange.ts";
import { invalid, unknown, within, type Fault } from "./fault.ts";
import { bit, type Found } from "./found.ts";

export type JsonObject = Readonly<Record<string, unknown>>;
export type Check = (value: unknown, found: Found) => Fault | undefined;
export type Table = ReadonlyMap<string, Check>;

export function table(checks: Readonly<Record<string, Check>>): Table {
  return new Map(Object.entries(checks));
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every member of an object by the table. null counts as absent: the SDKs and the engines treat it so. */
export function checkMembers(object: JsonObject, checks: Table, found: Found): Fault | undefined {
  for (const key in object) {
    const check = checks.get(key);
    if (check === undefined) return unknown(key);
    const value = object[key];
    if (value === null) continue;
    const fault = check(value, found);
    if (fault !== undefined) return within(key, fault);
  }
  return undefined;
}

/** An object with a closed list of members, of which the required ones must be there and not null. */
export function object(
  checks: Readonly<Record<string, Check>>,
  required: readonly string[] = [],
  feature?: Feature,
): Check {
  const members = table(checks);
  const used = feature === undefined ? 0 : bit(feature);
  return (value, found) => {
    if (!isObject(value)) return invalid("has to be an object");
    found.features |= used;
    for (const name of required) {
      if (value[name] === undefined || value[name] === null)
        return { code: "missing_parameter", what: "is required", path: name };
    }
    return checkMembers(value, members, found);
  };
}

/** An object whose members are the caller's own: a JSON schema, arguments. */
export function anyObject(feature?: Feature): Check {
  const used = feature === undefined ? 0 : bit(feature);
  return (value, found) => {
    if (!isObject(value)) return invalid("has to be an object");
    found.features |= used;
    return undefined;
  };
}

/** An array of at most `max` elements. */
export function list(element: Check, max: number, min = 0): Check {
  return (value, found) => {
    if (!Array.isArray(value)) return invalid("has to be an array");
    if (value.length < min || value.length > max) return invalid(`has to have ${min} to ${max} elements`);
    for (let i = 0; i < value.length; i++) {
      const fault = element(value[i], found);
      if (fault !== undefined) return within(`[${i}]`, fault);
    }
    return undefined;
  };
}

/** An object whose values are all of one kind and whose keys are the caller's. */
export function mapOf(element: Check, max: number, feature?: Feature): Check {
  const used = feature === undefined ? 0 : bit(feature);
  return (value, found) => {
    if (!isObject(value)) return invalid("has to be an object");
    let count = 0;
    for (const key in value) {
      if (++count > max) return invalid(`has to have at most ${max} members`);
      const fault = element(value[key], found);
      if (fault !== undefined) return invalid(`has a member that ${fault.what}`);
    }
    if (count > 0) found.features |= used;
    return undefined;
  };
}

export function text(maxLength: number = 1 << 28, minLength: number = 0): Check {
  return (value) => {
    if (typeof value !== "string") return invalid("has to be a string");
    if (value.length < minLength) return invalid("must not be empty");
    return value.length > maxLength ? invalid(`has to have at most ${maxLength} characters`) : undefined;
  };
}

/** What nearly all names are made of, told without Unicode's tables. */
const PRINTABLE_ASCII = /^[!-~]+$/;
/** Control, format (U+200B, U+202E), private-use and unassigned characters; line and paragraph separators break lines. */
const UNSEEN = /[\p{C}\u2028\u2029]/u;
const BLANK_AT_END = /^\p{Z}|\p{Z}$/u;

/**
 * What rules compare: names of models, tools and speakers, of 1 to 256 UTF-16 units. Two names that look alike in a policy or
 * a log, and that an engine could trim to the same, must not be different to a rule.
 */
export const name: Check = (value) => {
  if (typeof value !== "string") return invalid("has to be a string");
  if (value === "" || value.length > 256) return invalid("has to have 1 to 256 characters");
  if (PRINTABLE_ASCII.test(value)) return undefined;
  if (UNSEEN.test(value)) return invalid("must not have control characters or others that cannot be seen");
  return BLANK_AT_END.test(value) ? invalid("must not begin or end with a blank") : undefined;
};

export const flag: Check = (value) => (typeof value === "boolean" ? undefined : invalid("has to be true or false"));

export function oneOf(...words: readonly string[]): Check {
  return (value) =>
    typeof value === "string" && words.includes(value) ? undefined : invalid(`has to be one of ${words.join(", ")}`);
}

export function integer(min: number, max: number): Check {
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : invalid(`has to be an integer from ${min} to ${max}`);
}

export function number(min: number, max: number): Check {
  return (value) =>
    typeof value === "number" && value >= min && value <= max
      ? undefined
      : invalid(`has to be a number from ${min} to ${max}`);
}

export function either(first: Check, second: Check, words: string): Check {
  return (value, found) => {
    if (first(value, found) === undefined || second(value, found) === undefined) return undefined;
    return invalid(`has to be ${words}`);
  };
}

/** Makes use of a feature by being there at all. */
export function noted(feature: Feature, check: Check): Check {
  const used = bit(feature);
  return (value, found) => {
    found.features |= used;
    return check(value, found);
  };
}

/** Makes use of a feature only when the value is one that does something. */
export function notedWhen(feature: Feature, does: (value: unknown) => boolean, check: Check): Check {
  const used = bit(feature);
  return (value, found) => {
    if (does(value)) found.features |= used;
    return check(value, found);
  };
}

/** A parameter that is known and never passed on. */
export function never(why: string): Check {
  return () => ({ code: "unsupported_parameter", what: `is not passed on: ${why}`, path: "" });
}
