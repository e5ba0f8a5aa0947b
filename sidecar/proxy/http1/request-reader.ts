/**
 * Requests of one HTTP/1.1 connection: bytes in, whole requests out, one at a time. Owns no socket and no clock.
 *
 * What comes after a request waits, bounded, until `next()` says that its answer is done: pipelined requests are decided
 * one by one, each on the policy of its own moment.
 */
import { ChunkedDecoder } from "./chunked.ts";
import type { Holder } from "../memory.ts";
import { parseRequestHead, type HttpProblem, type RequestHead } from "./head.ts";

export interface RequestSink {
  /** A head was read. False: the sink refuses; nothing more is read of this connection. */
  onHead(head: RequestHead): boolean;
  /** The request of that head is complete. */
  onRequest(head: RequestHead, body: Buffer): void;
  /** What came is not a request; nothing more is read of this connection. */
  onProblem(problem: HttpProblem): void;
}

export interface ReaderLimits {
  /** Bytes of a head, its empty line included. */
  readonly headBytes: number;
  /** Bytes of a body. */
  readonly bodyBytes: number;
  /** Bytes kept of what follows an unanswered request. */
  readonly aheadBytes: number;
}

const EMPTY = Buffer.alloc(0);
const HEAD_END = Buffer.from("\r\n\r\n", "latin1");

type State = "head" | "body" | "chunks" | "busy" | "closed";

export class RequestReader {
  readonly #sink: RequestSink;
  readonly #limits: ReaderLimits;
  readonly #memory: Holder;
  #state: State = "head";
  #ahead: Buffer = EMPTY;
  #head: RequestHead | undefined;
  #body: Buffer = EMPTY;
  #filled = 0;
  #decoder: ChunkedDecoder | undefined;
  #advancing = false;
  /** Bytes taken of the shared memory. */
  #taken = 0;

  /** `memory`: what a body's bytes are taken of as they come, until its answer is done. */
  constructor(sink: RequestSink, limits: ReaderLimits, memory: Holder) {
    this.#sink = sink;
    this.#memory = memory;
    this.#limits = limits;
  }

  /** Whether a request has begun to arrive and is not complete: what a read time limit is about. */
  get midRequest(): boolean {
    return this.#state === "body" || this.#state === "chunks" || (this.#state === "head" && this.#ahead.length > 0);
  }

  /** Whether the socket should wait: more has come after an unanswered request than is kept. */
  get full(): boolean {
    return this.#state === "busy" && this.#ahead.length >= this.#limits.aheadBytes;
  }

