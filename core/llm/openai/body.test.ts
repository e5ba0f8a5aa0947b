import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { BodyChanges, RequestBody } from "../exchange.ts";
import { readJson } from "../json.ts";
import { readRequest } from "./request.ts";
import { routeOf } from "./routes.ts";

function bodyOf(text: string): RequestBody {
  const routing = routeOf("POST", "/v1/chat/completions", "application/json");
  if (!routing.ok) throw new Error(routing.error.message);
  const reading = readRequest(routing.route, Buffer.from(text));
  if (!reading.ok) throw new Error(reading.error.message);
  return reading.body;
}

const PROMPT = '"model":"m","messages":[{"role":"user","content":"é \\"max_tokens\\":1 😀"}]';

describe("the ceiling", () => {
  test.each([
    ["", '"max_tokens":100,', 100],
    [',"max_tokens":5', "", 5],
    [',"max_tokens":100', "", 100],
    [',"max_tokens" : 500 ', "", 100],
    [',"max_tokens":null', "", 100],
    [',"max_completion_tokens":5', '"max_tokens":5,', 5],
    [',"max_completion_tokens":500', '"max_tokens":100,', 100],
    [',"max_completion_tokens":null', '"max_tokens":100,', 100],
    [',"max_tokens":500,"max_completion_tokens":500', "", 100],
    [',"max_\\u0074okens":500', "", 100],
  ])("%j", (members, inserted, ceiling) => {
    const text = `{${PROMPT}${members}}`;
    const after = bodyOf(text).rewrite({ maxTokens: 100 }).toString("utf8");
    expect(after.startsWith(`{${inserted}${PROMPT}`)).toBe(true);
    const sent = JSON.parse(after) as { max_tokens: unknown; max_completion_tokens?: unknown };
    expect(sent.max_tokens).toBe(ceiling);
    if (typeof sent.max_completion_tokens === "number") expect(sent.max_completion_tokens).toBe(ceiling);
  });

  test("what is no positive integer is an error of the caller", () => {
    for (const maxTokens of [0, -1, 1.5, NaN, Infinity, 2 ** 60])
      expect(() => bodyOf(`{${PROMPT}}`).rewrite({ maxTokens })).toThrow(RangeError);
  });
});

describe("usage", () => {
  test.each([
    ["", '"stream_options":{"include_usage":true},'],
    [',"stream_options":null', ""],
    [',"stream_options":{}', ""],
    [',"stream_options":{ }', ""],
    [',"stream_options":{"include_usage":false}', ""],
    [',"stream_options":{"include_usage":null , "include_obfuscation":false}', ""],
    [',"stream_options":{"include_obfuscation":false}', ""],
  ])("%j", (members, inserted) => {
    const after = bodyOf(`{${PROMPT},"stream":true${members}}`).rewrite({ includeUsage: true }).toString("utf8");
    expect(after.startsWith(`{${inserted}${PROMPT},"stream":true`)).toBe(true);
    const sent = JSON.parse(after) as { stream_options: { include_usage: unknown; include_obfuscation?: unknown } };
    expect(sent.stream_options.include_usage).toBe(true);
    expect(sent.stream_options.include_obfuscation).toBe(members.includes("obfuscation") ? false : undefined);
  });

  test("cannot be asked of an answer that is not streamed", () => {
    expect(() => bodyOf(`{${PROMPT}}`).rewrite({ includeUsage: true })).toThrow("in a stream only");
  });
});

test("nothing to change gives the bytes that were read", () => {
  const body = bodyOf(`{${PROMPT},"stream":true,"max_tokens":5,"stream_options":{"include_usage":true}}`);
  expect(body.rewrite({})).toBe(body.bytes);
  expect(body.rewrite({ maxTokens: 5, includeUsage: true })).toBe(body.bytes);
  expect(body.rewrite({ includeUsage: false })).toBe(body.bytes);
});

test("the result reads as the intended change and nothing else: every other member is the same, byte for byte", () => {
  const space = fc.constantFrom("", " ", "\n\t", "\r\n");
  const text = fc.string({ unit: "binary" }).map((value) => JSON.stringify(value.toWellFormed()));
  const tokens = fc.constantFrom("null", "1", "7", "50", "5e1", "1000");
  const member = fc.oneof(
    fc.tuple(fc.constant("user"), text),
    fc.tuple(fc.constantFrom("seed", "s\\u0065ed"), fc.constantFrom("1", "-0", "1.0", "1e2")),
    fc.tuple(fc.constant("temperature"), fc.constantFrom("0.1", "1E0", "null")),
    fc.tuple(fc.constantFrom("max_tokens", "max\\u005ftokens"), tokens),
    fc.tuple(fc.constant("max_completion_tokens"), tokens),
    fc.tuple(
      fc.constant("stream_options"),
      fc.constantFrom(
        "null",
        "{}",
        '{"include_usage":false}',
        '{ "include_obfuscation" : true }',
        '{"continuous_usage_stats":true,"include_usage":null}',
      ),
    ),
    fc.tuple(
      fc.constant("metadata"),
      text.map((value) => `{"max_tokens":${value}}`),
    ),
  );
  const changes = fc.record(
    { maxTokens: fc.constantFrom(1, 7, 49, 50, 4096), includeUsage: fc.boolean() },
    { requiredKeys: [] },
  );
  const property = fc.property(
    fc.array(member, { maxLength: 7 }),
    text,
    space,
    changes,
    (drawn, content, gap, change: BodyChanges) => {
      const members = new Map<string, string>([
        ["model", '"m"'],
        ["messages", `[{"role":"user","content":${content}}]`],
        ["stream", "true"],
      ]);
      const names = new Set(members.keys());
      for (const [name, value] of drawn) {
        const plain = JSON.parse(`"${name}"`) as string;
        if (names.has(plain)) continue;
        names.add(plain);
        members.set(name, value);
      }
      const before = `${gap}{${[...members].map(([name, value]) => `${gap}"${name}"${gap}:${gap}${value}${gap}`).join(",")}}${gap}`;
      const read = JSON.parse(before) as Record<string, unknown>;
      const { max_tokens: older, max_completion_tokens: newer } = read;
      if (typeof older === "number" && typeof newer === "number" && older !== newer) return;

      const after = bodyOf(before).rewrite(change).toString("utf8");
      const intended: Record<string, unknown> = { ...read };
      if (change.maxTokens !== undefined) {
        const lowest = Math.min(change.maxTokens, ...[older, newer].filter((value) => typeof value === "number"));
        intended["max_tokens"] = lowest;
        if (typeof newer === "number") intended["max_completion_tokens"] = lowest;
      }
      if (change.includeUsage === true)
        intended["stream_options"] = { ...(read["stream_options"] as object | null), include_usage: true };
      expect(JSON.parse(after)).toEqual(intended);

      const changed = new Set(["max_tokens", "max_completion_tokens", "stream_options"]);
      const kept = (json: string): string[] => {
        const reading = readJson(Buffer.from(json));
        if (!reading.ok) throw new Error(reading.message);
        return reading.members
          .filter(({ key }) => !changed.has(key))
          .map(({ keyStart, valueEnd }) => json.slice(keyStart, valueEnd));
      };
      expect(kept(after)).toEqual(kept(before));
      expect(() => bodyOf(after)).not.toThrow();
    },
  );
  fc.assert(property, { numRuns: 3000 });
});
