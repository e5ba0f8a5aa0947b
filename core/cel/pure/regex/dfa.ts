import type { Assertion, Node } from "./ast.ts";
import { WORD, contains } from "./charset.ts";
import { Alphabet, compileProgram, type Program } from "./program.ts";

/** Table cells kept for one pattern (4 bytes each); beyond, the states made so far are forgotten. */
const MAX_CELLS = 32_768;
/** Instructions that the states kept for one pattern may have together (2 bytes each). */
const MAX_HELD = 65_536;
/** Instructions visited while making states during one test: some 3 ms. A pattern and subject that need more are given up. */
const MAX_WORK = 60_000;

/** What stands before a position. */
const AFTER_OTHER = 0;
const AFTER_WORD = 1;
const AFTER_NEWLINE = 2;
const AT_START = 3;

const UNKNOWN = 0;
const MATCHED = 1;
const DEAD = 2;
const FIRST_STATE = 3;

type State = { readonly instructions: Uint16Array; readonly before: number };

/**
 * A deterministic automaton made state by state as subjects need it (lazy DFA): answers whether a pattern matches
 * somewhere, in one table look-up a code point. A state is the instructions that wait to be entered and what stands
 * before the position, so that assertions are settled when the next character is known.
 */
export class LazyDfa {
  readonly #program: Program;
  readonly #alphabet: Alphabet;
  readonly #width: number;
  readonly #anchored: boolean;
  readonly #watchesWords: boolean;
  readonly #watchesLines: boolean;
  #states: State[] = [];
  #byKey = new Map<string, number>();
  #table: Int32Array;
  #work = 0;
  #held = 0;
  /** Which instructions were seen in the going through that has this number. */
  readonly #stamps: Int32Array;
  #stamp = 0;
  readonly #collected: Uint16Array;
  readonly #stack: number[] = [];

  constructor(node: Node) {
    this.#program = compileProgram(node);
    this.#alphabet = new Alphabet(this.#program);
    this.#stamps = new Int32Array(this.#program.instructions.length);
    this.#collected = new Uint16Array(this.#program.instructions.length);
    this.#width = this.#alphabet.representatives.length + 1; // the last column is the end of the text
    const uses = (...which: readonly Assertion[]): boolean =>
      this.#program.instructions.some((i) => i.kind === "assert" && which.includes(i.assertion));
    const first = this.#program.instructions[this.#program.start];
    this.#anchored = first?.kind === "assert" && first.assertion === "textStart";
    this.#watchesWords = uses("wordBoundary", "notWordBoundary");
    this.#watchesLines = uses("lineStart", "lineEnd");
    this.#table = new Int32Array(this.#width * (FIRST_STATE + 5));
    this.#forget();
  }

  /** Whether the pattern matches somewhere in the subject; undefined if that would take too much work. */
  test(subject: string): boolean | undefined {
    this.#work = 0;
    const alphabet = this.#alphabet;
    const width = this.#width;
    let state = FIRST_STATE;
    for (let i = 0; i < subject.length; i++) {
      let code = subject.charCodeAt(i);
      if (code >= 0xd800 && code < 0xdc00) {
        const low = subject.charCodeAt(i + 1);
        if (low >= 0xdc00 && low < 0xe000) {
          code = ((code - 0xd800) << 10) + (low - 0xdc00) + 0x10000;
          i++;
        }
      }
      const column = alphabet.classOf(code);
      let next = this.#table[state * width + column] ?? UNKNOWN;
      if (next === UNKNOWN) {
        next = this.#step(state, column);
        if (next === UNKNOWN) return undefined;
      }
      if (next < FIRST_STATE) return next === MATCHED;
      state = next;
    }
    const last = this.#table[state * width + width - 1] ?? UNKNOWN;
    return (last === UNKNOWN ? this.#step(state, width - 1) : last) === MATCHED;
  }

  #forget(): void {
    this.#states = [];
    this.#byKey = new Map();
    this.#table.fill(UNKNOWN);
    this.#held = 0;
    for (let i = 0; i < FIRST_STATE; i++) this.#states.push({ instructions: new Uint16Array(), before: AFTER_OTHER });
    this.#collected[0] = this.#program.start;
    this.#stateFor(1, AT_START);
  }

