import type { Position } from "./problem.ts";

/** Longer lines are shown as a window around what is meant: generated JSON has everything in one line. */
const EXCERPT_WIDTH = 110;
const EXCERPT_LEAD = 40;

/** A file's text, and where its offsets (UTF-16 units) are for people. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  #lineStarts: number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  position(offset: number): Position {
    const line = this.#lineAt(offset);
    const start = this.#starts()[line] ?? 0;
    return { file: this.file, line: line + 1, column: length(this.text.slice(start, offset)) + 1 };
  }

  /** The line at the offset and a marker below it, `size` units long but not beyond the line's end. */
  excerpt(offset: number, size: number): string {
    const starts = this.#starts();
    const line = this.#lineAt(offset);
    const start = starts[line] ?? 0;
    const end = this.#lineEnd(start);
    const from = end - start <= EXCERPT_WIDTH ? start : Math.max(start, Math.min(offset - EXCERPT_LEAD, end));
    const to = Math.min(end, from + EXCERPT_WIDTH);
    const shown = printable(this.text.slice(from, to));
    const indent = " ".repeat(length(this.text.slice(from, Math.min(offset, to))) + (from > start ? 1 : 0));
    const marked = Math.max(1, length(this.text.slice(offset, Math.max(offset, Math.min(offset + size, to)))));
    return `${from > start ? "…" : ""}${shown}${to < end ? "…" : ""}\n${indent}^${"~".repeat(marked - 1)}`;
  }

  #lineEnd(start: number): number {
    const newline = this.text.indexOf("\n", start);
    const end = newline === -1 ? this.text.length : newline;
    return end > start && this.text[end - 1] === "\r" ? end - 1 : end;
  }

  #lineAt(offset: number): number {
    const starts = this.#starts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #starts(): number[] {
    if (this.#lineStarts === undefined) {
      this.#lineStarts = [0];
      for (let at = this.text.indexOf("\n"); at !== -1; at = this.text.indexOf("\n", at + 1)) {
        this.#lineStarts.push(at + 1);
      }
    }
    return this.#lineStarts;
  }
}

function length(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** One column for each character, and nothing that a terminal would obey. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (c) => (c === "\t" ? " " : "\u{fffd}"));
}
