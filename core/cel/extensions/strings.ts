import { charge, chargeText } from "../budget.ts";
import type { CostCall, CostEstimate, Library } from "../declarations.ts";
import * as text from "../pure/strings.ts";
import { INT, listOf, STRING } from "../types.ts";
import { celError, type CelError, type Int, type ListValue } from "../values.ts";
import { declare, linearCost, method, overload, toNumber, valueOf } from "./declare.ts";
import { FORMAT } from "./format.ts";

/** The greatest size of a text in which each character may become `by`. */
function replaced({ sizes: [self, , by] }: CostCall): number {
  return Math.min(text.MAX_STRING, ((self?.max ?? 0) + 1) * ((by?.max ?? 0) + 1));
}

/** Steps of making one piece of a text, or of moving one character. */
const PIECE_STEPS = 2;

/** The cost of handling each character by itself, with the greatest size that the result can have. */
function pieceCost(resultSize: (call: CostCall) => number): (call: CostCall) => CostEstimate {
  return (call) => {
    const { cost, size } = linearCost(resultSize)(call);
    const pieces = 2 * PIECE_STEPS * ((call.sizes[0]?.max ?? 0) + 1);
    return { cost: { min: cost.min, max: cost.max + pieces }, ...(size === undefined ? {} : { size }) };
  };
}

function replace(self: string, part: string, by: string, limit: Int = -1): string | CelError {
  charge(Math.ceil((PIECE_STEPS * self.length) / Math.max(1, part.length)));
  const result = text.replace(self, part, by, toNumber(limit));
  chargeText(self.length + (result.ok ? result.value.length : 0));
  return valueOf(result);
}

function split(self: string, separator: string, limit: Int = -1): ListValue | CelError {
  chargeText(self.length);
  const result = text.split(self, separator, toNumber(limit));
  if (result.ok) charge(PIECE_STEPS * result.value.length);
  return valueOf(result);
}

function join(parts: ListValue, separator = ""): string | CelError {
  charge(parts.length);
  const strings: string[] = [];
  for (const part of parts) {
    if (typeof part !== "string") return celError("join: every element must be a string", "no_such_overload");
    strings.push(part);
  }
  const result = text.join(strings, separator);
  if (result.ok) chargeText(result.value.length);
  return valueOf(result);
}

function reverse(self: string): string {
  charge(PIECE_STEPS * self.length);
  return text.reverse(self);
}

/** Charges for the text and goes on. */
function over<T>(work: (self: string) => T): (self: string) => T {
  return (self) => {
    chargeText(self.length);
    return work(self);
  };
}

