/**
 * Strict JSON (RFC 8259), so that two parsers cannot disagree about a body: what one of them would repair, overwrite or
 * guess is refused. Where each top-level member stands in the text is handed back, so that a member can be changed in place.
 */
import { isUtf8 } from "node:buffer";
import { EXPLAINED, explainJson } from "./json-fault.ts";
import { findUtf8Fault } from "./utf8-fault.ts";

export interface JsonLimits {
  /** Of the whole text. */
  readonly maxBytes: number;
  /** Arrays and objects inside one another. */
  readonly maxDepth: number;
  /** Array elements and object members, containers counted twice. */
  readonly maxNodes: number;
}

export const JSON_LIMITS: JsonLimits = { maxBytes: 64 * 1024 * 1024, maxDepth: 64, maxNodes: 262_144 };

/** A member of the top-level object. All offsets are in UTF-16 units of the text. */
export interface JsonMember {
  readonly key: string;
  /** Of the key's opening quote. */
  readonly keyStart: number;
  readonly valueStart: number;
  /** Behind the value's last character; whitespace is not part of it. */
  readonly valueEnd: number;
}

/** What can be wrong with text; with bytes there is one thing more. */
export type TextFaultCode = "invalid_json" | "duplicate_key" | "too_deep" | "too_large";
export type JsonFaultCode = "invalid_utf8" | TextFaultCode;

export interface JsonFault {
  readonly code: JsonFaultCode;
  /** Says the line, and the key where one is to blame, when they are near the text's beginning; never shows values. */
  readonly message: string;
  /** In bytes for invalid_utf8, else in UTF-16 units of the text; EXPLAINED when the fault is there or further on. */
  readonly offset: number;
}

export interface JsonText {
  readonly ok: true;
  readonly value: unknown;
  readonly text: string;
  readonly members: readonly JsonMember[];
}

export type JsonReading = JsonText | ({ readonly ok: false } & JsonFault);

/** Reads UTF-8 JSON strictly; never throws. */
export function readJson(bytes: Buffer, limits: JsonLimits = JSON_LIMITS): JsonReading {
  if (bytes.length > limits.maxBytes) {
    return {
      ok: false,
      code: "too_large",
      message: `the JSON has ${bytes.length} bytes, more than ${limits.maxBytes}`,
      offset: limits.maxBytes,
    };
  }
  if (!isUtf8(bytes)) {
    return { ok: false, ...explainUtf8(bytes) };
  }
  const text = bytes.toString("utf8");
  const reading = readJsonText(text, limits);
  return typeof reading === "string" ? { ok: false, ...explain(text, limits, reading) } : reading;
}

/**
 * As readJson, of text that is inside a request already, and of which there may be many: its bytes are not counted again, and
 * a refusal is not explained.
 */
export function readJsonText(text: string, limits: JsonLimits = JSON_LIMITS): JsonText | TextFaultCode {
  const shape = scan(text, limits);
  if (typeof shape === "string") return shape;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // V8's message quotes the text, which may be a prompt: the fault is found again in words of our own.
    return "invalid_json";
  }
  // V8 can take a key written with escapes for one that it has seen before, whose characters are the first of the raw text
  // (Node 24.21: where an object had the key \, another's key " is read as \ too). What may have been misread is refused.
  if (shape.escapedKeys.length > 0 && mayBeMisread(value, shape.escapedKeys.toSorted())) return "invalid_json";
  const keys = countKeys(value);
  if (keys === ILL_FORMED) return "invalid_json";
  if (keys !== shape.colons) return "duplicate_key";
  return { ok: true, value, text, members: shape.members };
}

function explainUtf8(bytes: Buffer): JsonFault {
  const { offset, line } = findUtf8Fault(bytes.subarray(0, EXPLAINED));
  const message =
    offset < EXPLAINED
      ? `the JSON is not valid UTF-8 at byte ${offset}, line ${line}`
      : `the JSON is not valid UTF-8 somewhere behind its first ${EXPLAINED} bytes`;
  return { code: "invalid_utf8", message, offset };
}

const REFUSED: Readonly<Record<TextFaultCode, (limits: JsonLimits) => string>> = {
  invalid_json: () => "the JSON is malformed",
  duplicate_key: () => "a key stands twice in one object",
  too_deep: ({ maxDepth }) => `more than ${maxDepth} levels`,
  too_large: ({ maxNodes }) => `more than ${maxNodes} values`,
};

function explain(text: string, limits: JsonLimits, code: TextFaultCode): JsonFault {
  const { fault } = explainJson(text, limits);
  if (fault !== undefined) return fault;
  // The fast and the exact reading agree (a test holds them together); if ever they did not, the body is refused all the same.
  if (text.length <= EXPLAINED) return { code, message: "the JSON cannot be read unambiguously", offset: 0 };
  const message = `${REFUSED[code](limits)}, somewhere behind the first ${EXPLAINED} characters`;
  return { code, message, offset: EXPLAINED };
}

