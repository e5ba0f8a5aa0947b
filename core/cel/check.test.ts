import { expect, test } from "@jest/globals";
import { tests as checking } from "@bufbuild/cel-spec/testdata/checking.js";
import { BOOL, BYTES, compile, DOUBLE, Environment, formatType, INT, NULL, STRING, UINT } from "./index.ts";

interface Case {
  readonly original: { readonly expr: string };
  readonly type?: string;
  readonly error?: string;
}

/** The variables of cel-go's checker tests that are no messages. */
const environment = new Environment({
  variables: { is: STRING, ii: INT, iu: UINT, iz: BOOL, id: DOUBLE, ix: NULL, ib: BYTES },
});
/** What these tests name and no expression here has: messages, their variables, functions declared for one test. */
const FOREIGN = /undeclared reference|undeclared function|messages \(/;
/** cel-go's tests leave out what is always on here: optional syntax, and numbers of different types compared. */
const OPTIONS =
  /unsupported syntax|no matching overload for '_[<>]=?_' applied to '\((int|uint|double), (int|uint|double)\)'/;

test("types are those that cel-go's checker finds, and what it refuses is refused", () => {
  let compared = 0;
  for (const { original, type, error } of checking.tests as readonly Case[]) {
    const compiled = compile(original.expr, environment);
    if (!compiled.ok && FOREIGN.test(compiled.problems[0]?.message ?? "")) continue;
    if (compiled.ok && error !== undefined && OPTIONS.test(error)) continue;
    const found = compiled.ok ? formatType(compiled.program.type) : undefined;
    expect([original.expr, found]).toEqual([original.expr, type]);
    compared++;
  }
  expect(compared).toBeGreaterThanOrEqual(50);
});
