import { describe, expect, test } from "@jest/globals";
import { compileTree } from "./codegen/compile.ts";
import { check } from "./check.ts";
import { elaborate } from "./elaborate.ts";
import {
  BOOL, CelError, compile, DOUBLE, DYN, Environment, INT, listOf, mapOf, recordOf, STRING, stringOf, UINT, Uint,
  type Activation, type CelType, type Value,
} from "./index.ts"; // prettier-ignore
import { isMap, mapEntries } from "./maps.ts";
import { parse } from "./parser.ts";
import { boxDouble } from "./values.ts";

const names: Record<string, CelType> = {
  n: INT, i: INT, u: UINT, d: DOUBLE, s: STRING, b: BOOL, l: listOf(INT), m: mapOf(STRING, INT), ds: listOf(DOUBLE),
}; // prettier-ignore
const typed = new Environment({ variables: names });
const dynamic = new Environment({ variables: Object.fromEntries(Object.keys(names).map((name) => [name, DYN])) });

/** Expressions that each property tries; more by hand: CEL_RUNS=100000. */
const RUNS = Number(process.env["CEL_RUNS"] ?? 1_000);

/** A source of choices that a seed determines. */
class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to below the limit. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  of<T>(...items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to choose from");
    return item;
  }
}

type Kind = "int" | "uint" | "double" | "string" | "bool" | "list" | "map";
type Form = (g: (kind: Kind) => string, c: Choices) => string;

const LEAVES: Record<Kind, readonly string[]> = {
  int: ["n", "i", "0", "1", "7", "(-9223372036854775808)", "9223372036854775807", "9007199254740993"],
  uint: ["u", "1u", "2u", "0u", "18446744073709551615u"],
  double: ["d", "0.5", "2.0", "(-0.0)"],
  string: ["s", "'a'", "'b'", "''"],
  bool: ["b", "true", "false"],
  list: ["l", "[1, 2]", "[n, i]", "[]"],
  map: ["m", "{'a': 1, 'b': 2}"],
};

const choice =
  (kind: Kind): Form =>
  (g) =>
    `(${g("bool")} ? ${g(kind)} : ${g(kind)})`;
const infix =
  (kind: Kind, ...symbols: string[]): Form =>
  (g, c) =>
    `(${g(kind)} ${c.of(...symbols)} ${g(kind)})`;
const bound =
  (kind: Kind): Form =>
  (g) =>
    `cel.bind(i, ${g("int")}, ${g(kind)})`;

const FORMS: Record<Kind, readonly Form[]> = {
  int: [
    infix("int", "+", "-", "*", "/", "%"),
    (g) => `(-${g("int")})`,
    choice("int"),
    bound("int"),
    (g) => `size(${g("list")})`,
    (g) => `${g("string")}.size()`,
    (g) => `${g("list")}[${g("int")}]`,
    (g) => `${g("map")}[${g("string")}]`,
    (g) => `${g("map")}.a`,
    (g) => `${g("map")}.?a.orValue(${g("int")})`,
    (g) => `int(${g("double")})`,
    (g) => `int(${g("uint")})`,
    (g) => `optional.of(${g("int")}).optMap(n, ${g("int")}).value()`,
  ],
  uint: [infix("uint", "+", "-", "*", "/", "%"), choice("uint"), (g) => `uint(${g("int")})`],
  double: [
    infix("double", "+", "-", "*", "/"),
    (g) => `(-${g("double")})`,
    choice("double"),
    (g) => `double(${g("int")})`,
    (g) => `ds[${g("int")}]`,
    (g) => `[${g("double")}][0]`,
    (g) => `{'a': ${g("double")}}.a`,
  ],
  string: [
    infix("string", "+"),
    choice("string"),
    (g) => `string(${g("int")})`,
    (g) => `string(${g("uint")})`,
    (g) => `string(${g("double")})`,
    (g) => `string(type(dyn(${g("double")})) == double)`,
  ],
  bool: [
    infix("bool", "&&", "||", "==", "!="),
    infix("bool", "&&", "||"),
    (g) => `!${g("bool")}`,
    choice("bool"),
    bound("bool"),
    infix("int", "==", "!=", "<", "<=", ">", ">="),
    infix("uint", "==", "<", ">="),
    infix("double", "==", "<", ">="),
    infix("string", "==", "<", ">="),
    (g) => `(${g("int")} < ${g("double")})`,
    (g) => `(${g("uint")} >= ${g("int")})`,
    (g) => `(dyn(${g("int")}) == dyn(${g("double")}))`,
    infix("list", "==", "!="),
    infix("map", "==", "!="),
    (g) => `(${g("int")} in ${g("list")})`,
    (g) => `(${g("int")} in [1, 2, 3, 4, 9223372036854775807])`,
    (g) => `(${g("string")} in ${g("map")})`,
    (g) => `has(${g("map")}.a)`,
    (g) => `${g("string")}.startsWith(${g("string")})`,
    (g, c) => `${g("list")}.${c.of("all", "exists", "exists_one")}(i, ${g("bool")})`,
    (g, c) => `${g("map")}.${c.of("all", "exists")}(s, i, ${g("bool")})`,
    (g) => `cel.bind(b, ${g("bool")}, ${g("bool")})`,
  ],
  list: [
    infix("list", "+"),
    choice("list"),
    (g) => `[${g("int")}, ${g("int")}]`,
    (g) => `${g("list")}.map(i, ${g("int")})`,
    (g) => `${g("list")}.filter(i, ${g("bool")})`,
    (g) => `${g("list")}.transformList(n, i, ${g("bool")}, ${g("int")})`,
    (g) => `${g("map")}.map(s, m[s])`,
  ],
  map: [choice("map"), (g) => `{${g("string")}: ${g("int")}}`, (g) => `${g("map")}.transformMap(s, i, ${g("int")})`],
};

