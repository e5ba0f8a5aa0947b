import type { Assertion, Node, SyntaxProblem } from "./ast.ts";
import {
  ANY,
  NOT_NEWLINE,
  PERL_CLASSES,
  POSIX_CLASSES,
  complement,
  isAscii,
  normalise,
  type CharSet,
} from "./charset.ts";
import { fold, propertySet } from "./unicode.ts";

/** Longest pattern accepted, in UTF-16 units. */
export const MAX_PATTERN_LENGTH = 4096;
/** Deepest nesting of groups and repetitions accepted. */
export const MAX_NESTING = 100;
/** Largest repeat count, and largest product of nested counts (RE2 and Go: 1000). */
const MAX_REPEAT = 1000;
/** Largest number of nodes after repetitions are multiplied out. */
const MAX_EXPANDED_SIZE = 10_000;
/** Most Unicode classes and folded classes beyond ASCII in one pattern: each may take milliseconds to look up. */
const MAX_TABLES = 16;

export type ParseResult =
  | { readonly ok: true; readonly node: Node; readonly groups: number; readonly names: readonly string[] }
  | ({ readonly ok: false } & SyntaxProblem);

class Refusal extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

type Flags = {
  readonly fold: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly swapGreed: boolean;
};
const NO_FLAGS: Flags = { fold: false, multiline: false, dotAll: false, swapGreed: false };

const textStart: Node = { kind: "assert", assertion: "textStart" };

/** Reads a pattern in RE2's syntax, as Go's regexp package accepts it (RE2 wiki, "Syntax"). */
export function parse(pattern: string): ParseResult {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    return {
      ok: false,
      message: `pattern is longer than ${MAX_PATTERN_LENGTH} characters`,
      offset: MAX_PATTERN_LENGTH,
    };
  }
  const surrogate = pattern.isWellFormed() ? -1 : firstLoneSurrogate(pattern);
  if (surrogate >= 0) return { ok: false, message: "pattern has a lone surrogate", offset: surrogate };
  const parser = new Parser(pattern);
  try {
    const node = parser.parsePattern();
    if (expandedSize(node) > MAX_EXPANDED_SIZE)
      return { ok: false, message: "pattern is too large once its repetitions are multiplied out", offset: 0 };
    return { ok: true, node, groups: parser.groups, names: parser.names };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, message: error.message, offset: error.offset };
    throw error;
  }
}

function firstLoneSurrogate(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) return i;
    if (code > 0xffff) i++;
  }
  return -1;
}

