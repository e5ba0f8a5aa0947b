import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { BOOL, CelError, compile, DOUBLE, DYN, Environment, INT, listOf, STRING, type Constant } from "./index.ts";

const variables = { s: STRING, n: INT, d: DOUBLE, b: BOOL, x: DYN, l: listOf(STRING) };
const environment = new Environment({ variables });

function constant(source: string): Constant | undefined {
  const compiled = compile(source, environment);
  if (!compiled.ok) throw new Error(compiled.problems[0]?.message);
  return compiled.program.constant;
}

describe("a condition", () => {
  test.each([
    ["s == 'a' && s == 'b'", false, 's cannot be both "a" and "b"'],
    ["s == 'a' && b && s in ['b', 'c']", false, 's cannot be both "a" and "b" or "c"'],
    ["s == 'a' && s != 'a'", false, 's cannot be "a" and not "a"'],
    ["s in []", false, "s is in no empty list"],
    ["s.startsWith('a/') && s == 'b'", false, 's cannot be "b" and start with "a/"'],
    ["s.startsWith('a/') && s.startsWith('b/')", false, 's cannot start with both "b/" and "a/"'],
    ["s.startsWith('a/b') && !s.startsWith('a/')", false, 's cannot start with "a/b" and not with "a/"'],
    ["n > 5 && n < 6", false, "n cannot be at least 6 and at most 5"],
    ["5 < n && !(n >= 6)", false, "n cannot be at least 6 and at most 5"],
    ["n == 3 && n > 3", false, "n cannot be 3 and more than 3"],
    ["size(l) < 0", false, "size(l) cannot be at least 0 and at most -1"],
    ["b && !b", false, "b cannot be both true and false"],
    ["b || !b", true, "its opposite cannot be: b cannot be both false and true"],
    ["n < 5 || n >= 5", true, "its opposite cannot be: n cannot be at least 5 and at most 4"],
    ["s == 'a' ? s == 'b' : s == 'a'", false, undefined],
    ["(s == 'a' || s == 'b') && s == 'c'", false, undefined],
    ["l.exists(g, g == 'x') && !l.exists(g, g == 'x')", undefined, undefined],
    ["x.a == 'a' && x.a == 'b'", false, 'x.a cannot be both "a" and "b"'],
    ["l.size() >= 0", true, undefined],
    ["1 + 1 == 2", true, "it does not depend on any variable"],
    ["s == 'a' && false", false, "it does not depend on any variable"],
    ["s == 'a' && s.startsWith('a')", undefined, undefined],
    ["s == 'a' || s == 'b'", undefined, undefined],
    ["s.startsWith('a') && s.startsWith('ab') && !s.startsWith('abc')", undefined, undefined],
    ["!s.startsWith('a') && !s.startsWith('b')", undefined, undefined],
    ["n > 5 && n < 7", undefined, undefined],
    ["d < 5.0 || d >= 5.0", undefined, undefined],
    ["x == 1 && x == 2", undefined, undefined],
    ["n < 0.5 && n > 0.6", undefined, undefined],
    ["s == 'a' && x == 'b'", undefined, undefined],
  ])("%s", (source, value, reason) => {
    const found = constant(source);
    expect(found?.value).toBe(value);
    if (reason !== undefined) expect(found?.reason).toBe(reason);
  });

  test("with many alternatives is given up on, not expanded without end", () => {
    const many = Array.from({ length: 30 }, (_, i) => `(s == '${i}' || n == ${i})`).join(" && ");
    expect(constant(many)).toBeUndefined();
  });

  test("that is said to be constant has that value or an error for all inputs", () => {
    const atom = fc.oneof(
      fc
        .tuple(fc.constantFrom("==", "!=", "<", "<=", ">", ">="), fc.integer({ min: 0, max: 3 }))
        .map(([op, c]) => `n ${op} ${c}`),
      fc.tuple(fc.constantFrom("==", "!="), fc.constantFrom("a", "ab", "b")).map(([op, c]) => `s ${op} '${c}'`),
      fc.constantFrom("a", "ab", "b", "").map((prefix) => `s.startsWith('${prefix}')`),
      fc.constantFrom("s in ['a', 'b']", "s in ['ab']", "n in [1, 2]", "b", "true", "false", "size(s) > 0", "x == 'a'"),
    );
    const condition = fc.letrec<{ c: string }>((tie) => ({
      c: fc.oneof(
        { maxDepth: 3 },
        atom,
        fc
          .tuple(tie("c"), fc.constantFrom("&&", "||"), tie("c"))
          .map(([left, op, right]) => `(${left} ${op} ${right})`),
        tie("c").map((inner) => `!(${inner})`),
        fc.tuple(tie("c"), tie("c"), tie("c")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      ),
    })).c;
    let claims = 0;
    fc.assert(
      fc.property(condition, (source) => {
        const compiled = compile(source, environment);
        if (!compiled.ok) throw new Error(compiled.problems[0]?.message);
        const claim = compiled.program.constant;
        if (claim === undefined) return;
        claims++;
        for (const s of ["", "a", "ab", "b", "abc"]) {
          for (const n of [-1, 0, 1, 2, 3, 4]) {
            for (const b of [true, false]) {
              const value = compiled.program.evaluate({ s, n, b, x: s });
              if (!(value instanceof CelError)) expect([source, value]).toEqual([source, claim.value]);
            }
          }
        }
      }),
      { numRuns: 1_500 },
    );
    expect(claims).toBeGreaterThan(50);
  });
});
