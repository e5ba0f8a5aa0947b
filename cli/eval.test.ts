import { describe, expect, test } from "@jest/globals";
import { evaluateLine } from "./eval.ts";

describe("a line of the batch mode", () => {
  test.each<[string, unknown]>([
    ['{"expr":"1 + 2"}', { value: 3, type: "int" }],
    ['{"expr":"x + 1","input":{"x":2},"types":{"x":"int"}}', { value: 3, type: "int" }],
    ['{"expr":"x","input":{"x":2},"types":{"x":"uint"}}', { value: 2, type: "uint" }],
    ['{"expr":"x + 0.5","input":{"x":2},"types":{"x":"double"}}', { value: 2.5, type: "double" }],
    ['{"expr":"9223372036854775807"}', { value: "9223372036854775807", type: "int" }],
    ['{"expr":"x == 9007199254740993","input":{"x":9007199254740993}}', { value: true, type: "bool" }],
    ['{"expr":"x","input":{"x":1.0}}', { value: 1, type: "dyn" }],
    ['{"expr":"type(x) == double","input":{"x":1.0}}', { value: true, type: "bool" }],
    ['{"expr":"b\'ab\'"}', { value: "YWI=", type: "bytes" }],
    ['{"expr":"has(x.__proto__)","input":{"x":{}}}', { value: false, type: "bool" }],
    ['{"expr":"has(x.y)","input":{"x":{"y":null}}}', { value: true, type: "bool" }],
    [
      '{"expr":"t + duration(\'1h\')","input":{"t":"2026-11-21T09:00:00Z"},"types":{"t":"timestamp"}}',
      { value: "2026-11-21T10:00:00Z", type: "timestamp" },
    ],
  ])("%s has its value", (line, expected) => {
    expect(evaluateLine(line)).toMatchObject(expected as object);
  });

  test.each([
    ['{"expr":"1/0"}', "division by zero"],
    ['{"expr":"y"}', "1:1: undeclared reference"],
    ['{"expr":"x","input":{"x":"a"},"types":{"x":"int"}}', "int"],
    ['{"expr":"x","types":{"x":"nope"}}', "nope"],
    ['{"expr":1}', "expr must be a string"],
    ["[]", "a line must be a JSON object"],
    ["{", "JSON"],
    ["", "JSON"],
  ])("%s has an error that says why", (line, expected) => {
    expect(evaluateLine(line).error).toContain(expected);
  });
});
