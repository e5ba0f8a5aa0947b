/** cel-js as an oracle: where it is right we agree, and where it would let somebody in we do not. */
import { describe, expect, test } from "@jest/globals";
import { evaluate } from "cel-js";
import { CelError, compile, DYN, Environment, toJson } from "./index.ts";

const INPUT = { a: 1, b: "x", l: [1, 2, 3], m: { k: "v", n: null }, t: true };

function ours(source: string): unknown {
  const variables = Object.fromEntries(Object.keys(INPUT).map((name) => [name, DYN]));
  const compiled = compile(source, new Environment({ variables }));
  if (!compiled.ok) return "refused";
  const value = compiled.program.evaluate(INPUT);
  return value instanceof CelError ? "error" : toJson(value);
}

function theirs(source: string): unknown {
  try {
    return evaluate(source, INPUT);
  } catch {
    return "error";
  }
}

describe("what both evaluate", () => {
  test.each([
    "a + 2 * 3", "(a + 2) * 3", "a < 2 && t", "!t || a == 1", "b == 'x' ? 'yes' : 'no'", "l[1]", "m.k", 'm["k"] + "w"',
    "2 in l", "5 in l", "size(l) == 3", "has(m.k)", "has(m.q)", "l.all(i, i > 0)", "l.exists(i, i == 2)", "l.map(i, i * 2)",
    "l.filter(i, i > 1)", "[1, 2] == [1, 2]", "-a - -2", "7 % 4",
  ])("%s is the same", (source) => {
    expect(ours(source)).toEqual(theirs(source));
  }); // prettier-ignore
});

describe("what cel-js takes for granted", () => {
  test.each<[string, unknown, unknown]>([
    ["false # || true", true, "refused"],
    ["5 / 2", 2.5, 2],
    ["9007199254740993 == 9007199254740992", true, false],
    ["has(m.constructor)", true, false],
    ["1 ? 'in' : 'out'", "in", "refused"],
  ])("%s would be %p, and is %p", (source, lenient, strict) => {
    expect(theirs(source)).toEqual(lenient);
    expect(ours(source)).toEqual(strict);
  });
});