  push(chunk: Buffer): void {
    if (this.#state === "closed") return;
    this.#ahead = this.#ahead.length === 0 ? chunk : Buffer.concat([this.#ahead, chunk]);
    if (this.#state !== "busy") this.#advance();
  }

  /** The answer to the last request is done: go on with what has come since. */
  next(): void {
    if (this.#state !== "busy") return;
    this.#giveBack();
    this.#state = "head";
    this.#advance();
  }

  close(): void {
    this.#giveBack();
    this.#state = "closed";
    this.#ahead = EMPTY;
    this.#body = EMPTY;
    this.#head = undefined;
  }

  #advance(): void {
    // A sink may answer at once and call next() from inside onRequest: the loop takes it up, without recursion.
    if (this.#advancing) return;
    this.#advancing = true;
    while (this.#step());
    this.#advancing = false;
  }

  /** One step on what has come; false when it takes more bytes, or somebody else's turn. */
  #step(): boolean {
    switch (this.#state) {
      case "head":
        return this.#ahead.length > 0 && this.#readHead();
      case "body":
        return this.#ahead.length > 0 && this.#readBody();
      case "chunks":
        return this.#ahead.length > 0 && this.#readChunks();
      case "busy":
      case "closed":
        return false;
    }
  }

  #readHead(): boolean {
    const data = this.#ahead;
    const end = data.indexOf(HEAD_END);
    if ((end < 0 ? data.length : end + 4) > this.#limits.headBytes) {
      return this.#fail({
        status: 431,
        code: "head_too_large",
        message: `the head is over ${this.#limits.headBytes} bytes`,
      });
    }
    if (end < 0) return looksLikeRequest(data) ? false : this.#fail(NOT_HTTP);
    const parsed = parseRequestHead(data.toString("latin1", 0, end + 4));
    if (!parsed.ok) return this.#fail(parsed.problem);
    const head = parsed.value;
    this.#ahead = end + 4 === data.length ? EMPTY : data.subarray(end + 4);
    if (typeof head.bodyLength === "number" && head.bodyLength > this.#limits.bodyBytes) return this.#tooLarge();
    if (!this.#sink.onHead(head)) {
      this.close();
      return false;
    }
    this.#head = head;
    if (head.bodyLength === "chunked") {
      this.#decoder ??= new ChunkedDecoder();
      this.#decoder.reset();
      this.#body = EMPTY;
      this.#filled = 0;
      this.#state = "chunks";
      return true;
    }
    if (head.bodyLength === 0) return this.#complete(EMPTY);
    this.#filled = 0;
    this.#body = EMPTY;
    this.#state = "body";
    return true;
  }

  #readBody(): boolean {
    const length = this.#head!.bodyLength as number;
    const data = this.#ahead;
    const take = Math.min(data.length, length - this.#filled);
    // Taken as they come: a length that is only claimed holds nothing.
    if (!this.#take(take)) return this.#fail(OVERLOADED);
    if (this.#filled === 0 && data.length >= length) {
      this.#ahead = data.length === length ? EMPTY : data.subarray(length);
      return this.#complete(data.length === length ? data : data.subarray(0, length));
    }
    // Pages of a large buffer are touched as bytes arrive, so a length that is only claimed costs no memory.
    if (this.#filled === 0) this.#body = Buffer.allocUnsafeSlow(length);
    data.copy(this.#body, this.#filled, 0, take);
    this.#filled += take;
    this.#ahead = take === data.length ? EMPTY : data.subarray(take);
    return this.#filled < length || this.#complete(this.#body);
  }

  #readChunks(): boolean {
    const data = this.#ahead;
    const decoder = this.#decoder!;
    let tooLarge = false;
    let noMemory = false;
    const state = decoder.push(data, 0, data.length, (buffer, start, end) => {
      if (tooLarge || this.#filled + end - start > this.#limits.bodyBytes) tooLarge = true;
      else if (noMemory || !this.#take(end - start)) noMemory = true;
      else this.#append(buffer, start, end);
    });
    if (noMemory) return this.#fail(OVERLOADED);
    if (tooLarge) return this.#tooLarge();
    if (state === "error")
      return this.#fail({ status: 400, code: "invalid_chunk", message: "the chunked coding is malformed" });
    this.#ahead = decoder.consumed === data.length ? EMPTY : data.subarray(decoder.consumed);
    if (state === "more") return false;
    return this.#complete(this.#body.subarray(0, this.#filled));
  }

  #append(buffer: Buffer, start: number, end: number): void {
    const needed = this.#filled + end - start;
    if (needed > this.#body.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#limits.bodyBytes, Math.max(4096, 2 * needed)));
      this.#body.copy(grown, 0, 0, this.#filled);
      this.#body = grown;
    }
    buffer.copy(this.#body, this.#filled, start, end);
    this.#filled = needed;
  }

  #complete(body: Buffer): boolean {
    const head = this.#head!;
    this.#head = undefined;
    this.#body = EMPTY;
    this.#state = "busy";
    this.#sink.onRequest(head, body);
    return true;
  }

  #take(bytes: number): boolean {
    if (!this.#memory.take(bytes)) return false;
    this.#taken += bytes;
    return true;
  }

  #giveBack(): void {
    this.#memory.give(this.#taken);
    this.#taken = 0;
  }

  #tooLarge(): false {
    return this.#fail({
      status: 413,
      code: "body_too_large",
      message: `the body is over ${this.#limits.bodyBytes} bytes`,
    });
  }

  #fail(problem: HttpProblem): false {
    this.close();
    this.#sink.onProblem(problem);
    return false;
  }
}

const OVERLOADED: HttpProblem = { status: 503, code: "overloaded", message: "too many bodies are under way" };
const NOT_HTTP: HttpProblem = { status: 400, code: "invalid_request_line", message: "this is not an HTTP/1.1 request" };

/** Whether the first bytes can still become a request line: a method in capitals. Saves waiting for what never comes. */
function looksLikeRequest(data: Buffer): boolean {
  for (let i = 0; i < Math.min(data.length, 17); i++) {
    const byte = data[i]!;
    if (byte === 0x20) return i > 0;
    if (byte < 0x41 || byte > 0x5a) return false;
  }
  return data.length < 17;
}
