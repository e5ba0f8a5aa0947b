/**
 * The protobuf wire format, as much as these contracts use: varints, and length-delimited fields. A few messages do not
 * earn a sidecar the eight megabytes and the start-up time of a library; a test holds this against one.
 */
import { Buffer, isUtf8 } from "node:buffer";

/** Raised for bytes that are not a message. */
export class WireError extends Error {}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** Gathers the fields of one message. Defaults are not written (proto3). */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];

  /** A non-negative whole number up to 2^53 − 1. */
  number(field: number, value: number): this {
    if (value === 0) return this;
    if (!Number.isSafeInteger(value) || value < 0)
      throw new WireError(`field ${String(field)} cannot be ${String(value)}`);
    this.#parts.push(varints(field * 8 + VARINT, value));
    return this;
  }

  text(field: number, value: string): this {
    return value === "" ? this : this.message(field, Buffer.from(value, "utf8"));
  }

  texts(field: number, values: readonly string[]): this {
    for (const value of values) this.message(field, Buffer.from(value, "utf8"));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.message(field, value);
  }

  bytesList(field: number, values: readonly Uint8Array[]): this {
    for (const value of values) this.message(field, value);
    return this;
  }

  /** A message, written even where it is empty. */
  message(field: number, value: Uint8Array): this {
    this.#parts.push(varints(field * 8 + DELIMITED, value.length), value);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function varints(...values: readonly number[]): Buffer {
  const bytes: number[] = [];
  for (const value of values) {
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
    bytes.push(left);
  }
  return Buffer.from(bytes);
}

/** One field of a message, as it came. */
export class Field {
  readonly number: number;
  readonly #value: number | Buffer | undefined;

  constructor(number: number, value: number | Buffer | undefined) {
    this.number = number;
    this.#value = value;
  }

  /** A non-negative whole number up to 2^53 − 1. */
  get integer(): number {
    if (typeof this.#value !== "number") throw new WireError(`field ${String(this.number)} is not a number`);
    return this.#value;
  }

  /** A view of the input. */
  get bytes(): Buffer {
    if (this.#value === undefined || typeof this.#value === "number") {
      throw new WireError(`field ${String(this.number)} has no bytes`);
    }
    return this.#value;
  }

  get text(): string {
    const { bytes } = this;
    if (!isUtf8(bytes)) throw new WireError(`field ${String(this.number)} is not UTF-8`);
    return bytes.toString("utf8");
  }
}

/** The fields of a message in their order. What its reader does not know, it ignores (that is how messages grow). */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const key = readVarint(bytes, cursor);
    const number = Math.floor(key / 8);
    if (number === 0 || number > 0x1fff_ffff) throw new WireError("field number out of range");
    switch (key % 8) {
      case VARINT:
        yield new Field(number, readVarint(bytes, cursor));
        break;
      case DELIMITED:
        yield new Field(number, take(bytes, cursor, readVarint(bytes, cursor)));
        break;
      case FIXED64:
        take(bytes, cursor, 8);
        yield new Field(number, undefined);
        break;
      case FIXED32:
        take(bytes, cursor, 4);
        yield new Field(number, undefined);
        break;
      default:
        throw new WireError(`field ${String(number)} has a wire type that is not used`);
    }
  }
}

interface Cursor {
  at: number;
}

function take(bytes: Buffer, cursor: Cursor, length: number): Buffer {
  if (length > bytes.length - cursor.at) throw new WireError("a field goes beyond its message");
  const start = cursor.at;
  cursor.at += length;
  return bytes.subarray(start, cursor.at);
}

function readVarint(bytes: Buffer, cursor: Cursor): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[cursor.at];
    if (byte === undefined) throw new WireError("a message ends within a number");
    cursor.at += 1;
    value += (byte & 0x7f) * scale;
    if (value > Number.MAX_SAFE_INTEGER || scale > 2 ** 49) throw new WireError("a number is out of range");
    if (byte < 0x80) return value;
  }
}