/** A well-typed expression. */
function expression(kind: Kind, depth: number, choices: Choices): string {
  if (depth === 0 || choices.below(6) === 0) return choices.of(...LEAVES[kind]);
  return choices.of(...FORMS[kind])((inner) => expression(inner, depth - 1, choices), choices);
}

/** Values of the variables, each with the literal that denotes it. */
const INPUTS: Record<string, readonly (readonly [Value, string])[]> = {
  n: [[0, "0"], [1, "1"], [-3, "-3"], [9007199254740993n, "9007199254740993"], [9223372036854775807n, "9223372036854775807"]],
  i: [[0, "0"], [1, "1"], [-1, "-1"], [2, "2"]],
  u: [[new Uint(0), "0u"], [new Uint(3), "3u"], [new Uint(18446744073709551615n), "18446744073709551615u"]],
  d: [[boxDouble(0), "0.0"], [boxDouble(-0), "-0.0"], [1.5, "1.5"], [boxDouble(3), "3.0"], [1e300, "1e300"]],
  s: [["", "''"], ["a", "'a'"], ["é😀", "'é😀'"], ["constructor", "'constructor'"]],
  b: [[true, "true"], [false, "false"]],
  l: [[[], "[1].filter(x, false)"], [[1], "[1]"], [[0, 2, 1], "[0, 2, 1]"]],
  m: [[new Map(), "{'a': 1}.transformMap(k, v, false, v)"], [{ a: 1 }, "{'a': 1}"], [new Map([["__proto__", 0], ["a", 2]]), "{'__proto__': 0, 'a': 2}"]],
  ds: [[[], "[0.0].filter(x, false)"], [[boxDouble(2), 0.5], "[2.0, 0.5]"]],
}; // prettier-ignore

