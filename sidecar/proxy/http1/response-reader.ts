/**
 * The answer to one request on a connection to an engine: bytes in, a head and body ranges out. Owns no socket.
 * Nothing is copied but a head that comes in pieces.
 */
import { ChunkedDecoder } from "./chunked.ts";
import { parseResponseHead, type ResponseHead } from "./head.ts";

export interface ResponseSink {
  onHead(head: ResponseHead): void;
  /** A run of body bytes; the buffer is only good until this returns. */
  onData(buffer: Buffer, start: number, end: number): void;
  /** The body is complete as its framing told. `reusable`: the connection may carry another request. */
  onEnd(reusable: boolean): void;
  /** What came is no HTTP/1.1 answer, or the connection ended within it. */
  onBroken(message: string): void;
}

const HEAD_END = Buffer.from("\r\n\r\n", "latin1");
const MAX_HEAD_BYTES = 32 * 1024;
const EMPTY = Buffer.alloc(0);

type State = "idle" | "head" | "length" | "chunked" | "close";

export class ResponseReader {
  #state: State = "idle";
  #sink: ResponseSink | undefined;
  #held: Buffer = EMPTY;
  #left = 0;
  #keepAlive = false;
  readonly #decoder = new ChunkedDecoder();

  /** Expects the answer to a request that is about to be sent. */
  expect(sink: ResponseSink): void {
    this.#sink = sink;
    this.#state = "head";
    this.#held = EMPTY;
  }

  get idle(): boolean {
    return this.#state === "idle";
  }

  /** Forgets the answer under way: nothing more is told to its sink. */
  abandon(): void {
    this.#sink = undefined;
    this.#state = "idle";
  }

  /** Reads `length` bytes of the buffer; false when they do not belong to an answer, and the connection is to be dropped. */
  push(buffer: Buffer, length: number): boolean {
    let at = 0;
    while (at < length) {
      const sink = this.#sink;
      switch (this.#state) {
        case "idle":
          return false;
        case "head": {
          const taken = this.#readHead(buffer, at, length);
          if (taken < 0) return false;
          at = taken;
          break;
        }
        case "length": {
          const stop = Math.min(length, at + this.#left);
          this.#left -= stop - at;
          sink!.onData(buffer, at, stop);
          at = stop;
          if (this.#left === 0 && this.#sink === sink) this.#end(at === length);
          break;
        }
        case "chunked": {
          const state = this.#decoder.push(buffer, at, length, (b, s, e) => sink!.onData(b, s, e));
          at += this.#decoder.consumed;
          if (this.#sink !== sink) return false;
          if (state === "error") return this.#broken("the engine's chunked coding is malformed");
          if (state === "done") this.#end(at === length);
          break;
        }
        case "close":
          sink!.onData(buffer, at, length);
          at = length;
          break;
      }
    }
    return true;
  }

  /** The engine has closed the connection. */
  ended(): void {
    if (this.#state === "idle") return;
    if (this.#state === "close") this.#end(false);
    else
      this.#broken(
        this.#state === "head"
          ? "the engine closed the connection without an answer"
          : "the engine closed the connection within its answer",
      );
  }

  /** Where to go on reading, or -1. */
  #readHead(buffer: Buffer, at: number, length: number): number {
    let data = buffer;
    let start = at;
    let stop = length;
    if (this.#held.length > 0) {
      data = Buffer.concat([this.#held, buffer.subarray(at, length)]);
      start = 0;
      stop = data.length;
    }
    const found = data.indexOf(HEAD_END, start);
    if (found < 0 || found + 4 > stop) {
      if (stop - start > MAX_HEAD_BYTES) return this.#drop("the engine's head is over 32 KiB");
      this.#held = Buffer.from(data.subarray(start, stop));
      return length;
    }
    const headEnd = found + 4;
    const next = at + (headEnd - start) - this.#held.length;
    this.#held = EMPTY;
    const parsed = parseResponseHead(data.toString("latin1", start, headEnd));
    if (!parsed.ok) return this.#drop(parsed.problem.message);
    const head = parsed.value;
    if (head.status === 101) return this.#drop("the engine switched protocols unasked");
    if (head.status < 200) return next; // interim answers (RFC 9110 section 15.2) are not passed on
    this.#keepAlive = head.keepAlive;
    const sink = this.#sink!;
    if (head.bodyLength === "chunked") {
      this.#decoder.reset();
      this.#state = "chunked";
    } else if (head.bodyLength === "close") this.#state = "close";
    else {
      this.#left = head.bodyLength;
      this.#state = "length";
    }
    sink.onHead(head);
    if (this.#sink !== sink) return -1;
    if (head.bodyLength === 0) this.#end(next === length);
    return next;
  }

  #end(nothingFollows: boolean): void {
    const sink = this.#sink!;
    this.#sink = undefined;
    this.#state = "idle";
    sink.onEnd(this.#keepAlive && nothingFollows);
  }

  #drop(message: string): -1 {
    this.#broken(message);
    return -1;
  }

  #broken(message: string): false {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#state = "idle";
    sink?.onBroken(message);
    return false;
  }
}
