import { charge, chargeText } from "../budget.ts";
import type {
  CostCall,
  CostEstimate,
  FunctionDeclaration,
  Implementation,
  Library,
  Overload,
} from "../declarations.ts";
import { mapSize } from "../maps.ts";
import { compileCached, compileRegex, type Regex } from "../pure/regex.ts";
import { compileSteps, dynamicRegex } from "../runtime/patterns.ts";
import { codePoints } from "../runtime/text.ts";
import { BOOL, BYTES, INT, listOf, mapOf, paramOf, STRING, type CelType } from "../types.ts";
import { CelError, celError, type ListValue, type MapValue, type Value } from "../values.ts";

const A = paramOf("A");
const B = paramOf("B");

function test(
  name: string,
  id: string,
  doc: string,
  call: (text: string, part: string) => boolean,
): FunctionDeclaration {
  return {
    name,
    doc,
    overloads: [{ id, member: true, params: [STRING, STRING], result: BOOL, total: true, call }],
    examples: [{ expression: `'abcabc'.${name}('abc')`, result: "true" }],
  };
}

/** The overloads of `size`, as a function and as a method. */
function sizes(): Overload[] {
  const of: readonly (readonly [string, CelType, Implementation])[] = [
    ["string", STRING, (text: string) => codePoints(text)],
    ["bytes", BYTES, (bytes: Uint8Array) => bytes.length],
    ["list", listOf(A), (list: ListValue) => list.length],
    ["map", mapOf(A, B), (map: MapValue) => mapSize(map)],
  ];
  // The entries of an object have to be counted.
  const cost = ({ sizes: [size] }: CostCall): CostEstimate => ({ cost: { min: 1, max: 2 + (size?.max ?? 0) } });
  return of.flatMap(([name, type, call]): Overload[] => {
    const common = { params: [type], result: INT, total: true, call, ...(name === "map" ? { cost } : {}) };
    return [
      { id: `size_${name}`, ...common },
      { id: `${name}_size`, member: true, ...common },
    ];
  });
}

/** Steps for each UTF-16 unit (a character may have two): V8 takes a nanosecond or two, the automaton some twenty. */
const V8_STEPS = 0.125;
const AUTOMATON_STEPS = 2;

function stepsOf(regex: Regex): number {
  return regex.engine === "v8" ? V8_STEPS : AUTOMATON_STEPS;
}

function matchCost({ sizes, constants }: CostCall): CostEstimate {
  const compiled = typeof constants[1] === "string" ? compileCached(constants[1]) : undefined;
  const steps = compiled?.ok === true ? stepsOf(compiled.regex) : AUTOMATON_STEPS;
  const compile = compiled === undefined ? compileSteps(sizes[1]?.max ?? 0) : 0;
  return { cost: { min: 1, max: 2 + 2 * steps * (sizes[0]?.max ?? 0) + compile } };
}

function run(regex: Regex, text: string): boolean | CelError {
  charge(1 + Math.floor(text.length * stepsOf(regex)));
  const found = regex.test(text);
  return typeof found === "boolean" ? found : celError(found.message);
}

function matches(text: string, pattern: string): boolean | CelError {
  const regex = dynamicRegex(pattern);
  return regex instanceof CelError ? regex : run(regex, text);
}

/** A constant pattern is checked and compiled with the expression. */
function precompile(constants: readonly (Value | undefined)[]): Implementation | CelError | undefined {
  const pattern = constants[1];
  if (typeof pattern !== "string") return undefined;
  const compiled = compileRegex(pattern);
  if (!compiled.ok) return celError(`invalid regular expression: ${compiled.message} (at offset ${compiled.offset})`);
  const { regex } = compiled;
  return (text: string) => run(regex, text);
}

/** Strings: sizes, parts, regular expressions. */
export const TEXT: Library = {
  name: "standard",
  doc: "Sizes and text.",
  macros: [],
  functions: [
    {
      name: "size",
      doc: "The number of code points of a string, bytes of bytes, elements of a list, entries of a map.",
      overloads: sizes(),
      examples: [
        { expression: "size('héllo')", result: "5" },
        { expression: "[1, 2].size()", result: "2" },
      ],
    },
    test("contains", "contains_string", "Whether a string has another one in it.", (text, part) => {
      chargeText(text.length);
      return text.includes(part);
    }),
    test("startsWith", "starts_with_string", "Whether a string begins with another one.", (text, part) =>
      text.startsWith(part),
    ),
    test("endsWith", "ends_with_string", "Whether a string ends with another one.", (text, part) =>
      text.endsWith(part),
    ),
    {
      name: "matches",
      doc: "Whether a regular expression (RE2 syntax) matches somewhere in a string. Anchor it with ^ and $ to match the whole.",
      overloads: [
        {
          id: "matches",
          params: [STRING, STRING],
          result: BOOL,
          call: matches,
          specialise: precompile,
          cost: matchCost,
        },
        {
          id: "matches_string",
          member: true,
          params: [STRING, STRING],
          result: BOOL,
          call: matches,
          specialise: precompile,
          cost: matchCost,
        },
      ],
      examples: [
        { expression: "'llama-3-8b'.matches('^llama-[0-9]+')", result: "true" },
        { expression: "matches('mistral', '^llama')", result: "false" },
      ],
    },
  ],
};