interface Shape {
  readonly members: readonly JsonMember[];
  /** Outside strings: as many as there are members in all objects together. */
  readonly colons: number;
  /** Keys that are written with escapes, as they are written. */
  readonly escapedKeys: readonly string[];
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** What can be told without parsing. On valid JSON it is exact; on anything else it is bounded, and JSON.parse refuses. */
function scan(text: string, limits: JsonLimits): Shape | TextFaultCode {
  const members: JsonMember[] = [];
  const inObject = text.charCodeAt(skipSpace(text, 0)) === OPEN_BRACE;
  let depth = 0;
  let nodes = 0;
  let colons = 0;
  let strings = 0;
  let keyStart = -1;
  let keyEnd = -1;
  let colon = -1;
  const escapedKeys: string[] = [];
  const escapes = text.includes("\\");
  let lastStart = 0;
  let lastEnd = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        const end = endOfString(text, i);
        if (end < 0) return "invalid_json";
        if (++strings > 2 * limits.maxNodes + 2) return "too_large";
        if (depth === 1 && colon < 0) {
          keyStart = i;
          keyEnd = end;
        }
        lastStart = i;
        lastEnd = end;
        i = end;
        break;
      }
      case COLON:
        colons++;
        if (escapes && hasBackslash(text, lastStart, lastEnd)) escapedKeys.push(text.slice(lastStart + 1, lastEnd));
        if (depth === 1 && inObject) colon = i;
        break;
      case COMMA:
        if (++nodes > limits.maxNodes) return "too_large";
        if (depth === 1 && colon >= 0) {
          if (keyStart < 0) return "invalid_json";
          members.push(member(text, keyStart, keyEnd, colon, i));
          colon = -1;
          keyStart = -1;
        }
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++nodes > limits.maxNodes) return "too_large";
        if (++depth > limits.maxDepth) return "too_deep";
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (depth === 1 && colon >= 0) {
          if (keyStart < 0) return "invalid_json";
          members.push(member(text, keyStart, keyEnd, colon, i));
          colon = -1;
          keyStart = -1;
        }
        depth--;
        break;
      default:
        break;
    }
  }
  return { members, colons, escapedKeys };
}

function hasBackslash(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (text.charCodeAt(i) === BACKSLASH) return true;
  return false;
}

/** Whether some key with a backslash begins the raw text of a key with escapes; `escaped` is in ascending order. */
function mayBeMisread(value: unknown, escaped: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some((element) => mayBeMisread(element, escaped));
  return Object.entries(value).some(
    ([key, inside]) => (key.includes("\\") && beginsOne(key, escaped)) || mayBeMisread(inside, escaped),
  );
}

/** By bisection: what begins with a prefix stands from where the prefix itself would. */
function beginsOne(prefix: string, sorted: readonly string[]): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < prefix) low = middle + 1;
    else high = middle;
  }
  return sorted[low]?.startsWith(prefix) === true;
}

/** Of the closing quote of the string that opens at `start`; -1 when it never closes. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0 && text.charCodeAt(end - 1) === BACKSLASH) {
    let backslashes = 1;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return end;
}

function member(text: string, keyStart: number, keyEnd: number, colon: number, stop: number): JsonMember {
  const raw = text.slice(keyStart + 1, keyEnd);
  const key = raw.includes("\\") ? unescape(text.slice(keyStart, keyEnd + 1)) : raw;
  let valueEnd = stop;
  while (valueEnd > colon + 1 && isSpace(text.charCodeAt(valueEnd - 1))) valueEnd--;
  return { key, keyStart, valueStart: skipSpace(text, colon + 1), valueEnd };
}

function unescape(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted; // invalid: JSON.parse refuses the whole text for it
  }
}

function skipSpace(text: string, from: number): number {
  let i = from;
  while (isSpace(text.charCodeAt(i))) i++;
  return i;
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}

const ILL_FORMED = -1;

/**
 * The members of all objects in the tree; ILL_FORMED when a string has a lone surrogate, which UTF-8 cannot carry and each
 * reader would replace in its own way. (For a string of Latin-1 letters, most of them, V8 knows without looking.)
 */
function countKeys(value: unknown): number {
  if (typeof value === "string") return value.isWellFormed() ? 0 : ILL_FORMED;
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) {
      if (typeof element === "number") continue;
      const inside = countKeys(element);
      if (inside === ILL_FORMED) return ILL_FORMED;
      count += inside;
    }
    return count;
  }
  const object = value as Readonly<Record<string, unknown>>;
  for (const key in object) {
    if (!key.isWellFormed()) return ILL_FORMED;
    const inside = countKeys(object[key]);
    if (inside === ILL_FORMED) return ILL_FORMED;
    count += inside + 1;
  }
  return count;
}
