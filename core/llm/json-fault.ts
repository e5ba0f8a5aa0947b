/**
 * Where and why a text is not strict JSON. Slow beside JSON.parse, so it runs only on what is refused anyway; linear in the
 * text's length, with a stack no deeper than the limit.
 */
import type { JsonFault, JsonFaultCode, JsonLimits } from "./json.ts";

/** The first fault in the text, or undefined when there is none. */
export function findJsonFault(text: string, limits: JsonLimits): JsonFault | undefined {
  const finder = new Finder(text, limits);
  try {
    finder.document();
    return undefined;
  } catch (error) {
    if (error instanceof Found) return finder.fault(error);
    throw error;
  }
}

class Found extends Error {
  readonly code: JsonFaultCode;
  readonly offset: number;

  constructor(code: JsonFaultCode, what: string, offset: number) {
    super(what);
    this.code = code;
    this.offset = offset;
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]+/y;
const HEX4 = /[0-9a-fA-F]{4}/y;

class Finder {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  #nodes = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  fault({ code, message, offset }: Found): JsonFault {
    let line = 1;
    let lineStart = 0;
    for (let i = this.#text.indexOf("\n"); i >= 0 && i < offset; i = this.#text.indexOf("\n", i + 1)) {
      line++;
      lineStart = i + 1;
    }
    return { code, message: `${message} at line ${line}, column ${offset - lineStart + 1}`, offset };
  }

  document(): void {
    if (this.#text.charCodeAt(0) === 0xfeff) throw new Found("invalid_json", "a byte order mark before the JSON", 0);
    this.#space();
    if (this.#at === this.#text.length) throw this.#invalid("no JSON");
    this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#invalid("something behind the end of the JSON");
  }

  #value(depth: number): void {
    switch (this.#text.charAt(this.#at)) {
      case "{":
        return this.#object(depth + 1);
      case "[":
        return this.#array(depth + 1);
      case '"':
        this.#string();
        return;
      case "t":
        return this.#word("true");
      case "f":
        return this.#word("false");
      case "n":
        return this.#word("null");
      default:
        if (!this.#matches(NUMBER)) throw this.#invalid("a value is missing or malformed");
    }
  }

  #object(depth: number): void {
    this.#open(depth);
    if (this.#closes("}")) return;
    const keys = new Set<string>();
    for (;;) {
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#invalid("a key in quotes is missing");
      const key = this.#string();
      if (keys.has(key))
        throw new Found("duplicate_key", `the key ${shown(key)} stands twice in one object, again`, start);
      keys.add(key);
      this.#space();
      if (this.#text[this.#at] !== ":") throw this.#invalid(`a colon is missing behind the key ${shown(key)}`);
      this.#at++;
      this.#space();
      this.#value(depth);
      if (this.#endsOrGoesOn("}")) return;
    }
  }

  #array(depth: number): void {
    this.#open(depth);
    if (this.#closes("]")) return;
    for (;;) {
      this.#value(depth);
      if (this.#endsOrGoesOn("]")) return;
    }
  }

  #open(depth: number): void {
    if (depth > this.#limits.maxDepth)
      throw new Found("too_deep", `more than ${this.#limits.maxDepth} levels`, this.#at);
    this.#count();
    this.#at++;
    this.#space();
  }

  #closes(bracket: string): boolean {
    if (this.#text[this.#at] !== bracket) return false;
    this.#at++;
    return true;
  }

  #endsOrGoesOn(bracket: string): boolean {
    this.#space();
    if (this.#closes(bracket)) return true;
    if (this.#text[this.#at] !== ",") throw this.#invalid(`a comma or a ${bracket} is missing`);
    this.#count();
    this.#at++;
    this.#space();
    return false;
  }

  #count(): void {
    if (++this.#nodes > this.#limits.maxNodes)
      throw new Found("too_large", `more than ${this.#limits.maxNodes} values`, this.#at);
  }

  #string(): string {
    const start = this.#at++;
    let value = "";
    for (;;) {
      PLAIN.lastIndex = this.#at;
      const plain = PLAIN.exec(this.#text)?.[0] ?? "";
      value += plain;
      this.#at += plain.length;
      const next = this.#text[this.#at];
      if (next === undefined) throw new Found("invalid_json", "a string without an end", start);
      if (next === '"') break;
      if (next !== "\\") throw this.#invalid("a control character in a string");
      value += this.#escape();
    }
    this.#at++;
    if (!value.isWellFormed()) throw new Found("invalid_json", "a lone surrogate in the string", start);
    return value;
  }

  #escape(): string {
    const next = this.#text[this.#at + 1] ?? "";
    if (next === "u") {
      HEX4.lastIndex = this.#at + 2;
      const digits = HEX4.exec(this.#text)?.[0];
      if (digits === undefined) throw this.#invalid("a malformed \\u escape");
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const index = next === "" ? -1 : '"\\/bfnrt'.indexOf(next);
    if (index < 0) throw this.#invalid("an escape that JSON does not have");
    this.#at += 2;
    return '"\\/\b\f\n\r\t'.charAt(index);
  }

  #word(word: string): void {
    if (!this.#text.startsWith(word, this.#at)) throw this.#invalid("a value is missing or malformed");
    this.#at += word.length;
  }

  #matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return false;
    this.#at += found[0].length;
    return true;
  }

  #space(): void {
    while (this.#at < this.#text.length && " \t\n\r".includes(this.#text.charAt(this.#at))) this.#at++;
  }

  #invalid(what: string): Found {
    return new Found("invalid_json", what, this.#at);
  }
}

/** A key as it can stand in a message or a log line: short, and without control characters. */
export function shown(key: string): string {
  const short = key.length > 64 ? `${key.slice(0, 64)}…` : key;
  return JSON.stringify(short.toWellFormed().replace(/[\u007f-\u009f\u2028\u2029]/g, "�"));
}
