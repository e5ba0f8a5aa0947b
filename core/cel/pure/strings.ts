import { failure, success, type Result } from "./result.ts";

/*
 * Functions over strings that count in code points, as CEL does. Strings of the basic plane, nearly all there are,
 * are handled by their UTF-16 units; a lone surrogate counts as one code point.
 */

/** Longest string that a function makes, in UTF-16 units. */
export const MAX_STRING = 1_048_576;
/** Most parts that `split` makes. */
const MAX_PARTS = 65_536;

const SURROGATE = /[\ud800-\udfff]/;

/** Number of code points. */
export function length(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The UTF-16 offset of a code point index; undefined if it is below 0 or beyond the end. */
function unitAt(text: string, index: number): number | undefined {
  if (index < 0) return undefined;
  if (!SURROGATE.test(text)) return index <= text.length ? index : undefined;
  let unit = 0;
  for (let left = index; left > 0; left--) {
    if (unit >= text.length) return undefined;
    unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
  }
  return unit;
}

/** The code point index of a UTF-16 offset. */
function indexAt(text: string, unit: number): number {
  return SURROGATE.test(text) ? length(text.slice(0, unit)) : unit;
}

function outOfRange(index: number | bigint): { readonly ok: false; readonly message: string } {
  return failure(`index out of range: ${index}`);
}

/** The character at an index, the empty string right at the end. */
export function charAt(text: string, index: number): Result<string> {
  const unit = unitAt(text, index);
  if (unit === undefined) return outOfRange(index);
  return success(unit === text.length ? "" : String.fromCodePoint(text.codePointAt(unit) ?? 0));
}

/** The first index from `from` on at which `part` stands, or -1; a start beyond the end is an error (the specification's tests). */
export function indexOf(text: string, part: string, from = 0): Result<number> {
  const unit = unitAt(text, from);
  if (unit === undefined) return outOfRange(from);
  if (part === "") return success(from);
  for (let found = text.indexOf(part, unit); found >= 0; found = text.indexOf(part, found + 1)) {
    if (isAligned(text, found, part)) return success(indexAt(text, found));
  }
  return success(-1);
}

/** The last index up to `from` at which `part` stands, or -1; from the end itself nothing but the empty string is found. */
export function lastIndexOf(text: string, part: string, from?: number): Result<number> {
  const last = from === undefined ? text.length : unitAt(text, from);
  if (last === undefined) return outOfRange(from ?? 0);
  if (part === "") return success(from ?? length(text));
  if (from !== undefined && last === text.length) return success(-1);
  let start = last;
  for (let found = text.lastIndexOf(part, start); found >= 0; found = text.lastIndexOf(part, start)) {
    if (isAligned(text, found, part)) return success(indexAt(text, found));
    if (found === 0) break;
    start = found - 1;
  }
  return success(-1);
}

/** Whether a part found at a UTF-16 offset begins and ends between code points, not inside a surrogate pair. */
function isAligned(text: string, at: number, part: string): boolean {
  return !splitsPair(text, at) && !splitsPair(text, at + part.length);
}

function splitsPair(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return false;
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}

/** The characters from `start` up to, not including, `end`. */
export function substring(text: string, start: number, end?: number): Result<string> {
  if (end !== undefined && start > end) return failure(`invalid substring range: start ${start}, end ${end}`);
  const from = unitAt(text, start);
  if (from === undefined) return outOfRange(start);
  if (end === undefined) return success(text.slice(from));
  const to = unitAt(text, end);
  return to === undefined ? outOfRange(end) : success(text.slice(from, to));
}

/** The strings joined, with a separator between. */
export function join(parts: readonly string[], separator: string): Result<string> {
  let total = parts.length > 1 ? separator.length * (parts.length - 1) : 0;
  for (const part of parts) total += part.length;
  return total > MAX_STRING ? tooLong() : success(parts.join(separator));
}

function tooLong(): { readonly ok: false; readonly message: string } {
  return failure(`result is longer than ${MAX_STRING} characters`);
}

/** The text with A to Z made a to z; nothing else changes. */
export function lowerAscii(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

/** The text with a to z made A to Z; nothing else changes. */
export function upperAscii(text: string): string {
  return /[a-z]/.test(text) ? text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()) : text;
}

/** The text with at most `limit` occurrences of a part replaced from the left; a negative limit means all. */
export function replace(text: string, part: string, by: string, limit: number): Result<string> {
  if (limit === 0 || part === by) return success(text);
  const pieces = cut(text, part, limit < 0 ? Infinity : limit);
  if (part === "") {
    // The empty string stands before every character and at the end.
    const count = Math.min(limit < 0 ? Infinity : limit, length(text) + 1);
    const characters = Array.from(text);
    const total = text.length + count * by.length;
    if (total > MAX_STRING) return tooLong();
    return success(
      characters.map((char, i) => (i < count ? by + char : char)).join("") + (count > characters.length ? by : ""),
    );
  }
  return join(pieces, by);
}

/** The text cut at a separator, into at most `limit` parts; a negative limit means all, 0 none. The empty separator cuts between characters. */
export function split(text: string, separator: string, limit: number): Result<readonly string[]> {
  if (limit === 0) return success([]);
  const most = limit < 0 ? Infinity : limit;
  const parts = separator === "" ? splitCharacters(text, most) : cut(text, separator, most - 1);
  return parts.length > MAX_PARTS ? failure(`split makes more than ${MAX_PARTS} parts`) : success(parts);
}

function splitCharacters(text: string, most: number): readonly string[] {
  const characters = Array.from(text);
  return characters.length <= most
    ? characters
    : [...characters.slice(0, most - 1), characters.slice(most - 1).join("")];
}

/** Cuts at most `cuts` times. */
function cut(text: string, separator: string, cuts: number): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  if (separator !== "") {
    for (let at = text.indexOf(separator); at >= 0 && parts.length < cuts; at = text.indexOf(separator, at)) {
      if (!isAligned(text, at, separator)) {
        at++;
        continue;
      }
      parts.push(text.slice(from, at));
      at += separator.length;
      from = at;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

/** White space by Unicode (White_Space, PropList): without U+FEFF, which JavaScript's `trim` takes for one, and with U+0085. */
const LEADING = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const WHITE_SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** The text without white space at its ends. */
export function trim(text: string): string {
  const rest = text.replace(LEADING, "");
  let end = rest.length;
  while (end > 0 && WHITE_SPACE.test(rest.charAt(end - 1))) end--;
  return rest.slice(0, end);
}

/** The characters in the opposite order. */
export function reverse(text: string): string {
  return Array.from(text).toReversed().join("");
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/** The text as a string literal in double quotes; lone surrogates become U+FFFD. */
export function quote(text: string): string {
  return `"${text.toWellFormed().replace(/[\u0007-\r"\\]/g, (char) => ESCAPES.get(char) ?? char)}"`;
}
