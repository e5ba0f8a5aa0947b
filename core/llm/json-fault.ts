/**
 * Where and why a text is not strict JSON. Slow beside JSON.parse, and anybody can ask for it with a body that breaks at its
 * end: so it looks at the text's beginning only, whatever the text's length, with a stack no deeper than the limit.
 */
import type { JsonFault, JsonFaultCode, JsonLimits } from "./json.ts";

/** How much of a text is looked at to explain what is wrong with it: UTF-16 units, or bytes. */
export const EXPLAINED = 65_536;

/** Longer than any token that could be cut to something malformed: a \u escape, a word, a number's exponent. */
const LONGEST_CUT = 8;

export interface JsonExplanation {
  /** Undefined when there is none, or none in the part that was looked at. */
  readonly fault: JsonFault | undefined;
  /** UTF-16 units that were looked at, each a few times at most: what the explanation has cost. */
  readonly looked: number;
}

/**
 * The first fault in the text, as far as its first `explained` units tell.
 *
 * @param explained UTF-16 units; the work and the memory are linear in them and not in the text
 */
export function explainJson(text: string, limits: JsonLimits, explained: number = EXPLAINED): JsonExplanation {
  const end = explained + LONGEST_CUT;
  const finder = new Finder(text.length > end ? text.slice(0, end) : text, limits);
  try {
    finder.document();
    return { fault: undefined, looked: finder.at };
  } catch (error) {
    if (!(error instanceof Found)) throw error;
    // Behind `explained` the cut itself may be what looks like a fault.
    const byTheCut = text.length > end && error.unended;
    const fault = byTheCut || error.offset > explained ? undefined : finder.fault(error);
    return { fault, looked: finder.at };
  }
}

class Found extends Error {
  readonly code: JsonFaultCode;
  readonly offset: number;
  /** Told from the text's end rather than from what stands at `offset`. */
  readonly unended: boolean;

  constructor(code: JsonFaultCode, what: string, offset: number, unended = false) {
    super(what);
    this.code = code;
    this.offset = offset;
    this.unended = unended;
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

class Finder {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  #nodes = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  /** Never goes back. */
  get at(): number {
    return this.#at;
  }

  fault({ code, message, offset }: Found): JsonFault {
    let line = 1;
    let lineStart = 0;
    const before = this.#text.slice(0, offset);
    for (let i = before.indexOf("\n"); i >= 0; i = before.indexOf("\n", i + 1)) {
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

  /** The string's value: keys are compared and shown, and surrogates may stand as escapes. */
  #string(): string {
    const start = this.#at++;
    let escaped = false;
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === QUOTE) break;
      if (unit === BACKSLASH) {
        escaped = true;
        this.#escape();
      } else if (unit >= 0x20) this.#at++;
      else if (this.#at < this.#text.length) throw this.#invalid("a control character in a string");
      else throw new Found("invalid_json", "a string without an end", start, true);
    }
    this.#at++;
    const value = escaped
      ? (JSON.parse(this.#text.slice(start, this.#at)) as string)
      : this.#text.slice(start + 1, this.#at - 1);
    if (!value.isWellFormed()) throw new Found("invalid_json", "a lone surrogate in the string", start);
    return value;
  }

  #escape(): void {
    const next = this.#text[this.#at + 1] ?? "";
    if (next === "u") {
      for (let i = 2; i < 6; i++)
        if (!isHex(this.#text.charCodeAt(this.#at + i))) throw this.#invalid("a malformed \\u escape");
      this.#at += 6;
      return;
    }
    if (next === "" || !'"\\/bfnrt'.includes(next)) throw this.#invalid("an escape that JSON does not have");
    this.#at += 2;
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

function isHex(unit: number): boolean {
  const letter = unit | 0x20;
  return (unit >= 0x30 && unit <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}

/** A key as it can stand in a message or a log line: short, and without control characters. */
export function shown(key: string): string {
  const short = key.length > 64 ? `${key.slice(0, 64)}…` : key;
  return JSON.stringify(short.toWellFormed().replace(/[\u007f-\u009f\u2028\u2029]/g, "�"));
}
