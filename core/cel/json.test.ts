import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { equals } from "./equality.ts";
import {
  CelError,
  compile,
  Environment,
  formatType,
  fromJson,
  INT,
  kindOf,
  parseJson,
  parseType,
  recordOf,
  STRING,
  toJson,
  type CelType,
} from "./index.ts";
import { type Value } from "./values.ts";

function evaluated(source: string): Value {
  const compiled = compile(source, new Environment({ variables: {} }));
  if (!compiled.ok) throw new Error(compiled.problems[0]?.message);
  const value = compiled.program.evaluate({});
  if (value instanceof CelError) throw new Error(value.message);
  return value;
}

describe("values as JSON", () => {
  test.each<[string, unknown]>([
    ["9007199254740991", 9_007_199_254_740_991],
    ["9007199254740992", "9007199254740992"],
    ["-9223372036854775808", "-9223372036854775808"],
    ["18446744073709551615u", "18446744073709551615"],
    ["1.5", 1.5],
    ["2.0", 2],
    ["1.0 / 0.0", "Infinity"],
    ["0.0 / 0.0", "NaN"],
    ["b'\\xff\\x00'", "/wA="],
    ["timestamp('2026-11-21T07:00:00.5Z')", "2026-11-21T07:00:00.5Z"],
    ["duration('-90s')", "-90s"],
    ["int", "int"],
    ["{1: 'a', true: 'b', 2u: null}", { 1: "a", true: "b", 2: null }],
    ["[optional.none(), optional.of(1)]", [null, 1]],
    ["{'__proto__': 1}", JSON.parse('{"__proto__": 1}')],
  ])("%s", (source, json) => {
    expect(JSON.stringify(toJson(evaluated(source)))).toBe(JSON.stringify(json));
  });

  test("are written however often", () => {
    const value = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, i]));
    for (let i = 0; i < 5_000; i++) toJson(value);
    expect(toJson({ a: [value] })).toEqual({ a: [value] });
  });

  test("are refused where they are too large to be written", () => {
    let value: Value = [1];
    for (let i = 0; i < 40; i++) value = [value, value];
    expect(() => toJson(value)).toThrow("too large for json");
  });

  test("come back as they were from text that JSON.stringify wrote", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const value = parseJson(JSON.stringify(json));
        expect(equals(value, fromJson(json as never))).toBe(true);
      }),
    );
  });
});

describe("JSON of a type", () => {
  const record = recordOf("R", { a: INT, b: { type: STRING, optional: true } });
  test.each<[string, unknown, string]>([
    ["int", "9223372036854775807", "9223372036854775807"],
    ["int", 5, "5"],
    ["uint", 5, "5u"],
    ["double", 5, "5.0"],
    ["double", "NaN", "string(0.0 / 0.0)"],
    ["timestamp", "2026-11-21T07:00:00Z", "timestamp('2026-11-21T07:00:00Z')"],
    ["duration", "1.5s", "duration('1500ms')"],
    ["bytes", "AP8=", "b'\\x00\\xff'"],
    ["list(double)", [1, 2.5], "[1.0, 2.5]"],
    ["map(string, uint)", { a: 1 }, "{'a': 1u}"],
    ["optional_type(int)", null, "optional.none()"],
    ["dyn", { a: [1, 2.5, null] }, "{'a': [1, 2.5, null]}"],
    ["R", { a: 1, b: "x" }, "{'a': 1, 'b': 'x'}"],
    ["R", { a: 1 }, "{'a': 1}"],
  ])("%s from %j", (type, json, source) => {
    const value = fromJson(json as never, parseType(type, { R: record }));
    const expected = evaluated(source);
    if (json === "NaN") expect(value).toBeNaN();
    else expect([kindOf(value), equals(value, expected)]).toEqual([kindOf(expected), true]);
  });

  test.each<[string, unknown, string]>([
    ["int", 1.5, "value: expected int, found 1.5"],
    ["int", "9223372036854775808", 'value: expected int, found "9223372036854775808"'],
    ["uint", -1, "value: expected uint, found -1"],
    ["bool", 1, "value: expected bool, found 1"],
    ["timestamp", "yesterday", 'value: expected timestamp, found "yesterday"'],
    ["bytes", "?", 'value: expected bytes, found "?"'],
    ["list(int)", [1, "x"], 'value[1]: expected int, found "x"'],
    ["map(string, int)", [], "value: expected map(string, int), found []"],
    ["R", {}, "value.a: expected int, found nothing"],
    ["R", { a: 1, c: 2 }, "value: R has no field 'c'"],
    ["R", { a: 1, b: null }, "value.b: expected string, found null"],
  ])("%s refuses %j", (type, json, message) => {
    expect(() => fromJson(json as never, parseType(type, { R: record }))).toThrow(message);
  });
});

describe("a type's text", () => {
  test.each([
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "timestamp",
    "duration",
    "null",
    "dyn",
    "list(int)",
    "map(string, list(dyn))",
    "optional_type(map(int, bool))",
    "type(int)",
  ])("%s is read as it is written", (text) => {
    expect(formatType(parseType(text))).toBe(text);
  });

  test.each(["", "nope", "list()", "list(int, int)", "map(int)", "int + int", "a.list(int)", "constructor", "1"])(
    "%j is no type",
    (text) => {
      expect(() => parseType(text)).toThrow("not a type");
    },
  );

  test("can name records", () => {
    const named: Record<string, CelType> = { "acme.User": recordOf("acme.User", {}) };
    expect(formatType(parseType("list(acme.User)", named))).toBe("list(acme.User)");
  });
});
