import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { StreamReader } from "./stream.ts";

interface Outcome {
  readonly out: string;
  readonly usage: string;
  readonly terminal: string;
  readonly finish: string;
  readonly deltas: number;
  readonly problem: string | undefined;
}

/** Reads the bytes cut at the places given, as the proxy would. */
function read(bytes: Buffer, hideUsage: boolean, cuts: readonly number[] = []): Outcome {
  const out: string[] = [];
  const reader = new StreamReader({
    hideUsage,
    emit: (buffer, start, end) => out.push(buffer.toString("latin1", start, end)),
  });
  let at = 0;
  for (const cut of [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))]
    .sort((a, b) => a - b)
    .concat(bytes.length)) {
    reader.push(Buffer.from(bytes.subarray(at, cut)));
    at = cut;
  }
  const problem = reader.end();
  const { promptTokens, completionTokens } = reader.usage;
  const { terminal, finish, deltas } = reader;
  return { out: out.join(""), usage: `${promptTokens}+${completionTokens}`, terminal, finish, deltas, problem };
}

function recorded(name: string): Buffer {
  return fs.readFileSync(path.join(import.meta.dirname, "recorded", name));
}

function data(chunk: unknown): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function delta(content: string, finish: string | null = null): unknown {
  return {
    id: "1",
    object: "chat.completion.chunk",
    model: "m",
    choices: [{ index: 0, delta: { content }, finish_reason: finish }],
  };
}

const USAGE = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
const USAGE_ONLY = { id: "1", object: "chat.completion.chunk", model: "m", choices: [], usage: USAGE };
const DONE = "data: [DONE]\n\n";

describe("llama.cpp's streams as they were recorded", () => {
  test.each([
    ["llamacpp-chat.sse", { usage: "23+6", terminal: "done", finish: "length" }],
    ["llamacpp-chat-n2.sse", { usage: "23+6", terminal: "done", finish: "length" }],
    ["llamacpp-completion.sse", { terminal: "done", finish: "length" }],
    ["llamacpp-chat-no-usage.sse", { usage: "0+0", terminal: "done", finish: "length" }],
  ])("%s goes on as it is, and is understood", (name, expected) => {
    const bytes = recorded(name);
    expect(read(bytes, false)).toMatchObject({ ...expected, out: bytes.toString("latin1"), problem: undefined });
  });

  test.each(["llamacpp-chat.sse", "llamacpp-chat-n2.sse"])("%s without the usage that nobody asked for", (name) => {
    const events = recorded(name)
      .toString("latin1")
      .split(/(?<=\n\n)/);
    const kept = events.filter((event) => !event.includes('"choices":[],'));
    expect(kept.length).toBeLessThan(events.length);
    const outcome = read(recorded(name), true);
    expect(outcome.out).toBe(kept.join(""));
    expect(outcome.usage).toBe(read(recorded(name), false).usage);
    expect(outcome.deltas).toBe(kept.length - 1);
  });
});

describe("usage", () => {
  test("the last one wins", () => {
    const stream =
      data({ ...(delta("a") as object), usage: { prompt_tokens: 9, completion_tokens: 1 } }) + data(USAGE_ONLY) + DONE;
    expect(read(Buffer.from(stream), true)).toMatchObject({ usage: "9+4", deltas: 1 });
  });

  test("in a chunk that carries something it is passed on", () => {
    const stream = data({ ...(delta("a", "stop") as object), usage: USAGE }) + DONE;
    expect(read(Buffer.from(stream), true)).toMatchObject({ out: stream, usage: "9+4", finish: "stop" });
  });

  test("null is none; a chunk without choices and usage is passed on", () => {
    const stream =
      data({ ...(delta("a") as object), usage: null }) + data({ choices: [], prompt_filter_results: [] }) + DONE;
    expect(read(Buffer.from(stream), true)).toMatchObject({ out: stream, usage: "0+0" });
  });

  test("in the model's own words is no usage", () => {
    const words = 'say "usage":{"prompt_tokens":1} and "error": and data: [DONE]\n\n';
    const stream = data(delta(words)) + data(delta("usage")) + data(delta("error")) + DONE;
    expect(read(Buffer.from(stream), true)).toMatchObject({ out: stream, usage: "0+0", terminal: "done", deltas: 3 });
  });

  test("that is no count is 0", () => {
    const stream = data({ choices: [], usage: { prompt_tokens: -5, completion_tokens: "9" } }) + DONE;
    expect(read(Buffer.from(stream), true).usage).toBe("0+0");
  });
});

