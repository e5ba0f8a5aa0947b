import { describe, expect, test } from "@jest/globals";
import { CelError, compile, DYN, Environment, STRING, TIMESTAMP, type Value } from "../index.ts";
import { fastestMs } from "../../../test/support/fastest.ts";
import { BASE_LIBRARIES } from "../standard/libraries.ts";
import { EXTENSIONS } from "./index.ts";

const environment = new Environment({ variables: { x: DYN, text: STRING, at: TIMESTAMP }, libraries: EXTENSIONS });

function evaluate(expression: string, activation: Record<string, unknown> = {}): Value | CelError {
  const compiled = compile(expression, environment);
  if (!compiled.ok) throw new Error(compiled.problems.map((problem) => problem.message).join("; "));
  return compiled.program.evaluate({ x: null, text: "", ...activation });
}

function refusal(expression: string): string {
  const compiled = compile(expression, environment);
  return compiled.ok ? "accepted" : compiled.problems.map((problem) => problem.message).join("; ");
}

const declarations = [...BASE_LIBRARIES, ...EXTENSIONS].flatMap((library) => [...library.functions, ...library.macros]);

test("every function that can be written has words and an example, and every example holds", () => {
  const failures: string[] = [];
  for (const declaration of declarations) {
    const overloads = "overloads" in declaration ? declaration.overloads : [];
    const examples = [...declaration.examples, ...overloads.flatMap((overload) => overload.examples ?? [])];
    const isInternal = declaration.name.startsWith("@");
    if (!isInternal && (declaration.doc === "" || examples.length === 0))
      failures.push(`${declaration.name} has no example`);
    for (const example of examples) {
      const value = evaluate(`(${example.expression}) == (${example.result})`);
      if (value !== true) failures.push(`${example.expression} is not ${example.result}: ${JSON.stringify(value)}`);
    }
  }
  expect(failures).toEqual([]);
  expect(declarations.length).toBeGreaterThan(130);
});

test("no two overloads have the same id", () => {
  const ids = declarations.flatMap((declaration) =>
    "overloads" in declaration ? declaration.overloads.map((overload) => overload.id) : [],
  );
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
});

describe("true, on edges", () => {
  test.each([
    "'😀é'.charAt(0) == '😀'",
    "'a😀b'.substring(1, 2) == '😀'",
    "'%s'.format([dyn(1.0)]) == '1'",
    "'%d %s'.format([18446744073709551615u, -0.0]) == '18446744073709551615 -0'",
    "'%s %s'.format([timestamp('2026-11-21T07:00:00.5Z'), duration('90s')]) == '2026-11-21T07:00:00.5Z 90s'",
    "'%X'.format(['é']) == 'C3A9'",
    "'%s'.format([{2: 'b', 1u: 'a', true: 'c'}]) == '{1: a, 2: b, true: c}'",
    "[2.0, 1.0].sort() == [1.0, 2.0]",
    "['b', 'a', '\\U0001F600', '\\uFF5E'].sort() == ['a', 'b', '\\uFF5E', '\\U0001F600']",
    "[dyn(2), 1].sort() == [1, 2]",
    "[b'b', b'a'].sort()[0] == b'a'",
    "[{'n': 2}, {'n': 1}].sortBy(e, e.n)[0].n == 1",
    "[1, 2].sortBy(e, -e).sortBy(f, f) == [1, 2]",
    "[[1, 2], [3]].sortBy(e, size(e)).map(e, size(e)) == [1, 2]",
    "[1, 1.0, 1u, 2, '1', 'a', 'a', [1], [1.0]].distinct() == [1, 2, '1', 'a', [1]]",
    "[1u, 2u].sum() == 3u",
    "[1.5, 2.5].max() == 2.5 && [1u].min() == 1u",
    "type([1.0, 2.0].max()) == double && type([1u].sum()) == uint",
    "dyn([1.0, 2.0]).max() == 2.0 && type(dyn([1.0, 2.0]).max()) == double",
    "type(dyn([1.0, 2.0]).sum()) == double && type(dyn([1u]).sum()) == uint",
    "[duration('1m'), duration('1s')].sum() == duration('61s')",
    "[].flatten() == [] && [[[1]]].flatten() == [[1]]",
    "lists.range(0) == [] && lists.range(-1) == []",
    "[].first() == optional.none() && [1].first() == optional.of(1)",
    "math.greatest(1, 2.5, 2u) == 2.5 && math.least(3u, 2) == 2",
    "type(math.greatest(1.0, 2.0)) == double && type(math.greatest(1u, 2u)) == uint",
    "math.bitNot(0u) == 18446744073709551615u && math.bitShiftRight(-1, 1) == 9223372036854775807",
    "math.bitShiftLeft(-1, 63) == -9223372036854775808 && math.bitAnd(-1, 9223372036854775807) == 9223372036854775807",
    "math.round(0.49999999999999994) == 0.0 && math.round(-2.5) == -3.0 && math.round(4503599627370497.0) == 4503599627370497.0",
    "math.isNaN(math.sign(0.0 / 0.0))",
    "base64.decode('') == b'' && base64.encode(b'') == ''",
    "cidr('10.0.0.0/8').containsIP(text)",
    "ip(text) == ip('10.1.2.3') && ip(text) != ip('::1')",
    "cidr('10.1.2.3/8') != cidr('10.0.0.0/8') && type(ip('::1')) == net.IP",
    "url('https://e.com/?__proto__=1').getQuery()['__proto__'] == ['1']",
    "url('/a') == url('/a') && url('/a') != url('/b')",
    "quantity('1k') == quantity('1000') && quantity('1k') != quantity('1Ki')",
    "sign(quantity('-1')) == -1",
    "semver('1.0.0+a') == semver('1.0.0+b')",
    "'abc'.glob(['x*', '*c']) && !'abc'.glob([])",
    "timestamp('2026-11-21T07:00:00.25Z').secondsSince(timestamp('2026-11-21T07:00:00Z')) == 0.25",
    "sets.equivalent([1], [1u, 1.0]) && sets.contains([1, 2.0, 3u], [1.0, 2u, 3])",
    "[[1], [2, 3]].hasAny([[1, 2], [2, 3.0]])",
    "'aXbX'.find(text + 'X') == '' && 'a10.1.2.3X'.find(text + 'X') == '10.1.2.3X'",
    "'ab'.find('(?i)B') == 'b'",
    "{'k': ip('::1')}.k == ip('::1') && ip('::1') in [ip('::1')]",
  ])("%s", (expression) => {
    expect(evaluate(expression, { text: "10.1.2.3" })).toBe(true);
  });
});

