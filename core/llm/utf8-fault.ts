/** Where bytes stop being UTF-8 (RFC 3629); for error messages only. */
import { isUtf8 } from "node:buffer";

export interface Utf8Fault {
  /** In bytes. */
  readonly offset: number;
  /** From 1. */
  readonly line: number;
}

/**
 * The first byte that cannot be part of UTF-8, found by halving: each prefix before it is valid but for a character that is
 * cut. For bytes that are valid it is their end.
 */
export function findUtf8Fault(bytes: Buffer): Utf8Fault {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (validUpTo(bytes, middle + 1)) low = middle + 1;
    else high = middle;
  }
  let line = 1;
  for (let i = 0; i < low; i++) if (bytes[i] === 0x0a) line++;
  return { offset: low, line };
}

function validUpTo(bytes: Buffer, end: number): boolean {
  // A character of up to four bytes may be cut by `end`: without its beginning the rest has to be valid.
  for (let cut = 0; cut < 4 && cut <= end; cut++) {
    if (isUtf8(bytes.subarray(0, end - cut))) return cut === 0 || isCutCharacter(bytes, end - cut, end);
  }
  return false;
}

const SECOND_OF: Readonly<Record<number, readonly [number, number]>> = {
  0xe0: [0xa0, 0xbf],
  0xed: [0x80, 0x9f],
  0xf0: [0x90, 0xbf],
  0xf4: [0x80, 0x8f],
};

/** Whether the bytes can begin a character that is longer than they are (RFC 3629, section 4). */
function isCutCharacter(bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start] ?? 0;
  const length =
    first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (end - start >= length) return false;
  for (let i = start + 1; i < end; i++) {
    const [low, high] = (i === start + 1 ? SECOND_OF[first] : undefined) ?? [0x80, 0xbf];
    const byte = bytes[i] ?? 0;
    if (byte < low || byte > high) return false;
  }
  return true;
}
