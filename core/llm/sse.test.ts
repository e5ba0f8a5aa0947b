import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { SseSplitter } from "./sse.ts";

/** Pushes the bytes cut at the places given, and says what came out. */
function split(
  bytes: Buffer,
  cuts: readonly number[] = [],
  maxEventBytes?: number,
): { events: string[]; problem: string | undefined; ended: string | undefined } {
  const events: string[] = [];
  const splitter = new SseSplitter(
    (buffer, start, end) => events.push(buffer.toString("latin1", start, end)),
    maxEventBytes,
  );
  let problem: string | undefined;
  let at = 0;
  for (const cut of [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))]
    .sort((a, b) => a - b)
    .concat(bytes.length)) {
    problem = splitter.push(bytes, at, cut);
    at = cut;
  }
  return { events, problem, ended: splitter.end() };
}

/** By the letter of the format, on the whole text: lines first, then events at empty lines behind ones that are not. */
function reference(text: string): string[] {
  const events: string[] = [];
  let event = "";
  let content = false;
  for (const [line] of text.matchAll(/[^\r\n]*(?:\r\n|\n|\r)/g)) {
    event += line;
    if (!/^[\r\n]/.test(line)) content = true;
    else if (content) {
      events.push(event);
      event = "";
      content = false;
    }
  }
  return events;
}

describe("where events end", () => {
  test.each([
    ["data: a\n\ndata: b\n\n", ["data: a\n\n", "data: b\n\n"]],
    ["data: a\r\n\r\ndata: b\r\n\r\n", ["data: a\r\n\r\n", "data: b\r\n\r\n"]],
    ["data: a\r\rdata: b\r\r", ["data: a\r\r", "data: b\r\r"]],
    ["data: a\n\r\ndata: b\r\n\n", ["data: a\n\r\n", "data: b\r\n\n"]],
    ["data: a\r\n\rdata: b\n\r", ["data: a\r\n\r", "data: b\n\r"]],
    ["data: a\ndata: b\n\n", ["data: a\ndata: b\n\n"]],
    [": keep-alive\n\ndata: a\n\n", [": keep-alive\n\n", "data: a\n\n"]],
    ["\n\n\ndata: a\n\n\n", ["\n\n\ndata: a\n\n"]],
    ["\r\n\r\ndata: a\n\n", ["\r\n\r\ndata: a\n\n"]],
    ["data: a\n", []],
  ])("%j", (text, events) => {
    expect(split(Buffer.from(text)).events).toEqual(events);
  });

  test("the same for every way of cutting the bytes, and nothing is lost", () => {
    const parts = fc.array(fc.constantFrom("data: a", ": c", "x", "\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "é"), {
      maxLength: 30,
    });
    const property = fc.property(parts, fc.array(fc.nat(), { maxLength: 12 }), (lines, cuts) => {
      const bytes = Buffer.from(lines.join(""), "latin1");
      const expected = reference(bytes.toString("latin1"));
      const whole = split(bytes);
      expect(whole.events).toEqual(expected);
      expect(split(bytes, cuts)).toEqual(whole);
      expect(bytes.toString("latin1").startsWith(expected.join(""))).toBe(true);
    });
    fc.assert(property, { numRuns: 4000 });
  });
});

test("an event that the stream ends in is no event but a problem", () => {
  expect(split(Buffer.from("data: a\n\ndata: b\n"))).toEqual({
    events: ["data: a\n\n"],
    problem: undefined,
    ended: "the stream ended inside an event",
  });
});

test("empty lines at the end are no event and no problem", () => {
  expect(split(Buffer.from("data: a\n\n\n\n")).ended).toBeUndefined();
});

test("events up to the limit pass, whole or cut, and one byte more is a problem from then on", () => {
  const fits = Buffer.from(`data: ${"a".repeat(92)}\n\n`);
  const over = Buffer.from(`data: ${"a".repeat(93)}\n\ndata: b\n\n`);
  for (const cuts of [[], [50], [1, 2, 3, 98, 99]]) {
    expect(split(fits, cuts, 100)).toEqual({ events: [fits.toString()], problem: undefined, ended: undefined });
    expect(split(over, cuts, 100)).toMatchObject({
      events: [],
      problem: "an event of more than 100 bytes",
      ended: "an event of more than 100 bytes",
    });
  }
});

test("whole events are handed on where they are, without a copy", () => {
  const chunk = Buffer.from("data: a\n\ndata: b\n\n");
  const seen: [boolean, number, number][] = [];
  const splitter = new SseSplitter((buffer, start, end) => seen.push([buffer === chunk, start, end]));
  splitter.push(chunk);
  expect(seen).toEqual([
    [true, 0, 9],
    [true, 9, 18],
  ]);
  expect(splitter.held).toBe(0);
});

test("bytes of the chunk outside the range are not looked at", () => {
  const events: string[] = [];
  const splitter = new SseSplitter((buffer, start, end) => events.push(buffer.toString("latin1", start, end)));
  splitter.push(Buffer.from("XX\n\ndata: a\n\nYY\n\n"), 4, 13);
  expect(events).toEqual(["data: a\n\n"]);
  expect(splitter.end()).toBeUndefined();
});