/** cel-go's `strings` library, all versions. */
export const STRINGS: Library = {
  name: "strings",
  doc: "Strings. Indices count code points from 0; changes of case touch ASCII letters alone.",
  macros: [],
  functions: [
    declare(
      "charAt",
      "The character at an index, the empty string right at the end; an error beyond.",
      [
        method("string_char_at_int", [STRING, INT], STRING, (self: string, at: Int) => {
          chargeText(self.length);
          return valueOf(text.charAt(self, toNumber(at)));
        }),
      ],
      ["'héllo'.charAt(1)", "'é'"],
      ["'hello'.charAt(5)", "''"],
    ),
    declare(
      "indexOf",
      "The first index at which another string stands, from a start on where one is given; -1 where it stands nowhere.",
      [
        method("string_index_of_string", [STRING, STRING], INT, (self: string, part: string) => {
          chargeText(self.length);
          return valueOf(text.indexOf(self, part));
        }),
        method("string_index_of_string_int", [STRING, STRING, INT], INT, (self: string, part: string, from: Int) => {
          chargeText(self.length);
          return valueOf(text.indexOf(self, part, toNumber(from)));
        }),
      ],
      ["'hello mellow'.indexOf('ello')", "1"],
      ["'hello mellow'.indexOf('ello', 2)", "7"],
      ["'hello mellow'.indexOf('jello')", "-1"],
    ),
    declare(
      "lastIndexOf",
      "The last index at which another string stands, up to a last one where one is given; -1 where it stands nowhere.",
      [
        method("string_last_index_of_string", [STRING, STRING], INT, (self: string, part: string) => {
          chargeText(self.length);
          return valueOf(text.lastIndexOf(self, part));
        }),
        method(
          "string_last_index_of_string_int",
          [STRING, STRING, INT],
          INT,
          (self: string, part: string, from: Int) => {
            chargeText(self.length);
            return valueOf(text.lastIndexOf(self, part, toNumber(from)));
          },
        ),
      ],
      ["'hello mellow'.lastIndexOf('ello')", "7"],
      ["'hello mellow'.lastIndexOf('ello', 6)", "1"],
    ),
    declare(
      "lowerAscii",
      "The string with A to Z in lower case.",
      [method("string_lower_ascii", [STRING], STRING, over(text.lowerAscii), { total: true })],
      ["'TacoCÆt'.lowerAscii()", "'tacocÆt'"],
    ),
    declare(
      "upperAscii",
      "The string with a to z in upper case.",
      [method("string_upper_ascii", [STRING], STRING, over(text.upperAscii), { total: true })],
      ["'TacoCæt'.upperAscii()", "'TACOCæT'"],
    ),
    declare(
      "replace",
      "The string with another one replaced wherever it stands, or so many times from the left where a limit is given (a negative one is none).",
      [
        method("string_replace_string_string", [STRING, STRING, STRING], STRING, replace, {
          cost: pieceCost(replaced),
        }),
        method("string_replace_string_string_int", [STRING, STRING, STRING, INT], STRING, replace, {
          cost: pieceCost(replaced),
        }),
      ],
      ["'hello hello'.replace('he', 'we')", "'wello wello'"],
      ["'hello hello'.replace('he', 'we', 1)", "'wello hello'"],
    ),
    declare(
      "split",
      "The parts of a string between separators, at most so many where a limit is given (a negative one is none).",
      [
        method("string_split_string", [STRING, STRING], listOf(STRING), split, {
          cost: pieceCost(({ sizes: [self] }) => (self?.max ?? 0) + 1),
        }),
        method("string_split_string_int", [STRING, STRING, INT], listOf(STRING), split, {
          cost: pieceCost(({ sizes: [self] }) => (self?.max ?? 0) + 1),
        }),
      ],
      ["'a,b,c'.split(',')", "['a', 'b', 'c']"],
      ["'a,b,c'.split(',', 2)", "['a', 'b,c']"],
    ),
    declare(
      "substring",
      "The characters from a start up to, not including, an end (without one: all the rest); an error where one lies beyond the string.",
      [
        method("string_substring_int", [STRING, INT], STRING, (self: string, start: Int) => {
          chargeText(self.length);
          return valueOf(text.substring(self, toNumber(start)));
        }),
        method("string_substring_int_int", [STRING, INT, INT], STRING, (self: string, start: Int, end: Int) => {
          chargeText(self.length);
          return valueOf(text.substring(self, toNumber(start), toNumber(end)));
        }),
      ],
      ["'tacocat'.substring(4)", "'cat'"],
      ["'tacocat'.substring(0, 4)", "'taco'"],
    ),
    declare(
      "trim",
      "The string without white space (by Unicode) at its ends.",
      [method("string_trim", [STRING], STRING, over(text.trim), { total: true })],
      ["'  \\ttrim\\n '.trim()", "'trim'"],
    ),
    declare(
      "reverse",
      "The characters in the opposite order.",
      [
        method("string_reverse", [STRING], STRING, reverse, {
          total: true,
          cost: pieceCost(({ sizes: [self] }) => self?.max ?? 0),
        }),
      ],
      ["'gums'.reverse()", "'smug'"],
    ),
    declare(
      "join",
      "The strings of a list one after the other, with a separator between where one is given.",
      [
        method("list_join", [listOf(STRING)], STRING, join, { cost: linearCost(() => text.MAX_STRING) }),
        method("list_join_string", [listOf(STRING), STRING], STRING, join, { cost: linearCost(() => text.MAX_STRING) }),
      ],
      ["['hello', 'mellow'].join(' ')", "'hello mellow'"],
    ),
    declare(
      "strings.quote",
      "The string as a literal in double quotes, with escapes.",
      [
        overload("strings_quote", [STRING], STRING, over(text.quote), {
          total: true,
          cost: linearCost(({ sizes: [self] }) => 2 * (self?.max ?? 0) + 2),
        }),
      ],
      ["strings.quote('a\"b')", '\'"a\\\\"b"\''],
    ),
    FORMAT,
  ],
};
