/**
 * The chunked transfer coding (RFC 9112 section 7.1), read strictly and incrementally: hexadecimal sizes without leading
 * zeros beyond need, CRLF line ends, no extensions, no trailers.
 */

export type ChunkedState = "more" | "done" | "error";

const SIZE = 0;
const SIZE_LF = 1;
const DATA = 2;
const DATA_CR = 3;
const DATA_LF = 4;
const LAST_CR = 5;
const LAST_LF = 6;
const DONE = 7;
const ERROR = 8;

/** Digits of a chunk size: 7 hexadecimal digits are 256 MiB. */
const MAX_DIGITS = 7;

export class ChunkedDecoder {
  #state = SIZE;
  #size = 0;
  #digits = 0;
  /** Bytes taken of the buffer in the last push. */
  consumed = 0;

  reset(): void {
    this.#state = SIZE;
    this.#size = 0;
    this.#digits = 0;
  }

  /**
   * Reads buffer[start, end), handing each run of body bytes to `data` as a range of the same buffer.
   * After "done", `consumed` bytes from `start` belong to this body and the rest to what follows.
   */
  push(
    buffer: Buffer,
    start: number,
    end: number,
    data: (buffer: Buffer, start: number, end: number) => void,
  ): ChunkedState {
    let i = start;
    let state = this.#state;
    while (i < end && state !== DONE) {
      if (state === DATA) {
        const stop = Math.min(end, i + this.#size);
        this.#size -= stop - i;
        data(buffer, i, stop);
        i = stop;
        if (this.#size === 0) state = DATA_CR;
        continue;
      }
      const byte = buffer[i++]!;
      switch (state) {
        case SIZE: {
          const digit = hexDigit(byte);
          if (digit >= 0) {
            if (this.#digits === MAX_DIGITS || (this.#digits > 0 && this.#size === 0)) return this.#fail();
            this.#size = this.#size * 16 + digit;
            this.#digits++;
          } else if (byte === 0x0d && this.#digits > 0) state = SIZE_LF;
          else return this.#fail();
          break;
        }
        case SIZE_LF:
          if (byte !== 0x0a) return this.#fail();
          state = this.#size === 0 ? LAST_CR : DATA;
          this.#digits = 0;
          break;
        case DATA_CR:
          if (byte !== 0x0d) return this.#fail();
          state = DATA_LF;
          break;
        case DATA_LF:
          if (byte !== 0x0a) return this.#fail();
          state = SIZE;
          break;
        case LAST_CR:
          if (byte !== 0x0d) return this.#fail();
          state = LAST_LF;
          break;
        case LAST_LF:
          if (byte !== 0x0a) return this.#fail();
          state = DONE;
          break;
        default:
          return this.#fail();
      }
    }
    this.#state = state;
    this.consumed = i - start;
    return state === DONE ? "done" : "more";
  }

  #fail(): "error" {
    this.#state = ERROR;
    return "error";
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x57;
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x37;
  return -1;
}

/** One chunk of the coding around buffer[start, end), as a buffer of its own. */
export function encodeChunk(buffer: Uint8Array, start: number, end: number): Buffer {
  const length = end - start;
  const size = length.toString(16);
  const chunk = Buffer.allocUnsafe(size.length + length + 4);
  let at = chunk.write(size, 0, "latin1");
  chunk[at++] = 0x0d;
  chunk[at++] = 0x0a;
  chunk.set(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end), at);
  at += length;
  chunk[at++] = 0x0d;
  chunk[at] = 0x0a;
  return chunk;
}

export const LAST_CHUNK: Buffer = Buffer.from("0\r\n\r\n", "latin1");
