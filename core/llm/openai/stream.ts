/**
 * A streamed answer, read as it passes: usage, why it finished, and how it ended. Events go on verbatim; only those whose
 * bytes show that they may say something are parsed.
 */
import type { AnswerStream, StreamReaderOptions, Terminal } from "../dialect.ts";
import type { Usage } from "../exchange.ts";
import { SseSplitter, type EventSink } from "../sse.ts";
import { isObject, type JsonObject } from "./check.ts";
import { NO_USAGE, usageOf } from "./usage.ts";

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;

const DATA = Buffer.from("data:");
const DONE = Buffer.from("[DONE]");
// In JSON a quote inside a string is escaped, so these bytes are a member's name or a whole string, never part of a text.
const USAGE = Buffer.from('"usage"');
const ERROR = Buffer.from('"error"');
const FINISH = Buffer.from('"finish_reason"');

export class StreamReader implements AnswerStream {
  readonly #splitter: SseSplitter;
  readonly #hideUsage: boolean;
  readonly #emit: EventSink;
  #usage: Usage = NO_USAGE;
  #terminal: Terminal = "cut";
  #finish = "";
  #deltas = 0;
  #events = 0;
  #problem: string | undefined;

  constructor(options: StreamReaderOptions) {
    this.#hideUsage = options.hideUsage;
    this.#emit = options.emit;
    this.#splitter = new SseSplitter((buffer, start, end) => this.#event(buffer, start, end), options.maxEventBytes);
  }

  /** As the engine counted at last; zeros while it has not. */
  get usage(): Usage {
    return this.#usage;
  }

  /** "cut" until the terminator or an error has come. */
  get terminal(): Terminal {
    return this.#terminal;
  }

  /** The last finish_reason; "" while there is none. */
  get finish(): string {
    return this.#finish;
  }

  /** Events that carried a part of the answer: about as many as its tokens, where an engine does not say. */
  get deltas(): number {
    return this.#deltas;
  }