describe("how it ends", () => {
  test.each([
    ["with its terminator", DONE, "done"],
    ["with a terminator in CRLF", "data: [DONE]\r\n\r\n", "done"],
    ["with a terminator without a space", "data:[DONE]\n\n", "done"],
    ["with OpenAI's error", data({ error: { message: "m", type: "t", code: null } }), "error"],
    ["with an error as text", data({ error: "out of memory" }), "error"],
    ["with vLLM's older error", data({ object: "error", message: "m", code: 400 }), "error"],
    ["with an error of its own event type", 'event: error\ndata: {"error":{"message":"m"}}\n\n', "error"],
    ["with no error at all", data({ error: null, choices: [] }), "cut"],
    ["with nothing", "", "cut"],
    ["with a terminator in a comment", ": [DONE]\n\n", "cut"],
    ["with a terminator that is itself cut", "data: [DONE]\n", "cut"],
  ])("%s", (_, end, terminal) => {
    expect(read(Buffer.from(data(delta("a")) + end), true).terminal).toBe(terminal);
  });

  test("nothing is passed on behind the terminator or an error", () => {
    for (const end of [DONE, data({ error: "e" })]) {
      const stream = data(delta("a")) + end;
      const outcome = read(Buffer.from(stream + data(delta("hidden")) + DONE), true);
      expect(outcome.out).toBe(stream);
      expect(outcome.deltas).toBe(1);
    }
  });

  test("bytes behind the terminator that are no whole event are no problem", () => {
    expect(read(Buffer.from(`${DONE}data: x`), true)).toMatchObject({ problem: undefined, terminal: "done" });
  });
});

describe("garbage", () => {
  test.each([
    "data: hello\n\n",
    "data: 1\n\n",
    "data: [1]\n\n",
    'data: {"choices":\n\n',
    'data: {"usage":{"prompt_tokens":}}\n\n',
    "data: <html>\n\n",
  ])("%j is a problem, and is not passed on", (event) => {
    const good = data(delta("a"));
    const outcome = read(Buffer.from(good + event + DONE), true);
    expect(outcome).toMatchObject({ out: good, problem: "an event that is no JSON object", terminal: "cut" });
  });

  test("is told at once, and from then on", () => {
    const reader = new StreamReader({ hideUsage: false, emit: () => undefined });
    expect(reader.push(Buffer.from(data(delta("a"))))).toBeUndefined();
    expect(reader.push(Buffer.from("data: x\n\n"))).toBe("an event that is no JSON object");
    expect(reader.push(Buffer.from(DONE))).toBe("an event that is no JSON object");
    expect(reader.end()).toBe("an event that is no JSON object");
  });

  test("an event cut by the stream's end is not passed on", () => {
    const good = data(delta("a"));
    expect(read(Buffer.from(`${good}data: {"cho`), true)).toMatchObject({
      out: good,
      problem: "the stream ended inside an event",
    });
  });

  test("an event over the limit is a problem", () => {
    const reader = new StreamReader({ hideUsage: false, emit: () => undefined, maxEventBytes: 64 });
    expect(reader.push(Buffer.from(data(delta("a".repeat(100)))))).toBe("an event of more than 64 bytes");
    expect(reader.push(Buffer.from(DONE))).toBe("an event of more than 64 bytes");
    expect(reader.terminal).toBe("cut");
  });
});