function run(source: string, environment: Environment, activation: Activation): Value | CelError {
  const compiled = compile(source, environment);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.problems[0]?.message ?? ""}`);
  return compiled.program.evaluate(activation);
}

/** Without constants folded. */
function runUnfolded(source: string, activation: Activation): Value | CelError {
  const parsed = parse(source, (name, arity, member) => typed.macro(name, arity, member));
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  return compileTree(elaborate(parsed.node, check(source, parsed.node, typed)), false).run(activation);
}

/** A value with everything that tells it from another; NaN equal to itself; errors all the same but for exhausted budgets. */
function print(value: Value | CelError): unknown {
  if (value instanceof CelError) return value.code === "internal" ? value : "error";
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return (value as readonly Value[]).map(print);
  if (isMap(value)) return new Map(mapEntries(value).map(([key, item]) => [key, print(item)]));
  return Object.is(value, -0) ? 0 : value;
}

describe("an expression has one value", () => {
  type Compare = (source: string, activation: Activation, literals: Readonly<Record<string, string>>) => unknown;
  const kinds = Object.keys(FORMS) as readonly Kind[];

  function property(compare: Compare): void {
    let values = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const choices = new Choices(seed);
      const source = expression(choices.of("bool", ...kinds), 4, choices);
      const given = Object.entries(INPUTS).map(([name, options]) => [name, choices.of(...options)] as const);
      const activation = Object.fromEntries(given.map(([name, [value]]) => [name, value]));
      const literals = Object.fromEntries(given.map(([name, [, text]]) => [name, text]));
      const expected = print(run(source, typed, activation));
      if (expected !== "error") values++;
      expect([seed, source, literals, compare(source, activation, literals)]).toEqual([
        seed,
        source,
        literals,
        expected,
      ]);
    }
    expect(values).toBeGreaterThan(RUNS / 3);
  }

  test("whether the types of its variables are known or not", () => {
    property((source, activation) => print(run(source, dynamic, activation)));
  });

  test("whether it is traced or not", () => {
    property((source, activation) => {
      const compiled = compile(source, typed);
      return compiled.ok ? print(compiled.program.trace(activation).result) : "refused";
    });
  });

  test("whether constants are folded or not", () => {
    property((source, activation) => print(runUnfolded(source, activation)));
  });

  test("whether its variables are given when it is evaluated or stand in it as constants", () => {
    property((source, _activation, literals) => {
      const bound = Object.entries(literals).reduce(
        (body, [name, text]) => `cel.bind(${name}, ${text}, ${body})`,
        source,
      );
      return print(run(bound, typed, {}));
    });
  });
});

test("an evaluation never spends more than was estimated", () => {
  const sized = new Environment({
    variables: { ...names, s: stringOf(11), l: listOf(INT, 3), m: mapOf(STRING, INT, 2), ds: listOf(DOUBLE, 2) },
    unknownSize: { items: 3, length: 11 },
  });
  for (let seed = 1; seed <= RUNS; seed++) {
    const choices = new Choices(-seed);
    const source = expression(choices.of("bool", "list", "map"), 5, choices);
    const compiled = compile(source, sized);
    // The type of an empty list's elements is open, so it may be settled as another than was meant.
    if (!compiled.ok && source.includes("[]")) continue;
    if (!compiled.ok) throw new Error(`${source}: ${compiled.problems[0]?.message ?? ""}`);
    const activation = Object.fromEntries(Object.entries(INPUTS).map(([name, all]) => [name, choices.of(...all)[0]]));
    const { spent } = compiled.program.trace(activation, 1e9);
    expect([source, spent]).toEqual([source, expect.closeTo(Math.min(spent, compiled.program.cost.max))]);
  }
});

describe("generated code", () => {
  const hostile = ["\"];process.exit(1);//", "${process.exit(1)}", "`", "\\", "'", "\u2028", "\u2029", "*/", "t0", "c0", "a", "__proto__", "constructor", "\0", "</script>"]; // prettier-ignore

  test("holds no text of an expression", () => {
    for (const text of [...hostile, "secret"]) {
      const quoted = JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
      const source = `m[${quoted}] == 1 || s == ${quoted} || {${quoted}: 1}.size() > n || ${quoted} in m || s in [${quoted}, s]`;
      const parsed = parse(source, (name, arity, member) => typed.macro(name, arity, member));
      if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
      const { code, run: evaluate } = compileTree(elaborate(parsed.node, check(source, parsed.node, typed)), false);
      if (text.length > 2) expect(code.replaceAll(/a\["[a-z]+"\]/g, "")).not.toContain(text);
      const found = evaluate({ s: text, n: 0, m: {}, b: false });
      expect(found).toBe(true);
      expect(run(source, typed, { s: "other", n: 5, m: Object.fromEntries([[text, 1]]), b: false })).toBe(true);
    }
  });

  test("cannot be broken out of by names: no schema takes them", () => {
    for (const name of hostile.filter((text) => !/^[A-Za-z][A-Za-z0-9]*$/.test(text) || text === "constructor")) {
      expect(() => new Environment({ variables: { [name]: INT } })).toThrow("cannot be the name");
      expect(() => new Environment({ variables: { r: recordOf("R", Object.fromEntries([[name, INT]])) } })).toThrow(
        "cannot be the name",
      );
    }
  });

  test("reads variables whose names are those of its own", () => {
    const environment = new Environment({ variables: { t0: INT, c0: INT, a: INT, L0: INT, budget: INT, r: INT } });
    const activation = { t0: 1, c0: 2, a: 3, L0: 4, budget: 5, r: 6 };
    expect(
      run("[1].map(x, t0 + c0 * 10 + a * 100 + L0 * 1000 + budget * 10000 + r * 100000)[0]", environment, activation),
    ).toBe(654_321);
  });
});
