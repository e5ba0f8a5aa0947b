import type { ProblemCode } from "./program.ts";

/** Longest source that is looked at, in UTF-16 units. */
export const MAX_SOURCE_LENGTH = 65_536;

export type TokenKind = "ident" | "quoted" | "int" | "uint" | "double" | "string" | "bytes" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  /** The symbol or identifier itself (of a quoted one, what stands between the backquotes), or a number's digits. */
  readonly text: string;
  /** Of strings and bytes: what the literal denotes. */
  readonly value: string | Uint8Array | undefined;
}

/** What ends lexing or parsing; `parse` catches it. */
export class SyntaxProblem extends Error {
  readonly code: ProblemCode;
  readonly start: number;
  readonly end: number;
  constructor(message: string, start: number, end: number, code: ProblemCode = "syntax") {
    super(message);
    this.code = code;
    this.start = start;
    this.end = end;
  }
}

const SYMBOLS = [
  "==", "!=", "<=", ">=", "&&", "||", ".?", "[?",
  "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}",
]; // prettier-ignore

const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED = /`[A-Za-z0-9_.\-/ ]+`/y;
const DOUBLE = /(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)/y;
const INTEGER = /(?:0[xX][0-9a-fA-F]+|[0-9]+)[uU]?/y;
const LITERAL_START = /[bB]?[rR]?("""|'''|"|')/y;

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

/** All tokens of a source, the last of kind `end`. @throws {SyntaxProblem} at what is no token */
export function tokenise(source: string): Token[] {
  const tokens: Token[] = [];
  let at = skipBlank(source, 0);
  while (at < source.length) {
    const token = next(source, at);
    tokens.push(token);
    at = skipBlank(source, token.end);
  }
  tokens.push({ kind: "end", start: source.length, end: source.length, text: "", value: undefined });
  return tokens;
}

function skipBlank(source: string, from: number): number {
  let at = from;
  for (; at < source.length; at++) {
    const c = source.charCodeAt(at);
    if (c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0c || c === 0x0d) continue;
    if (c !== 0x2f || source.charCodeAt(at + 1) !== 0x2f) break;
    const lineBreak = source.indexOf("\n", at);
    at = lineBreak < 0 ? source.length : lineBreak;
  }
  return Math.min(at, source.length);
}

function next(source: string, at: number): Token {
  const quote = match(LITERAL_START, source, at);
  if (quote !== undefined) return literal(source, at, quote);
  const name = match(IDENT, source, at);
  if (name !== undefined) return plain("ident", at, name);
  const double = match(DOUBLE, source, at);
  if (double !== undefined) return plain("double", at, double);
  const integer = match(INTEGER, source, at);
  if (integer !== undefined) return plain(/[uU]$/.test(integer) ? "uint" : "int", at, integer);
  const quoted = match(QUOTED, source, at);
  if (quoted !== undefined) {
    return { kind: "quoted", start: at, end: at + quoted.length, text: quoted.slice(1, -1), value: undefined };
  }
  for (const symbol of SYMBOLS) if (source.startsWith(symbol, at)) return plain("symbol", at, symbol);
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
  const hint = HINTS[character];
  const message = `unexpected character ${JSON.stringify(character)}${hint === undefined ? "" : `: ${hint}`}`;
  throw new SyntaxProblem(message, at, at + character.length);
}

function plain(kind: TokenKind, start: number, text: string): Token {
  return { kind, start, end: start + text.length, text, value: undefined };
}

function literal(source: string, start: number, opening: string): Token {
  const prefix = opening.replace(/["']+$/, "").toLowerCase();
  const quote = opening.slice(prefix.length);
  const raw = prefix.includes("r");
  const bytes = prefix.includes("b");
  const bodyStart = start + opening.length;
  let at = bodyStart;
  for (;;) {
    if (at >= source.length) throw new SyntaxProblem("unterminated string", start, source.length);
    if (source.startsWith(quote, at)) break;
    const c = source.charCodeAt(at);
    if (quote.length === 1 && (c === 0x0a || c === 0x0d)) throw new SyntaxProblem("unterminated string", start, at);
    at += c === 0x5c && !raw ? 2 : 1;
  }
  const end = at + quote.length;
  const value = decode(source, bodyStart, at, raw, bytes);
  return { kind: bytes ? "bytes" : "string", start, end, text: source.slice(start, end), value };
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v",
  "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?",
}; // prettier-ignore

const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, X: 2, u: 4, U: 8 };

/** What stands between the quotes. In bytes, \x and octal escapes are bytes and all other text its UTF-8. */
function decode(source: string, start: number, end: number, raw: boolean, bytes: boolean): string | Uint8Array {
  let text = "";
  const octets: number[] = [];
  const flush = (): void => {
    for (const octet of new TextEncoder().encode(text)) octets.push(octet);
    text = "";
  };
  for (let at = start; at < end;) {
    const backslash = raw ? -1 : source.indexOf("\\", at);
    const stop = backslash < 0 || backslash >= end ? end : backslash;
    text += source.slice(at, stop);
    at = stop;
    if (at >= end) break;
    const escape = readEscape(source, at, end);
    if (bytes && escape.unicode) {
      throw new SyntaxProblem("unicode escapes are not allowed in bytes", at, escape.end);
    }
    if (bytes && escape.numeric) {
      flush();
      octets.push(escape.code);
    } else {
      text += String.fromCodePoint(escape.code);
    }
    at = escape.end;
  }
  if (!text.isWellFormed()) throw new SyntaxProblem("string is not well-formed unicode", start, end);
  if (!bytes) return text;
  flush();
  return Uint8Array.from(octets);
}

interface Escape {
  readonly code: number;
  readonly end: number;
  readonly numeric: boolean;
  readonly unicode: boolean;
}

function readEscape(source: string, at: number, end: number): Escape {
  const letter = source[at + 1] ?? "";
  const simple = Object.hasOwn(SIMPLE, letter) ? SIMPLE[letter] : undefined;
  if (simple !== undefined) return { code: simple.charCodeAt(0), end: at + 2, numeric: false, unicode: false };
  const hexLength = Object.hasOwn(HEX_LENGTH, letter) ? HEX_LENGTH[letter] : undefined;
  const octal = /^[0-3][0-7]{2}$/.test(source.slice(at + 1, at + 4));
  const bodyStart = octal ? at + 1 : at + 2;
  const bodyEnd = octal ? at + 4 : bodyStart + (hexLength ?? 0);
  const digits = source.slice(bodyStart, bodyEnd);
  if (bodyEnd > end || (!octal && (hexLength === undefined || digits.length === 0 || !/^[0-9a-fA-F]+$/.test(digits)))) {
    throw new SyntaxProblem("invalid escape sequence", at, Math.min(end, at + 2));
  }
  const code = Number.parseInt(digits, octal ? 8 : 16);
  const unicode = letter === "u" || letter === "U";
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw new SyntaxProblem("escape is not a unicode code point", at, bodyEnd);
  }
  return { code, end: bodyEnd, numeric: !unicode, unicode };
}

/** What people mean who come from elsewhere. */
const HINTS: Readonly<Record<string, string>> = { "=": '"==" compares', "&": '"&&" is and', "|": '"||" is or' };
