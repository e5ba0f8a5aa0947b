/** Writing DER (X.690): each function gives one whole element. */
import { Buffer } from "node:buffer";
import { contextTag, TAG } from "./der.ts";

/** An element of a tag with these contents. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of contents) length += part.length;
  const size = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x1_0000 ? 2 : 3;
  if (length >= 0x100_0000) throw new Error("a DER element of this size is never written here");
  const bytes = Buffer.allocUnsafe(2 + size + length);
  bytes[0] = tag;
  if (size === 0) bytes[1] = length;
  else {
    bytes[1] = 0x80 | size;
    bytes.writeUIntBE(length, 2, size);
  }
  let at = 2 + size;
  for (const part of contents) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function sequence(...members: readonly Uint8Array[]): Buffer {
  return element(TAG.sequence, ...members);
}

/** A set of at most one member: more would need X.690's ordering. */
export function setOf(member: Uint8Array): Buffer {
  return element(TAG.set, member);
}

export function octetString(bytes: Uint8Array): Buffer {
  return element(TAG.octetString, bytes);
}

const NO_UNUSED_BITS = Buffer.from([0]);

export function bitString(bytes: Uint8Array): Buffer {
  return element(TAG.bitString, NO_UNUSED_BITS, bytes);
}

/** A named bit list of up to eight bits, without trailing zeros (X.690, section 11.2.2). */
export function namedBits(bits: readonly number[]): Buffer {
  let byte = 0;
  for (const bit of bits) byte |= 0x80 >> bit;
  if (byte === 0) return element(TAG.bitString, NO_UNUSED_BITS);
  const unused = Math.clz32(byte & -byte) ^ 31;
  return element(TAG.bitString, Buffer.from([unused, byte]));
}

export const TRUE: Buffer = element(TAG.boolean, Buffer.from([0xff]));

/** A non-negative integer, big-endian. */
export function unsigned(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  return (digits[0] ?? 0) >= 0x80 || digits.length === 0
    ? element(TAG.integer, NO_UNUSED_BITS, digits)
    : element(TAG.integer, digits);
}

export function utf8String(text: string): Buffer {
  return element(TAG.utf8String, Buffer.from(text, "utf8"));
}

/** Explicitly tagged: `[n] { value }`. */
export function explicit(number: number, value: Uint8Array): Buffer {
  return element(contextTag(number, true), value);
}

/** Implicitly tagged primitive: `[n]` in place of the value's own tag. */
export function implicit(number: number, contents: Uint8Array): Buffer {
  return element(contextTag(number, false), contents);
}

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first! * 40 + second!, ...rest]) {
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      septets.unshift((left % 128) | 0x80);
    bytes.push(...septets);
  }
  return element(TAG.oid, Buffer.from(bytes));
}

/** A time in whole seconds: UTCTime through 2049, then GeneralizedTime (RFC 5280, section 4.1.2.5). */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
  const year = Number(text.slice(0, 4));
  return year >= 1950 && year < 2050
    ? element(TAG.utcTime, Buffer.from(text.slice(2), "latin1"))
    : element(TAG.generalizedTime, Buffer.from(text, "latin1"));
}
