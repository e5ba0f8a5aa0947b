/**
 * Where events end in a stream of server-sent events (WHATWG HTML, section 9.2.6): behind an empty line, whatever the line
 * ends are. Bytes are handed on as ranges of the chunk they came in; only an event that is cut by a chunk's end is copied.
 */

/** Gets a whole event, empty line included; the bytes are the callee's only until it returns. */
export type EventSink = (buffer: Buffer, start: number, end: number) => void;

export const MAX_EVENT_BYTES: number = 1024 * 1024;

const FIRST_TAIL_BYTES = 4096;
/** What is kept for the next cut event. */
const KEPT_TAIL_BYTES = 64 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/** The same bytes give the same events however they are cut into chunks. */
export class SseSplitter {
  readonly #sink: EventSink;
  readonly #maxEventBytes: number;
  /** The beginning of an event whose end has not come yet. */
  #tail: Buffer | undefined;
  #held = 0;
  #lineEmpty = true;
  /** Whether the event has a line that is not empty: empty lines before it belong to it. */
  #content = false;
  /** The last byte was a CR that ended a line: an LF now is part of that line end. */
  #afterCr = false;
  /** As afterCr, where the line was the empty one: the event ends here, or behind an LF that follows. */
  #closing = false;
  #problem: string | undefined;

  constructor(sink: EventSink, maxEventBytes: number = MAX_EVENT_BYTES) {
    this.#sink = sink;
    this.#maxEventBytes = maxEventBytes;
  }

  /** Bytes of an event that is not complete. */
  get held(): number {
    return this.#held;
  }

  /** Takes the bytes from start to end; returns what is wrong with the stream, from then on always. */
  push(chunk: Buffer, start: number = 0, end: number = chunk.length): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    let eventStart = start;
    let i = start;
    while (i < end) {
      const byte = chunk[i];
      if (this.#closing) {
        if (byte === LF) i++;
        this.#emit(chunk, eventStart, i);
        if (this.#problem !== undefined) return this.#problem;
        eventStart = i;
      } else if (byte === LF) {
        i++;
        if (this.#afterCr) this.#afterCr = false;
        else if (this.#lineEmpty && this.#content) {
          this.#emit(chunk, eventStart, i);
          if (this.#problem !== undefined) return this.#problem;
          eventStart = i;
        } else this.#lineEmpty = true;
      } else if (byte === CR) {
        i++;
        if (this.#lineEmpty && this.#content) this.#closing = true;
        else this.#afterCr = true;
        this.#lineEmpty = true;
      } else {
        this.#afterCr = false;
        this.#lineEmpty = false;
        this.#content = true;
        i++;
        for (;;) {
          if (i >= end) break;
          const next = chunk[i];
          if (next === LF || next === CR) break;
          i++;
        }
      }
    }
    if (eventStart < end) this.#hold(chunk, eventStart, end);
    return this.#problem;
  }

  /** The stream is over; an event that was not complete is not handed on, and is a problem. */
  end(): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    if (this.#closing && this.#tail !== undefined) this.#emit(this.#tail, 0, 0);
    else if (this.#content) this.#problem = "the stream ended inside an event";
    return this.#problem;
  }

  #emit(chunk: Buffer, start: number, end: number): void {
    this.#lineEmpty = true;
    this.#content = false;
    this.#afterCr = false;
    this.#closing = false;
    if (this.#held === 0) {
      if (end - start > this.#maxEventBytes) this.#problem = `an event of more than ${this.#maxEventBytes} bytes`;
      else this.#sink(chunk, start, end);
      return;
    }
    this.#hold(chunk, start, end);
    const tail = this.#tail;
    if (this.#problem !== undefined || tail === undefined) return;
    const length = this.#held;
    this.#held = 0;
    if (tail.length > KEPT_TAIL_BYTES) this.#tail = undefined;
    this.#sink(tail, 0, length);
  }

  #hold(chunk: Buffer, start: number, end: number): void {
    const length = this.#held + end - start;
    if (length > this.#maxEventBytes) {
      this.#problem = `an event of more than ${this.#maxEventBytes} bytes`;
      this.#tail = undefined;
      return;
    }
    let tail = this.#tail;
    if (tail === undefined || tail.length < length) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_TAIL_BYTES, 2 ** Math.ceil(Math.log2(length))));
      tail?.copy(larger, 0, 0, this.#held);
      tail = larger;
      this.#tail = larger;
    }
    chunk.copy(tail, this.#held, start, end);
    this.#held = length;
  }
}
