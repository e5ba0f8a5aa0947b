/** What reading a request and an answer of OpenAI's dialect costs: microseconds of one core, and against JSON.parse alone. */
import { performance } from "node:perf_hooks";
import { readRequest, routeOf, StreamReader } from "../core/llm/openai/index.ts";
import { spread, type BenchOptions, type BenchResult, type Row, type Spread } from "./result.ts";

const REQUEST_BYTES = 8 * 1024;

const PROSE = "The lighthouse keeper wrote down the weather every evening, and nobody ever asked him for it. ";
const CYRILLIC = "Смотритель маяка записывал погоду каждый вечер, и никто его об этом не спрашивал. ";
const CODE = 'if (name === "lamp") {\n\tconsole.log("it is \\"lit\\"", {"at": 20});\n}\n';

function chatOf(text: string, extra: Readonly<Record<string, unknown>>): Buffer {
  const turns = Array.from({ length: 10 }, (_, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: text,
  }));
  const chat = {
    model: "llama-3-8b",
    messages: [{ role: "system", content: "You are a helpful assistant." }, ...turns],
    temperature: 0.7,
    max_tokens: 512,
    stream: true,
    stream_options: { include_usage: true },
    ...extra,
  };
  return Buffer.from(JSON.stringify(chat));
}

/** A chat of eight kibibytes at least, its turns filled with the text. */
function chat(text: string, extra: Readonly<Record<string, unknown>> = {}): Buffer {
  for (let length = 64; ; length += 8) {
    const bytes = chatOf(text.repeat(Math.ceil(length / text.length)).slice(0, length), extra);
    if (bytes.length >= REQUEST_BYTES) return bytes;
  }
}

const TOOLS = Array.from({ length: 8 }, (_, index) => ({
  type: "function",
  function: {
    name: `tool_${index}`,
    description: "Looks something up.",
    parameters: {
      type: "object",
      properties: { query: { type: "string" }, limit: { type: "integer" } },
      required: ["query"],
    },
  },
}));

/** Microseconds of CPU a call, over the repeats: a busy machine makes the clock run, and the thread wait. */
function measure({ quick }: BenchOptions, call: () => unknown, perCall = 1): Spread {
  const windowMs = quick ? 30 : 300;
  const values: number[] = [];
  for (let repeat = 0; repeat < (quick ? 3 : 9); repeat++) {
    let calls = 0;
    const start = performance.now();
    const before = process.threadCpuUsage();
    do {
      for (let i = 0; i < 64; i++) call();
      calls += 64;
    } while (performance.now() - start < windowMs);
    const { user, system } = process.threadCpuUsage(before);
    values.push((user + system) / (calls * perCall));
  }
  // The first repeat is the warm-up.
  return spread(values.slice(1));
}

function requests(options: BenchOptions): Row[] {
  const routing = routeOf("POST", "/v1/chat/completions", "application/json");
  if (!routing.ok) throw new Error(routing.error.message);
  const { route } = routing;
  const bodies: readonly (readonly [string, Buffer])[] = [
    ["8 KB of prose", chat(PROSE)],
    ["8 KB of code, many escapes", chat(CODE)],
    ["8 KB with 8 tools", chat(PROSE, { tools: TOOLS })],
    ["8 KB of Cyrillic", chat(CYRILLIC)],
  ];
  const rows: Row[] = [];
  for (const [name, bytes] of bodies) {
    const read = (): ReturnType<typeof readRequest> & { ok: true } => {
      const reading = readRequest(route, bytes);
      if (!reading.ok) throw new Error(reading.error.message);
      return reading;
    };
    read();
    const parse = measure(options, () => void JSON.parse(bytes.toString("utf8")));
    const reading = measure(options, () => void read());
    const texts = measure(options, () => {
      const { exchange } = read();
      return exchange.text.length + exchange.toolNames.length;
    });
    const clamped = measure(options, () => void read().body.rewrite({ maxTokens: 100 }));
    rows.push({
      name: `request, ${name}`,
      figures: {
        "µs read": reading,
        "µs JSON.parse alone": parse,
        "µs read, with texts and tool names": texts,
        "µs read and lowered": clamped,
        bytes: bytes.length,
      },
    });
  }
  return rows;
}

function event(index: number): string {
  return `data: {"id":"chatcmpl-8d1c","object":"chat.completion.chunk","created":1795254907,"model":"llama-3-8b","choices":[{"index":0,"delta":{"content":" word${index % 10}"},"logprobs":null,"finish_reason":null}]}\n\n`;
}

function streams(options: BenchOptions): Row[] {
  const rows: Row[] = [];
  const all = Buffer.from(Array.from({ length: 64 }, (_, index) => event(index)).join(""));
  const size = Buffer.byteLength(event(0));
  for (const [name, chunkBytes] of [
    ["an event in a chunk", size],
    ["16 events in a chunk", 16 * size],
    ["chunks that cut events", size - 50],
  ] as const) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < all.length; at += chunkBytes) chunks.push(Buffer.from(all.subarray(at, at + chunkBytes)));
    let passed = 0;
    const reader = new StreamReader({ hideUsage: true, emit: (_, start, end) => void (passed += end - start) });
    const push = (): void => {
      for (const chunk of chunks) {
        const problem = reader.push(chunk);
        if (problem !== undefined) throw new Error(problem);
      }
    };
    push();
    if (passed !== all.length) throw new Error(`${passed} of ${all.length} bytes came through`);
    rows.push({
      name: `stream, ${name}`,
      figures: { "µs an event": measure(options, push, 64), "bytes an event": size },
    });
  }
  return rows;
}

function figure(row: Row, name: string): Spread {
  const value = row.figures[name];
  return value === undefined || typeof value === "number" ? { min: NaN, median: NaN, max: NaN } : value;
}

export function run(options: BenchOptions): Promise<BenchResult> {
  options.say("requests …");
  const read = requests(options);
  options.say("streams …");
  const streamed = streams(options);
  const ratios = Object.fromEntries(
    read.map((row) => [
      `${row.name}: read / JSON.parse alone`,
      figure(row, "µs read").min / figure(row, "µs JSON.parse alone").min,
    ]),
  );
  const bars = [
    ...read.map((row) => ({ name: `${row.name}, µs`, value: figure(row, "µs read").min, atMost: 40 })),
    ...streamed.map((row) => ({ name: `${row.name}, µs`, value: figure(row, "µs an event").min, atMost: 2 })),
  ];
  const notes = ["bars and ratios are over the least of the repeats: the one that was disturbed least"];
  return Promise.resolve({ ratios, rows: [...read, ...streamed], bars, notes });
}
