import { charge } from "../budget.ts";
import type { CostCall, CostEstimate, Implementation, Library, Overload } from "../declarations.ts";
import { compileRegex, MAX_FIND_SUBJECT, type Regex } from "../pure/regex.ts";
import type { Result } from "../pure/result.ts";
import { compileSteps, dynamicRegex } from "../runtime/patterns.ts";
import { MAX_STRING } from "../pure/strings.ts";
import { INT, listOf, optionalOf, STRING, type CelType } from "../types.ts";
import { CelError, celError, Optional, type Int, type ListValue, type Value } from "../values.ts";
import { declare, method, overload, toNumber, valueOf } from "./declare.ts";

/** Steps for each character: finding where a match stands goes through it several times. */
const STEPS = 4;
/** Steps for each character of what may match at every one of them, and makes a piece each time. */
const ALL_STEPS = 12;

type Use = (regex: Regex, subject: string, ...rest: never[]) => Value | CelError;

function run(use: Use, steps: number, regex: Regex, subject: string, rest: readonly Value[]): Value | CelError {
  charge(1 + steps * Math.min(subject.length, MAX_FIND_SUBJECT));
  return use(regex, subject, ...(rest as never[]));
}

/** The implementation for patterns that are known at run time, and the one for a constant pattern. */
function using(
  use: Use,
  steps: number,
): { readonly call: Implementation; readonly specialise: NonNullable<Overload["specialise"]> } {
  return {
    call: (subject: string, pattern: string, ...rest: readonly Value[]) => {
      const regex = dynamicRegex(pattern);
      return regex instanceof CelError ? regex : run(use, steps, regex, subject, rest);
    },
    specialise: ([, pattern]) => {
      if (typeof pattern !== "string") return undefined;
      const compiled = compileRegex(pattern);
      if (!compiled.ok)
        return celError(`invalid regular expression: ${compiled.message} (at offset ${compiled.offset})`);
      return (subject: string, _: string, ...rest: readonly Value[]) => run(use, steps, compiled.regex, subject, rest);
    },
  };
}

function cost(steps: number, most: (call: CostCall) => number): (call: CostCall) => CostEstimate {
  return (call) => {
    // In UTF-16 units, of which a character may have two.
    const subject = Math.min(2 * (call.sizes[0]?.max ?? 0), MAX_FIND_SUBJECT);
    const compile = call.constants[1] === undefined ? compileSteps(call.sizes[1]?.max ?? 0) : 0;
    return { cost: { min: 1, max: 2 + steps * subject + compile }, size: { min: 0, max: most(call) } };
  };
}

const subjectSize = ({ sizes: [subject] }: CostCall): number => (subject?.max ?? 0) + 1;

function build(
  make: typeof method,
  id: string,
  params: readonly CelType[],
  result: CelType,
  use: Use,
  size: (call: CostCall) => number,
  steps: number = STEPS,
): Overload {
  const { call, specialise } = using(use, steps);
  return make(id, params, result, call, { specialise, cost: cost(steps, size) });
}

function findAll(regex: Regex, subject: string, limit: Int = -1): ListValue | CelError {
  return valueOf(regex.findAll(subject, toNumber(limit)));
}

function optional(result: Result<string | undefined>): Optional | CelError {
  const value = valueOf(result);
  if (value instanceof CelError) return value;
  return value === undefined ? Optional.none : new Optional(value);
}

function replace(regex: Regex, subject: string, by: string, limit: Int = -1): string | CelError {
  return valueOf(regex.replace(subject, by, toNumber(limit)));
}

/** Kubernetes' `find` and `findAll`, and cel-go's `regex` library. */
export const REGEX: Library = {
  name: "regex",
  doc: "Regular expressions in RE2's syntax; subjects of these functions may have up to 65,536 characters. Whether one matches at all is asked faster with `matches`.",
  macros: [],
  functions: [
    declare(
      "find",
      "The leftmost part that the regular expression matches, the empty string where there is none.",
      [
        build(
          method,
          "string_find_string",
          [STRING, STRING],
          STRING,
          (regex, subject) => {
            const found = valueOf(regex.find(subject));
            return found instanceof CelError ? found : (found ?? "");
          },
          subjectSize,
        ),
      ],
      ["'abc 123'.find('[0-9]+')", "'123'"],
    ),
    declare(
      "findAll",
      "The parts that the regular expression matches from the left, at most so many where a limit is given.",
      [
        build(method, "string_find_all_string", [STRING, STRING], listOf(STRING), findAll, subjectSize, ALL_STEPS),
        build(
          method,
          "string_find_all_string_int",
          [STRING, STRING, INT],
          listOf(STRING),
          findAll,
          subjectSize,
          ALL_STEPS,
        ),
      ],
      ["'123 abc 456'.findAll('[0-9]+')", "['123', '456']"],
      ["'123 abc 456'.findAll('[0-9]+', 1)", "['123']"],
    ),
    declare(
      "regex.extract",
      "The leftmost match, or what its one capture group matched; none where nothing matches. More groups than one are an error.",
      [
        build(
          overload,
          "regex_extract_string_string",
          [STRING, STRING],
          optionalOf(STRING),
          (regex, subject) => optional(regex.extract(subject)),
          subjectSize,
        ),
      ],
      ["regex.extract('item-A, item-B', 'item-(\\\\w+)').value()", "'A'"],
      ["regex.extract('HELLO', 'hello').hasValue()", "false"],
    ),
    declare(
      "regex.extractAll",
      "All matches from the left, or what their one capture group matched.",
      [
        build(
          overload,
          "regex_extractAll_string_string",
          [STRING, STRING],
          listOf(STRING),
          (regex, subject) => valueOf(regex.extractAll(subject)),
          subjectSize,
          ALL_STEPS,
        ),
      ],
      ["regex.extractAll('id:123, id:456', 'id:\\\\d+')", "['id:123', 'id:456']"],
    ),
    declare(
      "regex.replace",
      "The string with matches replaced from the left, at most so many where a limit is given (a negative one is none). In the replacement \\1 to \\9 stand for capture groups and \\0 for the match.",
      [
        build(
          overload,
          "regex_replace_string_string_string",
          [STRING, STRING, STRING],
          STRING,
          replace,
          () => MAX_STRING,
          ALL_STEPS,
        ),
        build(
          overload,
          "regex_replace_string_string_string_int",
          [STRING, STRING, STRING, INT],
          STRING,
          replace,
          () => MAX_STRING,
          ALL_STEPS,
        ),
      ],
      ["regex.replace('foo bar', '(fo)o (ba)r', '\\\\2 \\\\1')", "'ba fo'"],
      ["regex.replace('banana', 'a', 'x', 2)", "'bxnxna'"],
    ),
  ],
};