  /** Takes the bytes from start to end; returns what is wrong with the stream, from then on always. */
  push(chunk: Buffer, start: number = 0, end: number = chunk.length): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    const problem = this.#splitter.push(chunk, start, end);
    // An event may have set one meanwhile, and it came first.
    this.#problem ??= problem;
    return this.#problem;
  }

  /** The engine has ended the stream. What was not a whole event is not passed on. */
  end(): string | undefined {
    const problem = this.#splitter.end();
    if (this.#terminal === "cut") this.#problem ??= problem;
    return this.#problem;
  }

  #event(buffer: Buffer, start: number, end: number): void {
    // Behind the terminator no client reads on.
    if (this.#terminal !== "cut" || this.#problem !== undefined) return;
    this.#events++;
    let contentEnd = end;
    while (contentEnd > start && isLineEnd(buffer[contentEnd - 1])) contentEnd--;
    let at = start;
    while (at < contentEnd && isLineEnd(buffer[at])) at++;
    if (!startsWith(buffer, at, contentEnd, DATA)) return this.#uncommon(buffer, start, end);
    at += DATA.length;
    if (buffer[at] === 0x20 && at < contentEnd) at++;
    const first = buffer[at];
    if (first === OPEN_BRACKET && contentEnd - at === DONE.length && startsWith(buffer, at, contentEnd, DONE)) {
      this.#terminal = "done";
      return this.#emit(buffer, start, end);
    }
    if (first !== OPEN_BRACE || buffer[contentEnd - 1] !== CLOSE_BRACE) return this.#uncommon(buffer, start, end);
    let parse = false;
    let finish = this.#finish;
    for (let i = at; i < contentEnd; i++) {
      const byte = buffer[i];
      if (byte === QUOTE) {
        // "u…" and "e…" of the names that matter; "f…" is read in place.
        const next = buffer[i + 1];
        if (next === 0x75) parse ||= opensObject(buffer, i, contentEnd, USAGE);
        else if (next === 0x65) parse ||= startsWith(buffer, i, contentEnd, ERROR);
        else if (next === 0x66 && startsWith(buffer, i, contentEnd, FINISH)) {
          finish = word(buffer, i + FINISH.length, contentEnd) ?? finish;
        }
      } else if (byte === LF || byte === CR) return this.#uncommon(buffer, start, end);
    }
    if (parse) this.#judge(parsed(buffer.toString("utf8", at, contentEnd)), buffer, start, end);
    else {
      this.#finish = finish;
      this.#deltas++;
      this.#emit(buffer, start, end);
    }
  }

  /** Comments, several lines, fields other than data: by the letter of the format. */
  #uncommon(buffer: Buffer, start: number, end: number): void {
    const text = buffer.toString("utf8", start, end);
    const data: string[] = [];
    // Only the stream's first event can begin with a byte order mark that is not part of it.
    const lines = (this.#events === 1 ? text.replace(/^\uFEFF/, "") : text).split(/\r\n|\n|\r/);
    for (const line of lines) {
      if (line === "data") data.push("");
      else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
    }
    const payload = data.join("\n");
    if (payload.trim() === "") return this.#emit(buffer, start, end);
    if (payload.trim() === "[DONE]") {
      this.#terminal = "done";
      return this.#emit(buffer, start, end);
    }
    this.#judge(parsed(payload), buffer, start, end);
  }

  #judge(chunk: JsonObject | undefined, buffer: Buffer, start: number, end: number): void {
    if (chunk === undefined) {
      this.#problem = "an event that is no JSON object";
      return;
    }
    if (isError(chunk)) {
      this.#terminal = "error";
      return this.#emit(buffer, start, end);
    }
    const usage = usageOf(chunk["usage"]);
    if (usage !== undefined) this.#usage = usage;
    const choices: unknown = chunk["choices"];
    const carries = !Array.isArray(choices) || choices.length > 0;
    if (Array.isArray(choices)) {
      for (const choice of choices) {
        if (isObject(choice) && typeof choice["finish_reason"] === "string") this.#finish = choice["finish_reason"];
      }
    }
    if (carries) this.#deltas++;
    if (carries || usage === undefined || !this.#hideUsage) this.#emit(buffer, start, end);
  }
}

/** What the SDKs raise (a member `error`), and vLLM's older form. */
function isError(chunk: JsonObject): boolean {
  return Boolean(chunk["error"]) || chunk["object"] === "error";
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR;
}

function startsWith(buffer: Buffer, at: number, end: number, bytes: Buffer): boolean {
  if (end - at < bytes.length) return false;
  for (let i = 0; i < bytes.length; i++) if (buffer[at + i] !== bytes[i]) return false;
  return true;
}

/** Whether a member of the name stands at the place, with an object as its value. */
function opensObject(buffer: Buffer, at: number, end: number, name: Buffer): boolean {
  if (!startsWith(buffer, at, end, name)) return false;
  const colon = skipSpaces(buffer, at + name.length, end);
  return buffer[colon] === 0x3a && buffer[skipSpaces(buffer, colon + 1, end)] === OPEN_BRACE;
}

/** The string behind a colon, when there is one, short and without escapes. */
function word(buffer: Buffer, at: number, end: number): string | undefined {
  const colon = skipSpaces(buffer, at, end);
  if (buffer[colon] !== 0x3a) return undefined;
  const open = skipSpaces(buffer, colon + 1, end);
  if (buffer[open] !== QUOTE) return undefined;
  for (let i = open + 1; i < end && i < open + 65; i++) {
    if (buffer[i] === QUOTE) return buffer.toString("latin1", open + 1, i);
  }
  return undefined;
}

function skipSpaces(buffer: Buffer, from: number, end: number): number {
  let i = from;
  while (i < end && (buffer[i] === 0x20 || buffer[i] === 0x09)) i++;
  return i;
}
