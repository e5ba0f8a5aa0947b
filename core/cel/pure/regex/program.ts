import type { Assertion, Node } from "./ast.ts";
import { MAX_CODE_POINT, NEWLINE, WORD, contains, type CharSet } from "./charset.ts";

/** An instruction of a nondeterministic automaton; numbers are the instructions that follow. */
export type Instruction =
  | { readonly kind: "set"; readonly set: CharSet; readonly next: number }
  | { readonly kind: "split"; readonly next: readonly number[] }
  | { readonly kind: "assert"; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: "match" };

export type Program = { readonly instructions: readonly Instruction[]; readonly start: number };

/** Thompson's construction, built from the end so that each instruction knows what follows it. */
export function compileProgram(node: Node): Program {
  const instructions: Instruction[] = [{ kind: "match" }];
  const add = (instruction: Instruction): number => instructions.push(instruction) - 1;
  const build = (part: Node, next: number): number => {
    switch (part.kind) {
      case "empty":
        return next;
      case "set":
        return add({ kind: "set", set: part.set, next });
      case "assert":
        return add({ kind: "assert", assertion: part.assertion, next });
      case "group":
        return build(part.item, next);
      case "concat":
        return part.items.reduceRight((after, item) => build(item, after), next);
      case "alternate":
        return add({ kind: "split", next: part.items.map((item) => build(item, next)) });
      case "repeat": {
        let after = next;
        if (part.max === Infinity) {
          const loop: number[] = [];
          after = add({ kind: "split", next: loop });
          loop.push(build(part.item, after), next);
        } else {
          for (let i = part.min; i < part.max; i++)
            after = add({ kind: "split", next: [build(part.item, after), next] });
        }
        for (let i = 0; i < part.min; i++) after = build(part.item, after);
        return after;
      }
    }
  };
  return { start: build(node, 0), instructions };
}

/**
 * Classes of code points that no instruction tells apart: the letters of the deterministic automaton. Code points
 * lie in intervals; intervals that the same sets hold share a class.
 */
export class Alphabet {
  /** For each class a code point of it. */
  readonly representatives: readonly number[];
  readonly #starts: readonly number[];
  readonly #classes: Uint16Array;
  readonly #ascii: Uint16Array = new Uint16Array(128);

  constructor(program: Program) {
    const sets = new Set<CharSet>();
    for (const instruction of program.instructions) {
      if (instruction.kind === "set") sets.add(instruction.set);
      else if (instruction.kind === "assert" && instruction.assertion.startsWith("line")) sets.add(NEWLINE);
      else if (instruction.kind === "assert" && !instruction.assertion.startsWith("text")) sets.add(WORD);
    }
    const distinct = [...new Map([...sets].map((set) => [set.join(), set])).values()];
    const cuts = new Set<number>([0]);
    for (const set of distinct) set.forEach((bound, i) => cuts.add(i % 2 === 0 ? bound : bound + 1));
    cuts.delete(MAX_CODE_POINT + 1);
    this.#starts = [...cuts].sort((a, b) => a - b);
    const bySignature = new Map<string, number>();
    const representatives: number[] = [];
    this.#classes = new Uint16Array(this.#starts.length);
    this.#starts.forEach((start, i) => {
      const signature = distinct.map((set) => (contains(set, start) ? "1" : "0")).join("");
      let found = bySignature.get(signature);
      if (found === undefined) {
        found = representatives.push(start) - 1;
        bySignature.set(signature, found);
      }
      this.#classes[i] = found;
    });
    this.representatives = representatives;
    for (let c = 0; c < 128; c++) this.#ascii[c] = this.#search(c);
  }

  /** The class of a code point. */
  classOf(code: number): number {
    return code < 128 ? (this.#ascii[code] ?? 0) : this.#search(code);
  }

  #search(code: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= code) low = middle;
      else high = middle - 1;
    }
    return this.#classes[low] ?? 0;
  }
}