class Parser {
  readonly #text: string;
  #at = 0;
  #flags: Flags = NO_FLAGS;
  #depth = 0;
  #tables = 0;
  groups = 0;
  readonly names: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  parsePattern(): Node {
    const node = this.#alternation();
    if (this.#at < this.#text.length) throw new Refusal("unexpected )", this.#at);
    return node;
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #alternation(): Node {
    const branches: Node[] = [this.#concatenation()];
    while (this.#peek() === "|") {
      this.#at++;
      branches.push(this.#concatenation());
    }
    return branches.length === 1 ? (branches[0] ?? { kind: "empty" }) : { kind: "alternate", items: branches };
  }

  #concatenation(): Node {
    const items: Node[] = [];
    let afterRepeat = false;
    while (this.#at < this.#text.length) {
      const char = this.#peek();
      if (char === "|" || char === ")") break;
      const start = this.#at;
      const counts = char === "*" || char === "+" || char === "?" || char === "{" ? this.#counts() : undefined;
      if (counts !== undefined) {
        this.#repeat(items, counts, start, afterRepeat);
        afterRepeat = true;
        continue;
      }
      afterRepeat = false;
      this.#atom(char, items);
    }
    return items.length === 1
      ? (items[0] ?? { kind: "empty" })
      : items.length === 0
        ? { kind: "empty" }
        : { kind: "concat", items };
  }

  #repeat(items: Node[], counts: readonly [number, number], start: number, afterRepeat: boolean): void {
    let greedy = !this.#flags.swapGreed;
    if (this.#peek() === "?") {
      this.#at++;
      greedy = !greedy;
    }
    if (afterRepeat)
      throw new Refusal(`repetition ${this.#text.slice(start, this.#at)} follows another repetition`, start);
    const item = items.pop();
    if (item === undefined) throw new Refusal(`nothing to repeat before ${this.#text.slice(start, this.#at)}`, start);
    const node: Node = { kind: "repeat", item, min: counts[0], max: counts[1], greedy };
    if (countProduct(node) > MAX_REPEAT)
      throw new Refusal(`nested repeat counts multiply to more than ${MAX_REPEAT}`, start);
    items.push(node);
  }

  /** Reads *, +, ? or {n,m}; undefined, with nothing read, where a brace stands for itself. */
  #counts(): readonly [number, number] | undefined {
    const char = this.#peek();
    if (char !== "{") {
      this.#at++;
      return char === "*" ? [0, Infinity] : char === "+" ? [1, Infinity] : [0, 1];
    }
    const start = this.#at;
    this.#at++;
    const min = this.#integer();
    let max = min;
    if (min !== undefined && this.#peek() === ",") {
      this.#at++;
      max = this.#peek() === "}" ? Infinity : this.#integer();
    }
    if (min === undefined || max === undefined || this.#peek() !== "}") {
      this.#at = start;
      return undefined;
    }
    this.#at++;
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT))
      throw new Refusal(`repeat count is above ${MAX_REPEAT}`, start);
    if (min > max) throw new Refusal("repeat counts are in the wrong order", start);
    return [min, max];
  }

  /** A decimal number without a leading zero; above 1000 its exact value does not matter. */
  #integer(): number | undefined {
    const start = this.#at;
    while (isDigit(this.#peek())) this.#at++;
    const digits = this.#text.slice(start, this.#at);
    if (digits === "" || (digits.length > 1 && digits.startsWith("0"))) return undefined;
    return Number(digits);
  }

  #atom(char: string, items: Node[]): void {
    const start = this.#at;
    switch (char) {
      case "(":
        this.#group(items);
        return;
      case "[":
        items.push(this.#bracketClass());
        return;
      case ".":
        this.#at++;
        items.push(setOf(this.#flags.dotAll ? ANY : NOT_NEWLINE));
        return;
      case "^":
        this.#at++;
        items.push(this.#flags.multiline ? assertion("lineStart") : textStart);
        return;
      case "$":
        this.#at++;
        items.push(assertion(this.#flags.multiline ? "lineEnd" : "textEnd"));
        return;
      case "\\":
        this.#backslash(items, start);
        return;
      default:
        items.push(this.#literal(this.#codePoint()));
    }
  }

  #codePoint(): number {
    const code = this.#text.codePointAt(this.#at) ?? 0;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #literal(code: number): Node {
    return setOf(this.#folded([code, code]));
  }

  /** The class with what its members fold to, where (?i) is in force. */
  #folded(set: CharSet): CharSet {
    if (!this.#flags.fold) return set;
    this.#tables += !isAscii(set) ? 1 : 0;
    this.#limitTables();
    return fold(set);
  }

  #limitTables(): void {
    if (this.#tables > MAX_TABLES)
      throw new Refusal(
        `pattern uses more than ${MAX_TABLES} Unicode classes or folded characters beyond ASCII`,
        this.#at,
      );
  }

  #backslash(items: Node[], start: number): void {
    const next = this.#text.charAt(start + 1);
    const found = ASSERTIONS.get(next);
    if (found !== undefined) {
      this.#at += 2;
      items.push(assertion(found));
      return;
    }
    if (next === "Q") {
      this.#quoted(items);
      return;
    }
    const shared = this.#classEscape();
    items.push(shared === undefined ? this.#literal(this.#escape()) : setOf(shared));
  }

  #quoted(items: Node[]): void {
    this.#at += 2;
    const end = this.#text.indexOf("\\E", this.#at);
    const stop = end < 0 ? this.#text.length : end;
    while (this.#at < stop) items.push(this.#literal(this.#codePoint()));
    if (end >= 0) this.#at = end + 2;
  }

  /** \d \D \s \S \w \W \p \P; undefined, with nothing read, for any other escape. */
  #classEscape(): CharSet | undefined {
    const start = this.#at;
    const letter = this.#text.charAt(start + 1);
    const perl = PERL_CLASSES.get(letter.toLowerCase());
    if (perl !== undefined) {
      this.#at += 2;
      const set = this.#folded(perl);
      return letter === letter.toLowerCase() ? set : complement(set);
    }
    if (letter !== "p" && letter !== "P") return undefined;
    let end = start + 3;
    if (this.#text.charAt(start + 2) === "{") {
      end = this.#text.indexOf("}", start) + 1;
      if (end === 0) throw new Refusal(`missing } after ${this.#text.slice(start, start + 3)}`, start);
    } else if (start + 2 >= this.#text.length) {
      throw new Refusal(`missing a class name after \\${letter}`, start);
    }
    const escape = this.#text.slice(start, end);
    let name = escape.length === 3 ? escape.slice(2) : escape.slice(3, -1);
    const inverse = name.startsWith("^");
    if (inverse) name = name.slice(1);
    this.#tables++;
    this.#limitTables();
    const property = propertySet(name);
    if (property === undefined) throw new Refusal(`unknown character class ${escape}`, start);
    this.#at = end;
    const set = this.#folded(property);
    return (letter === "P") === inverse ? set : complement(set);
  }

  /** An escape that stands for one code point. */
  #escape(): number {
    const start = this.#at;
    this.#at++;
    if (this.#at >= this.#text.length) throw new Refusal("pattern ends in a backslash", start);
    const char = this.#peek();
    const simple = SIMPLE_ESCAPES.get(char);
    if (simple !== undefined) {
      this.#at++;
      return simple;
    }
    if (char === "x") return this.#hexEscape(start);
    if (char >= "0" && char <= "7") {
      if (char !== "0" && !isOctal(this.#text.charAt(this.#at + 1)))
        throw new Refusal(`backreference \\${char} is not supported`, start);
      let value = 0;
      for (let i = 0; i < 3 && isOctal(this.#peek()); i++) value = value * 8 + Number(this.#text.charAt(this.#at++));
      return value;
    }
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x80 && !isAlphanumeric(char)) {
      this.#at++;
      return code;
    }
    throw new Refusal(`unknown escape \\${String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)}`, start);
  }

  #hexEscape(start: number): number {
    this.#at++;
    let digits: string;
    if (this.#peek() === "{") {
      const end = this.#text.indexOf("}", this.#at);
      digits = end < 0 ? "" : this.#text.slice(this.#at + 1, end);
      this.#at = end < 0 ? this.#text.length : end + 1;
    } else {
      digits = this.#text.slice(this.#at, this.#at + 2);
      this.#at += 2;
      if (digits.length < 2) digits = "";
    }
    const value = isHex(digits) ? Number.parseInt(digits, 16) : Infinity;
    if (value > 0x10ffff) throw new Refusal("bad hexadecimal escape", start);
    return value;
  }

  #bracketClass(): Node {
    const start = this.#at;
    this.#at++;
    const negated = this.#peek() === "^";
    if (negated) this.#at++;
    const ranges: number[] = [];
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (this.#at >= this.#text.length) throw new Refusal("missing ] for the class that starts here", start);
      const named = this.#posixClass() ?? (this.#peek() === "\\" ? this.#classEscape() : undefined);
      for (const bound of named ?? this.#folded(this.#range())) ranges.push(bound);
    }
    this.#at++;
    const set = normalise(ranges);
    return setOf(negated ? complement(set) : set);
  }

  #range(): CharSet {
    const start = this.#at;
    const low = this.#classChar();
    if (this.#peek() !== "-" || this.#at + 1 >= this.#text.length || this.#text.charAt(this.#at + 1) === "]")
      return [low, low];
    this.#at++;
    const high = this.#classChar();
    if (high < low) throw new Refusal(`range ${this.#text.slice(start, this.#at)} is in the wrong order`, start);
    return [low, high];
  }

  #classChar(): number {
    return this.#peek() === "\\" ? this.#escape() : this.#codePoint();
  }

  /** [:name:] or [:^name:] inside brackets; undefined, with nothing read, where the bracket stands for itself. */
  #posixClass(): CharSet | undefined {
    if (!this.#text.startsWith("[:", this.#at)) return undefined;
    const end = this.#text.indexOf(":]", this.#at + 2);
    if (end < 0) return undefined;
    const name = this.#text.slice(this.#at + 2, end);
    const negated = name.startsWith("^");
    const found = POSIX_CLASSES.get(negated ? name.slice(1) : name);
    if (found === undefined) throw new Refusal(`unknown character class [:${name}:]`, this.#at);
    this.#at = end + 2;
    const set = this.#folded(found);
    return negated ? complement(set) : set;
  }

  #group(items: Node[]): void {
    const start = this.#at;
    if (++this.#depth > MAX_NESTING) throw new Refusal(`groups are nested deeper than ${MAX_NESTING}`, start);
    const outer = this.#flags;
    this.#at++;
    if (this.#peek() === "?") {
      const name = /^\?P?<([A-Za-z0-9_]*)>/.exec(this.#text.slice(this.#at, this.#at + 200))?.[1];
      if (name !== undefined && name !== "") this.#namedGroup(name, start);
      else if (!this.#flagGroup(start)) {
        this.#depth--;
        return; // (?flags) alone: in force until the enclosing group ends
      }
    } else this.groups++;
    const item = this.#alternation();
    if (this.#peek() !== ")") throw new Refusal("missing ) for the group that starts here", start);
    this.#at++;
    this.#flags = outer;
    this.#depth--;
    items.push({ kind: "group", item });
  }

  #namedGroup(name: string, start: number): void {
    if (this.names.includes(name)) throw new Refusal(`group name ${name} is used twice`, start);
    this.names.push(name);
    this.groups++;
    this.#at = this.#text.indexOf(">", this.#at) + 1;
  }

  /** Reads flags up to : or ); true when a group follows. */
  #flagGroup(start: number): boolean {
    this.#at++;
    let { fold, multiline, dotAll, swapGreed } = this.#flags;
    let on = true;
    let afterMinus = false;
    for (;;) {
      const char = this.#peek();
      this.#at++;
      if (char === "i") fold = on;
      else if (char === "m") multiline = on;
      else if (char === "s") dotAll = on;
      else if (char === "U") swapGreed = on;
      else if (char === "-" && on) {
        on = false;
        afterMinus = true;
        continue;
      } else if ((char === ":" || char === ")") && !afterMinus) {
        this.#flags = { fold, multiline, dotAll, swapGreed };
        return char === ":";
      } else throw new Refusal(unsupportedGroup(this.#text.slice(start, this.#at)), start);
      afterMinus = false;
    }
  }
}

function unsupportedGroup(text: string): string {
  if (text === "(?=" || text === "(?!" || text.startsWith("(?<"))
    return "look-around and malformed group names are not supported";
  return `unknown group ${text}`;
}

const ASSERTIONS: ReadonlyMap<string, Assertion> = new Map<string, Assertion>([
  ["A", "textStart"],
  ["z", "textEnd"],
  ["b", "wordBoundary"],
  ["B", "notWordBoundary"],
]);

const SIMPLE_ESCAPES: ReadonlyMap<string, number> = new Map([
  ["a", 7],
  ["f", 12],
  ["t", 9],
  ["n", 10],
  ["r", 13],
  ["v", 11],
]);

function assertion(which: Assertion): Node {
  return { kind: "assert", assertion: which };
}

function setOf(set: CharSet): Node {
  return { kind: "set", set };
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}

function isOctal(char: string): boolean {
  return char >= "0" && char <= "7";
}

function isAlphanumeric(char: string): boolean {
  return /^[A-Za-z0-9]$/.test(char);
}

function isHex(digits: string): boolean {
  return /^[0-9A-Fa-f]{1,16}$/.test(digits);
}

/** The largest product of finite repeat counts on a path from this node to a leaf. */
function countProduct(node: Node): number {
  switch (node.kind) {
    case "repeat": {
      const count = node.max === Infinity ? Math.max(node.min, 1) : Math.max(node.max, 1);
      return count * countProduct(node.item);
    }
    case "group":
      return countProduct(node.item);
    case "concat":
    case "alternate":
      return node.items.reduce((most, item) => Math.max(most, countProduct(item)), 1);
    case "empty":
    case "set":
    case "assert":
      return 1;
  }
}

/** How many nodes the pattern has once x{3} is written xxx: what an automaton built from it would hold. */
export function expandedSize(node: Node): number {
  switch (node.kind) {
    case "repeat":
      return 1 + Math.max(1, node.max === Infinity ? node.min : node.max) * expandedSize(node.item);
    case "group":
      return 1 + expandedSize(node.item);
    case "concat":
    case "alternate":
      return node.items.reduce((sum, item) => sum + expandedSize(item), 1);
    case "empty":
    case "set":
    case "assert":
      return 1;
  }
}