  /** Makes the transition of a state on a class of characters, or on the end; UNKNOWN when the work is used up. */
  #step(from: number, column: number): number {
    const state = this.#states[from];
    if (state === undefined || this.#work > MAX_WORK) return UNKNOWN;
    const atEnd = column === this.#width - 1;
    const char = atEnd ? -1 : (this.#alphabet.representatives[column] ?? 0);
    const entered = this.#enter(state, char);
    if (entered === undefined || atEnd) {
      const outcome = entered === undefined ? MATCHED : DEAD;
      this.#table[from * this.#width + column] = outcome;
      return outcome;
    }
    let count = 0;
    this.#stamp++;
    for (const index of entered) {
      const instruction = this.#program.instructions[index];
      if (instruction?.kind === "set" && contains(instruction.set, char))
        count = this.#collect(instruction.next, count);
    }
    if (!this.#anchored) count = this.#collect(this.#program.start, count); // the search goes on from the next position
    const before =
      this.#watchesLines && char === 10 ? AFTER_NEWLINE : this.#watchesWords && isWord(char) ? AFTER_WORD : AFTER_OTHER;
    const next = count === 0 ? DEAD : this.#stateFor(count, before);
    if (this.#states[from] === state) this.#table[from * this.#width + column] = next; // else it was just forgotten
    return next;
  }

  /** Adds an instruction to those collected for the next state, unless it is among them. */
  #collect(instruction: number, count: number): number {
    if (this.#stamps[instruction] === this.#stamp) return count;
    this.#stamps[instruction] = this.#stamp;
    this.#collected[count] = instruction;
    return count + 1;
  }

  /** The state of so many collected instructions, made if it is new; where that would take too much room, all others are forgotten. */
  #stateFor(count: number, before: number): number {
    const instructions = this.#collected.slice(0, count).sort();
    this.#work += count;
    const key = String.fromCharCode(before, ...instructions);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    this.#held += count;
    const isFull = (this.#states.length + 1) * this.#width > MAX_CELLS || this.#held > MAX_HELD;
    if (isFull && this.#states.length > FIRST_STATE + 1) {
      this.#forget();
      const again = this.#byKey.get(key);
      if (again !== undefined) return again;
    }
    const made = this.#states.push({ instructions, before }) - 1;
    this.#byKey.set(key, made);
    const cells = this.#states.length * this.#width;
    if (cells > this.#table.length) {
      const larger = new Int32Array(Math.max(cells, Math.min(this.#table.length * 2, MAX_CELLS)));
      larger.set(this.#table);
      this.#table = larger;
    }
    return made;
  }

  /** The instructions that take a character, from those that wait; undefined if the pattern has matched. `char` is -1 at the end. */
  #enter(state: State, char: number): readonly number[] | undefined {
    this.#stamp++;
    const stack = this.#stack;
    stack.length = 0;
    for (const index of state.instructions) stack.push(index);
    const takers: number[] = [];
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (this.#stamps[index] === this.#stamp) continue;
      this.#stamps[index] = this.#stamp;
      this.#work++;
      const instruction = this.#program.instructions[index];
      if (instruction === undefined) continue;
      if (instruction.kind === "match") return undefined;
      if (instruction.kind === "set") takers.push(index);
      else if (instruction.kind === "split") for (const next of instruction.next) stack.push(next);
      else if (holds(instruction.assertion, state.before, char)) stack.push(instruction.next);
    }
    return takers;
  }
}

function holds(assertion: Assertion, before: number, char: number): boolean {
  switch (assertion) {
    case "textStart":
      return before === AT_START;
    case "textEnd":
      return char < 0;
    case "lineStart":
      return before === AT_START || before === AFTER_NEWLINE;
    case "lineEnd":
      return char < 0 || char === 10;
    case "wordBoundary":
      return (before === AFTER_WORD) !== isWord(char);
    case "notWordBoundary":
      return (before === AFTER_WORD) === isWord(char);
  }
}

function isWord(char: number): boolean {
  return char >= 0 && contains(WORD, char);
}
