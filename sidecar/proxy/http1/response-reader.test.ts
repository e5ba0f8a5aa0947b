import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ResponseReader } from "./response-reader.ts";

/** What one answer looked like, however it was cut; "drop" where the connection has to go. */
function reading(bytes: Buffer, cuts: readonly number[], thenEnds = false): string[] {
  const seen: string[] = [];
  let body = "";
  const reader = new ResponseReader();
  reader.expect({
    onHead: (head) => seen.push(String(head.status)),
    onData: (buffer, start, end) => (body += buffer.toString("latin1", start, end)),
    onEnd: (reusable) => seen.push(body, reusable ? "reusable" : "not reusable"),
    onBroken: (message) => seen.push(body, message),
  });
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  // One buffer for all reads, as the socket does it: what is kept of it must be copied.
  const shared = Buffer.alloc(bytes.length);
  for (const [i, from] of [0, ...places].entries()) {
    const length = bytes.copy(shared, 0, from, places[i] ?? bytes.length);
    if (!reader.push(shared, length)) {
      seen.push("drop");
      return seen;
    }
  }
  if (thenEnds) reader.ended();
  return seen;
}

const CUTS = fc.array(fc.nat(), { maxLength: 8 });

describe("an engine's answer", () => {
  test.each([
    ["with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ["200", "hello", "reusable"]],
    [
      "in chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
      ["200", "hello", "reusable"],
    ],
    ["without a body", "HTTP/1.1 204 No Content\r\n\r\n", ["204", "", "reusable"]],
    [
      "after interim answers",
      "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      ["200", "ok", "reusable"],
    ],
    [
      "that closes",
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
      ["200", "ok", "not reusable"],
    ],
  ])("%s is the same however it is cut", (_what, text, expected) => {
    fc.assert(fc.property(CUTS, (cuts) => expect(reading(Buffer.from(text), cuts)).toEqual(expected)));
  });

  test("without a length ends with the connection", () => {
    expect(reading(Buffer.from("HTTP/1.1 200 OK\r\n\r\nhello"), [], true)).toEqual(["200", "hello", "not reusable"]);
  });

  test.each([
    ["no answer", "", ["", "the engine closed the connection without an answer"]],
    ["half a head", "HTTP/1.1 20", ["", "the engine closed the connection without an answer"]],
    [
      "half a body",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
      ["200", "hel", "the engine closed the connection within its answer"],
    ],
    [
      "half its chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
      ["200", "hel", "the engine closed the connection within its answer"],
    ],
  ])("is broken when the connection ends after %s", (_what, text, expected) => {
    expect(reading(Buffer.from(text), [], true)).toEqual(expected);
  });

  test.each([
    ["garbage", "SSH-2.0-OpenSSH\r\n\r\n", ["", "the status line is malformed", "drop"]],
    [
      "a bad chunk",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      ["200", "", "the engine's chunked coding is malformed", "drop"],
    ],
    ["a switch of protocols", "HTTP/1.1 101 Switching\r\n\r\n", ["", "the engine switched protocols unasked", "drop"]],
    [
      "bytes after its end",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
      ["200", "ok", "not reusable", "drop"],
    ],
  ])("is broken by %s", (_what, text, expected) => {
    expect(reading(Buffer.from(text), [])).toEqual(expected);
  });

  test("that nobody asked for drops the connection", () => {
    const reader = new ResponseReader();
    const bytes = Buffer.from("HTTP/1.1 200 OK\r\n\r\n");
    expect(reader.push(bytes, bytes.length)).toBe(false);
  });
});
