import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readAnswer } from "./answer.ts";
import { readPassing } from "./passing-answer.ts";

const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

describe("an answer that passes", () => {
  test("has the usage that reading it whole would find, whatever its texts say", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom('"usage":{"prompt_tokens":9}', '\\"usage\\"', "}", "{", "\\"),
    );
    const count = fc.nat({ max: 1_000_000 });
    fc.assert(
      fc.property(
        text,
        text,
        count,
        count,
        fc.constantFrom(0, 2),
        (content, id, prompt_tokens, completion_tokens, indent) => {
          const answer = {
            id,
            choices: [{ message: { content } }],
            usage: { prompt_tokens, completion_tokens, details: { cached: 1 } },
            timings: { note: content },
          };
          const bytes = Buffer.from(JSON.stringify(answer, null, indent));
          const whole = readAnswer(bytes);
          expect(whole.ok && whole.usage).toEqual({ promptTokens: prompt_tokens, completionTokens: completion_tokens });
          expect(readPassing(bytes)).toEqual({ ok: true, usage: whole.ok ? whole.usage : undefined });
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    ['{"choices":[]}', 0],
    ['{"usage":null}', 0],
    ['{"usage":"usage"}', 0],
    [`{"usage":${JSON.stringify(USAGE)},"object":"usage"}`, 3],
    [`  {"usage" : ${JSON.stringify(USAGE)} } \n`, 3],
    ['{"usage":{"prompt_tokens":1', -1],
    ["", -1],
    ["[]", -1],
    ["<html>", -1],
  ])("%s tells %d prompt tokens", (text, tokens) => {
    const read = readPassing(Buffer.from(text));
    expect(read.ok ? read.usage.promptTokens : -1).toBe(tokens);
  });

  test("is never made to be read at length", () => {
    const hostile = Buffer.from(`{${'"usage":{'.repeat(100_000)}}`);
    expect(readPassing(hostile)).toMatchObject({ ok: true });
  });
});
