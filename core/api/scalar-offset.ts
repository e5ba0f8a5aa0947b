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
  /** Units still to come from one place: a fold of several lines, an escape that stands for a surrogate pair. */
  #more = 0;
  #moreAt = 0;

  constructor(text: string, scalar: ScalarTree) {
    this.#text = text;
    this.#style = scalar.style;
    this.at = contentStart(text, scalar);
  }

  /** Takes the value's next unit; says where it stands. */
  next(unit: string): number {
    if (this.#more > 0) {
      this.#more--;
      return this.#moreAt;
    }
    if (this.#style === "block") return isSpace(unit) ? this.#blockSpace(unit) : this.#blockText();
    if (this.#style === "double") {
      // `\` at a line's end joins it with the next.
      this.#skip(/\\\r?\n[ \t]*/y);
      if (this.#text[this.at] === "\\") return this.#escape();
    }
    const found = this.at;
    const fold = isSpace(this.#text[found]) ? this.#skip(/[ \t]*(?:\r?\n[ \t]*)+/y) : "";
    if (fold === "") {
      this.at += this.#style === "single" && unit === "'" ? 2 : 1;
      return found;
    }
    // One line break is a space, n of them are n - 1 line breaks (YAML 1.2, section 6.5).
    this.#more = Math.max(0, fold.split("\n").length - 3);
    this.#moreAt = found;
    return found;
  }

  /** White space of a block: the same character here, or the line break that was folded into it. */
  #blockSpace(unit: string): number {
    let probe = this.at;
    while (isSpace(this.#text[probe]) && this.#text[probe] !== unit) probe++;
    if (this.#text[probe] !== unit) return this.at;
    this.at = probe + 1;
    return probe;
  }

  #blockText(): number {
    while (isSpace(this.#text[this.at])) this.at++;
    return this.at++;
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [found = ""] = pattern.exec(this.#text) ?? [];
    this.at += found.length;
    return found;
  }

  #escape(): number {
    const found = this.at;
    const kind = this.#text[found + 1];
    const digits = kind === "x" ? 2 : kind === "u" ? 4 : kind === "U" ? 8 : 0;
    this.at = found + 2 + digits;
    if (digits === 8 && Number.parseInt(this.#text.slice(found + 2, this.at), 16) > 0xffff) {
      this.#more = 1;
      this.#moreAt = found;
    }
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