describe("errors, each with its reason", () => {
  test.each([
    ["'hello'.charAt(6)", "index out of range: 6"],
    ["'hello'.charAt(-1)", "index out of range: -1"],
    ["'hello'.substring(9223372036854775807)", "index out of range"],
    ["'hello'.substring(3, 2)", "invalid substring range"],
    ["['a', x].join()", "every element must be a string"],
    ["text.format([1])", "unrecognized formatting clause"],
    ["'%d'.format(['a'])", "decimal clause can only be used on integers, was given string"],
    ["'%s'.format([ip('::1')])", "was given net.IP"],
    ["'%d %d'.format([1])", "index 1 out of range"],
    ["'%s'.format([b'\\xff'])", "not valid utf-8"],
    ["[1, 2].slice(0, 3)", "list is length 2"],
    ["[1, 2].slice(-1, 1)", "negative indexes"],
    ["[[1]].flatten(-1)", "level must be non-negative"],
    ["lists.range(10001)", "more than 10000 elements"],
    ["[1, dyn('a')].sort()", "comparable and of one type"],
    ["[1.0, 0.0 / 0.0].sort()", "NaN has no place in an order"],
    ["[].max()", "max called on empty list"],
    ["[9223372036854775807, 1].sum()", "overflow"],
    ["[1, dyn(1.0)].sum()", "of one type"],
    ["math.abs(-9223372036854775807 - 1)", "overflow"],
    ["math.bitShiftLeft(1, -1)", "negative offset"],
    ["math.greatest(x)", "no such overload"],
    ["base64.decode('a')", "invalid base64 text"],
    ["base64.decode('aGVsbG8=\\n')", "invalid base64 text"],
    ["base64.decode('aGVsbG9=')", "invalid base64 text"],
    ["base64.decode('aGVsbG8==')", "invalid base64 text"],
    ["base64.decodeUrl('+/==')", "invalid base64url text"],
    ["text.find('x'.replace('x', '('))", "invalid regular expression: missing )"],
    ["regex.extract('a', '(a)(b)?')", "more than one capturing group"],
    ["regex.replace('a', 'a', '\\\\1')", "names group 1"],
    ["ip(text)", "invalid IP address"],
    ["cidr('10.0.0.0/8').containsIP(text)", "invalid IP address"],
    ["ip.isCanonical('x')", "invalid IP address"],
    ["url(text)", "invalid URL"],
    ["quantity('0.5').asInteger()", "cannot convert value to integer"],
    ["semver(text)", "invalid semantic version"],
    ["spiffe.path(text)", "invalid SPIFFE ID"],
    ["text.glob(lists.range(600).map(i, '*').join())", "glob pattern is longer"],
  ])("%s", (expression, reason) => {
    const value = evaluate(expression, { text: "%a" });
    expect(value).toBeInstanceOf(CelError);
    expect(value instanceof CelError ? value.message : "").toContain(reason);
  });
});

describe("refused when the expression is compiled", () => {
  test.each([
    ["text.matches('(')", "missing )"],
    ["text.find('a**')", "follows another repetition"],
    ["regex.replace(text, '\\\\C', '')", "unknown escape"],
    ["'%y'.format([1])", "unrecognized formatting clause"],
    ["ip('1.2.3')", "invalid IP address"],
    ["cidr('1.2.3.4/33')", "bad prefix length"],
    ["cidr('10.0.0.0/8').containsIP('10.0.0')", "invalid IP address"],
    ["url('x')", "invalid URL"],
    ["quantity('1x')", "invalid quantity"],
    ["semver('1')", "invalid semantic version"],
    ["semver('1-a', true)", "short version"],
    ["math.greatest()", "undeclared"],
    ["math.greatest('a')", "expected numbers"],
    ["math.greatest(1, [2])", "expected numbers"],
    ["[[1]].sort()", "no matching overload"],
    ["['a'].sum()", "no matching overload"],
    ["[1].sortBy(1, 2)", "expected a simple variable name"],
    ["quantity('1').isLessThan(semver('1.0.0'))", "no matching overload"],
  ])("%s", (expression, reason) => {
    expect(refusal(expression)).toContain(reason);
  });
});

test("work that grows with its input is charged to the budget", () => {
  const dear = [
    "lists.range(10000).map(i, lists.range(10000 - i)).size() > 0",
    "lists.range(10000).map(i, [i]).distinct().size() > 0",
    "lists.range(1000).all(i, text.replace('a', 'b') != '')",
    "lists.range(1000).all(i, text.find('b') == '')",
    "sets.contains(lists.range(10000), lists.range(10000))",
  ];
  for (const expression of dear) {
    const elapsed = fastestMs(() => {
      const value = evaluate(expression, { text: "a".repeat(60_000) });
      expect([expression, value instanceof CelError ? value.code : value]).toEqual([expression, "budget_exceeded"]);
    }, 50);
    expect(elapsed).toBeLessThan(250);
  }
});