describe("the letter of the format", () => {
  test("comments and fields without data go on and count as nothing", () => {
    const stream = ": ping\n\nretry: 100\n\ndata\n\n";
    expect(read(Buffer.from(stream + DONE), true)).toMatchObject({ out: stream + DONE, deltas: 0, terminal: "done" });
  });

  test("an event in several lines is read as one", () => {
    const stream = `id: 1\ndata: {"choices":[],\ndata: "usage":${JSON.stringify(USAGE)}}\n\n${DONE}`;
    expect(read(Buffer.from(stream), true)).toMatchObject({ out: DONE, usage: "9+4" });
  });

  test("an event in lines that begin and end as one object does is put together", () => {
    const stream = `data: {"choices":[],\ndata: "usage":${JSON.stringify(USAGE)}}\n\n${DONE}`;
    expect(read(Buffer.from(stream), true)).toMatchObject({ out: DONE, usage: "9+4", problem: undefined });
  });

  test("a byte order mark before the first event is none of its letters", () => {
    const stream = `\uFEFF${data(USAGE_ONLY)}${DONE}`;
    expect(read(Buffer.from(stream), true)).toMatchObject({ out: DONE, usage: "9+4", problem: undefined });
  });
});

test("any chunking gives the same bytes and the same verdicts", () => {
  const events = fc.constantFrom(
    data(delta("héllo 😀")),
    data(delta("x", "stop")),
    data(USAGE_ONLY),
    data({ ...(delta("a") as object), usage: USAGE }),
    data(USAGE_ONLY).replaceAll("\n", "\r\n"),
    data(delta("b")).replaceAll("\n", "\r"),
    ": ping\n\n",
    "\n",
    "event: x\r\ndata: {\r\ndata: }\r\n\r\n",
    "data: garbage\n\n",
    "data: {\n",
    data({ error: "e" }),
    DONE,
  );
  const property = fc.property(
    fc.array(events, { maxLength: 8 }),
    fc.boolean(),
    fc.array(fc.nat(), { maxLength: 20 }),
    (parts, hideUsage, cuts) => {
      const bytes = Buffer.from(parts.join(""));
      const whole = read(bytes, hideUsage);
      expect(read(bytes, hideUsage, cuts)).toEqual(whole);
      expect(read(bytes, hideUsage, [...bytes.keys()])).toEqual(whole);
    },
  );
  fc.assert(property, { numRuns: 1500 });
});

test("what the fast look finds is what parsing each event finds", () => {
  const word = fc.constantFrom(
    "usage",
    "error",
    "finish_reason",
    "stop",
    '"usage":{"a":1}',
    "u",
    "\\",
    '"',
    "{",
    "}",
    "\n",
  );
  const value = fc.oneof(
    word,
    fc.constantFrom(null, 1, true, USAGE),
    fc.array(word, { maxLength: 2 }),
    fc.dictionary(word, word, { maxKeys: 2 }),
  );
  const choice = fc.record({
    delta: fc.record({ content: word }),
    finish_reason: fc.constantFrom(null, "stop", "length"),
  });
  const chunk = fc.record(
    {
      choices: fc.array(choice, { maxLength: 2 }),
      usage: value,
      error: fc.constantFrom(null, false, "e", { message: "m" }),
      object: word,
    },
    { requiredKeys: ["choices"] },
  );
  fc.assert(
    fc.property(chunk, fc.constantFrom(0, 1), (drawn, spaces) => {
      // With spaces JSON stands in one line still: new lines become blanks.
      const json = JSON.stringify(drawn, null, spaces).replaceAll("\n", " ");
      const outcome = read(Buffer.from(`data: ${json}\n\n`), true);
      const error = Boolean(drawn.error) || drawn.object === "error";
      const { usage } = drawn;
      const counted = !error && typeof usage === "object" && usage !== null && !Array.isArray(usage);
      expect(outcome.terminal).toBe(error ? "error" : "cut");
      expect(outcome.usage).toBe(counted && usage === USAGE ? "9+4" : "0+0");
      expect(outcome.out === "").toBe(counted && drawn.choices.length === 0);
      const finishes = drawn.choices.map((choice) => choice.finish_reason).filter((finish) => finish !== null);
      if (!error) expect(outcome.finish).toBe(finishes.at(-1) ?? "");
    }),
    { numRuns: 3000 },
  );
});
