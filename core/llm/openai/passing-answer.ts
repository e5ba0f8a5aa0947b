/**
 * Whole answers that nobody needs to read: their usage is found in the bytes without parsing the rest. What has to be read
 * (guards, lists of models) goes through answer.ts.
 */
import type { Usage } from "../exchange.ts";
import { isObject } from "./check.ts";
import { NO_USAGE, usageOf } from "./usage.ts";

// In JSON a quote inside a string is escaped, so these bytes are a member's name or a whole string, never part of a text.
const USAGE = Buffer.from('"usage"');
const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** Places that are looked at: the engine's bytes are not trusted to be few. */
const MAX_PLACES = 8;
/** Bytes of the usage object. */
const MAX_USAGE = 4096;

export type PassingAnswer =
  { readonly ok: true; readonly usage: Usage } | { readonly ok: false; readonly message: string };

/** The usage that an answer tells last; an answer that does not begin and end as an object is none. Never throws. */
export function readPassing(bytes: Buffer): PassingAnswer {
  let end = bytes.length;
  while (end > 0 && isSpace(bytes[end - 1]!)) end--;
  if (bytes[skipSpaces(bytes, 0, end)] !== OPEN || bytes[end - 1] !== CLOSE)
    return { ok: false, message: "the answer is no JSON object" };
  let at = bytes.lastIndexOf(USAGE, end);
  for (let places = 0; at >= 0 && places < MAX_PLACES; places++) {
    const usage = usageAt(bytes, at + USAGE.length, end);
    if (usage !== undefined) return { ok: true, usage };
    at = at === 0 ? -1 : bytes.lastIndexOf(USAGE, at - 1);
  }
  return { ok: true, usage: NO_USAGE };
}

/** The object behind a member's name; undefined when the name is none, or the object no usage. */
function usageAt(bytes: Buffer, from: number, end: number): Usage | undefined {
  const colon = skipSpaces(bytes, from, end);
  const start = skipSpaces(bytes, colon + 1, end);
  if (bytes[colon] !== COLON || bytes[start] !== OPEN) return undefined;
  const limit = Math.min(end, start + MAX_USAGE);
  let depth = 0;
  for (let i = start; i < limit; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      const close = bytes.indexOf(QUOTE, i + 1);
      if (close < 0) return undefined;
      i = close;
    } else if (byte === OPEN) depth++;
    else if (byte === CLOSE && --depth === 0) return parsed(bytes.toString("utf8", start, i + 1));
  }
  return undefined;
}

function parsed(text: string): Usage | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? usageOf(value) : undefined;
  } catch {
    return undefined;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function skipSpaces(bytes: Buffer, from: number, end: number): number {
  let i = from;
  while (i < end && isSpace(bytes[i]!)) i++;
  return i;
}
