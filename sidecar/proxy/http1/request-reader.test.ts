import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { MemoryBudget } from "../memory.ts";
import { RequestReader, type ReaderLimits } from "./request-reader.ts";

const memory = new MemoryBudget(1000);
const LIMITS: ReaderLimits = { headBytes: 1024, bodyBytes: 100, aheadBytes: 64 };

interface Seen {
  readonly events: string[];
  readonly reader: RequestReader;
}

/** A reader whose every request is answered at once, or not at all. */
function reading(chunks: readonly Buffer[], answer = true): Seen {
  const events: string[] = [];
  const reader: RequestReader = new RequestReader(
    {
      onHead: () => true,
      onRequest: (head, body) => {
        events.push(`${head.method} ${head.target} ${body.toString("latin1")}`);
        if (answer) reader.next();
      },
      onProblem: (problem) => events.push(`${problem.status} ${problem.code}`),
    },
    LIMITS,
    memory.holder(() => "a"),
  );
  for (const chunk of chunks) reader.push(chunk);
  return { events, reader };
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

const TWO = Buffer.from(
  "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
    "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" +
    "GET /c HTTP/1.1\r\nHost: a\r\n\r\n",
  "latin1",
);

describe("requests of a connection", () => {
  test("are the same however their bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
        expect(reading(cutAt(TWO, cuts)).events).toEqual(["POST /a hello", "POST /b abcde", "GET /c "]);
      }),
    );
    expect(reading([...TWO].map((byte) => Buffer.of(byte))).events).toEqual([
      "POST /a hello",
      "POST /b abcde",
      "GET /c ",
    ]);
  });

  test("wait for the answer before them, and for more than is kept the socket waits too", () => {
    const { events, reader } = reading([TWO], false);
    expect(events).toEqual(["POST /a hello"]);
    expect(reader.full).toBe(true);
    reader.next();
    expect(events).toEqual(["POST /a hello", "POST /b abcde"]);
  });

  test.each([
    ["a body over the limit", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", "413 body_too_large"],
    [
      "chunks over the limit",
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n${"a".repeat(101)}\r\n`,
      "413 body_too_large",
    ],
    ["a head over the limit", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(1024)}`, "431 head_too_large"],
    [
      "a chunk extension",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n",
      "400 invalid_chunk",
    ],
    [
      "a chunk with a bare line feed",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n",
      "400 invalid_chunk",
    ],
    [
      "a chunk size of many zeros",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000003\r\nabc\r\n",
      "400 invalid_chunk",
    ],
    [
      "a trailer",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n\r\n",
      "400 invalid_chunk",
    ],
    [
      "data longer than its chunk",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
      "400 invalid_chunk",
    ],
    ["a TLS hello", "\u0016\u0003\u0001", "400 invalid_request_line"],
    ["an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 invalid_target"],
    ["an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 invalid_request_line"],
  ])("end with %s", (_what, text, code) => {
    expect(reading([Buffer.from(text, "latin1")]).events).toEqual([code]);
    expect(reading([...Buffer.from(text, "latin1")].map((byte) => Buffer.of(byte))).events).toEqual([code]);
  });

  test("share the memory of their bodies, and give it back", () => {
    const shared = new MemoryBudget(32);
    const post = (length: string, body: string): Buffer =>
      Buffer.from(`POST /a HTTP/1.1\r\nHost: a\r\n${length}\r\n\r\n${body}`);
    const open = (): { readonly reader: RequestReader; readonly events: string[] } => {
      const events: string[] = [];
      const reader = new RequestReader(
        {
          onHead: () => true,
          onRequest: (_head, body) => events.push(body.toString()),
          onProblem: ({ code }) => events.push(code),
        },
        LIMITS,
        shared.holder(() => "a"),
      );
      return { reader, events };
    };
    const first = open();
    first.reader.push(post("Content-Length: 5", "hello"));
    for (const [length, body] of [
      ["Content-Length: 4", "abcd"],
      ["Transfer-Encoding: chunked", "4\r\nabcd\r\n0\r\n\r\n"],
    ] as const) {
      const second = open();
      second.reader.push(post(length, body));
      expect(second.events).toEqual(["overloaded"]);
    }
    expect(shared.left).toBe(27);
    first.reader.next();
    expect(shared.left).toBe(32);
    first.reader.push(post("Content-Length: 5", "hel"));
    first.reader.close();
    expect(shared.left).toBe(32);
  });

  test("are not read on after a problem", () => {
    const smuggled = Buffer.concat([
      Buffer.from("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
      TWO,
    ]);
    expect(reading([smuggled, TWO]).events).toEqual(["400 conflicting_length"]);
  });

  test("never make the reader throw, whatever comes", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array(),
            fc.constantFrom(...TWO.toString("latin1").split(/(?=\r\n)/)).map((s) => Buffer.from(s)),
          ),
          { maxLength: 20 },
        ),
        (parts) => {
          const { events } = reading(parts.map((part) => Buffer.from(part)));
          expect(events.every((event) => /^(?:\d{3} \w+|\w+ \/)/.test(event))).toBe(true);
        },
      ),
    );
  });
});
