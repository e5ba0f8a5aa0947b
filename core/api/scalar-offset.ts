import type { ScalarTree } from "./tree.ts";

/**
 * Where in the file the character at `offset` of a scalar's value stands.
 *
 * YAML folds lines, strips indentation and decodes escapes, but what is not white space stands in the text in the same
 * order as in the value. So both are walked together: a difference can only be white space, a doubled quote, or an escape.
 *
 * @param text the whole file
 * @param offset in UTF-16 units, 0 to the value's length
 */
export function scalarOffset(text: string, scalar: ScalarTree, offset: number): number {
  const value = String(scalar.value);
  const walk = new Walk(text, scalar);
  let at = walk.at;
  for (let i = 0; i < value.length && i <= offset; i++) at = walk.next(value[i] ?? "");
  return Math.min(offset >= value.length ? walk.at : at, Math.max(scalar.start, scalar.end));
}

class Walk {
  /** Where the next character of the value is looked for. */
  at: number;
  readonly #text: string;
  readonly #style: ScalarTree["style"];
  /** The second half of an escape that stands for two units. */
  #pending: number | undefined;

  constructor(text: string, scalar: ScalarTree) {
    this.#text = text;
    this.#style = scalar.style;
    this.at = contentStart(text, scalar);
  }

  /** Takes the value's next unit; says where it stands. */
  next(unit: string): number {
    if (this.#pending !== undefined) {
      const at = this.#pending;
      this.#pending = undefined;
      return at;
    }
    if (this.#style === "double") this.#skipContinuations();
    if (this.#isEscape()) return this.#takeEscape();
    return isSpace(unit) ? this.#takeSpace(unit) : this.#takeText(unit);
  }

  /** White space of the value: the same character here, or the line break that was folded into it. */
  #takeSpace(unit: string): number {
    let probe = this.at;
    while (isSpace(this.#text[probe]) && this.#text[probe] !== unit) probe++;
    if (this.#text[probe] === unit) this.at = probe + 1;
    else if (this.#style === "double" && this.#text[probe] === "\\" && unit !== " ") {
      this.at = probe;
      return this.#takeEscape();
    } else return this.at;
    return probe;
  }

  #takeText(unit: string): number {
    while (isSpace(this.#text[this.at])) this.at++;
    if (this.#style === "double") this.#skipContinuations();
    if (this.#isEscape()) return this.#takeEscape();
    const found = this.at;
    this.at += this.#style === "single" && unit === "'" ? 2 : 1;
    return found;
  }

  #isEscape(): boolean {
    return this.#style === "double" && this.#text[this.at] === "\\";
  }

  /** `\` at a line's end joins it with the next. */
  #skipContinuations(): void {
    for (;;) {
      const match = /\\\r?\n\s*/y;
      match.lastIndex = this.at;
      if (!match.test(this.#text)) return;
      this.at = match.lastIndex;
    }
  }

  #takeEscape(): number {
    const found = this.at;
    const kind = this.#text[found + 1];
    const digits = kind === "x" ? 2 : kind === "u" ? 4 : kind === "U" ? 8 : 0;
    this.at = found + 2 + digits;
    if (digits === 8 && Number.parseInt(this.#text.slice(found + 2, this.at), 16) > 0xffff) this.#pending = found;
    return found;
  }
}

function contentStart(text: string, scalar: ScalarTree): number {
  if (scalar.style === "plain") return scalar.start;
  if (scalar.style !== "block") return scalar.start + 1;
  const newline = text.indexOf("\n", scalar.start);
  return newline === -1 ? scalar.end : newline + 1;
}

function isSpace(unit: string | undefined): boolean {
  return unit === " " || unit === "\n" || unit === "\t" || unit === "\r";
}
