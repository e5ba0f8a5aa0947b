/** Reading DER (X.690): strict, bounded by its input, without recursion of its own. What is not the one encoding is refused. */
import { Buffer } from "node:buffer";

/** Raised inside this folder only; each reader of whole documents turns it into its own refusal. */
export class DerError extends Error {}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A context-specific tag (X.690, section 8.1.2), for members such as `[0]`. */
export function contextTag(number: number, constructed: boolean): number {
  return (constructed ? 0xa0 : 0x80) | number;
}

const FALSE = 0x00;
const TRUE = 0xff;
const MAX_OID_BYTES = 64;

/** Walks over the elements of one constructed value. Everything that it gives out is a view of the input. */
export class DerReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #position: number;

  private constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  /** A reader of a whole document. */
  static over(bytes: Uint8Array): DerReader {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new DerReader(buffer, 0, buffer.length);
  }

  get done(): boolean {
    return this.#position === this.#end;
  }

  /** The next element's tag; undefined at the end. */
  peek(): number | undefined {
    return this.done ? undefined : this.#bytes[this.#position];
  }

  /** The contents of the next element, which must have this tag. */
  read(tag: number): Buffer {
    const [start, end] = this.#enter(tag);
    return this.#bytes.subarray(start, end);
  }

  /** The next element whole, with its tag and length. */
  readWhole(tag: number): Buffer {
    const begin = this.#position;
    const [, end] = this.#enter(tag);
    return this.#bytes.subarray(begin, end);
  }

  /** A reader of the next element's contents. */
  nested(tag: number): DerReader {
    const [start, end] = this.#enter(tag);
    return new DerReader(this.#bytes, start, end);
  }

  /** As `nested`, for an element that may be absent. */
  optional(tag: number): DerReader | undefined {
    return this.peek() === tag ? this.nested(tag) : undefined;
  }

  /** Fails unless everything was read. */
  finish(): void {
    if (!this.done) throw new DerError(`unexpected data at byte ${String(this.#position)}`);
  }

  boolean(): boolean {
    const contents = this.read(TAG.boolean);
    const [value] = contents;
    if (contents.length !== 1 || (value !== FALSE && value !== TRUE)) throw new DerError("malformed boolean");
    return value === TRUE;
  }

  /** The bytes of an integer in two's complement, the shortest there are. */
  integer(): Buffer {
    const contents = this.read(TAG.integer);
    const [first, second] = contents;
    if (first === undefined) throw new DerError("empty integer");
    const padded = second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
    if (padded) throw new DerError("integer is not in its shortest form");
    return contents;
  }

  /** An integer from 0 to 2^31 − 1. */
  smallInteger(): number {
    const contents = this.integer();
    if (contents.length > 4 || contents[0]! >= 0x80) throw new DerError("integer is out of range");
    return contents.readUIntBE(0, contents.length);
  }

  /** An object identifier, dotted. */
  oid(): string {
    const contents = this.read(TAG.oid);
    if (contents.length > MAX_OID_BYTES) throw new DerError("object identifier is too long");
    return dotted(contents);
  }

  /** A bit string of whole bytes. */
  bytesOfBits(): Buffer {
    const contents = this.read(TAG.bitString);
    if (contents[0] !== 0) throw new DerError("bit string is not of whole bytes");
    return contents.subarray(1);
  }

  /** A named bit list (X.680, section 22.7): which bits are set. Trailing zero bits are not DER. */
  namedBits(): ReadonlySet<number> {
    const contents = this.read(TAG.bitString);
    const unused = contents[0];
    if (unused === undefined || unused > 7) throw new DerError("malformed bit string");
    if (contents.length > 9) throw new DerError("bit string is too long");
    const last = contents.length === 1 ? undefined : contents[contents.length - 1]!;
    const shortest = last === undefined ? unused === 0 : (last & ((1 << (unused + 1)) - 1)) === 1 << unused;
    if (!shortest) throw new DerError("bit string is not in its shortest form");
    const bits = new Set<number>();
    for (let bit = 0; bit < (contents.length - 1) * 8; bit++) {
      if ((contents[1 + (bit >> 3)]! & (0x80 >> (bit & 7))) !== 0) bits.add(bit);
    }
    return bits;
  }

  /** A time as certificates write it (RFC 5280, section 4.1.2.5), in Unix milliseconds. */
  time(): number {
    if (this.peek() === TAG.utcTime) {
      const text = this.read(TAG.utcTime).toString("latin1");
      const century = text.slice(0, 2) < "50" ? "20" : "19";
      return milliseconds(century + text);
    }
    return milliseconds(this.read(TAG.generalizedTime).toString("latin1"));
  }

  #enter(tag: number): readonly [start: number, end: number] {
    const bytes = this.#bytes;
    const at = this.#position;
    if (this.#end - at < 2) throw new DerError(`data ends at byte ${String(at)}`);
    const found = bytes[at]!;
    if (found !== tag) throw new DerError(`tag ${hex(found)} at byte ${String(at)}, where ${hex(tag)} belongs`);
    let length = bytes[at + 1]!;
    let start = at + 2;
    if (length >= 0x80) {
      const size = length & 0x7f;
      if (size === 0 || size > 3 || this.#end - start < size)
        throw new DerError(`malformed length at byte ${String(at)}`);
      length = bytes.readUIntBE(start, size);
      start += size;
      if (length < 0x80 || length < 2 ** (8 * (size - 1))) {
        throw new DerError(`length at byte ${String(at)} is not in its shortest form`);
      }
    }
    if (length > this.#end - start) throw new DerError(`element at byte ${String(at)} goes beyond its parent`);
    this.#position = start + length;
    return [start, this.#position];
  }
}

function dotted(contents: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const byte of contents) {
    if (fresh && byte === 0x80) throw new DerError("object identifier is not in its shortest form");
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError("object identifier has an arc that is too large");
    fresh = byte < 0x80;
    if (!fresh) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first] = arcs;
  if (first === undefined || !fresh) throw new DerError("malformed object identifier");
  const top = first < 80 ? Math.floor(first / 40) : 2;
  arcs.splice(0, 1, top, first - top * 40);
  return arcs.join(".");
}

const TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;

function milliseconds(text: string): number {
  const match = TIME.exec(text);
  if (match === null) throw new DerError("malformed time");
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour;
  if (!same || date.getUTCMinutes() !== minute || date.getUTCSeconds() !== second)
    throw new DerError("time does not exist");
  return date.getTime();
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, "0")}`;
}
