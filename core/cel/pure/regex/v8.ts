import type { Node } from "./ast.ts";
import { ANY, complement, isAscii, type CharSet } from "./charset.ts";
import { branches, linearBound, simplifyForTest, type WorkBound } from "./linear.ts";

/** A pattern that V8 decides as RE2 would, in linear time: good for `test` only, for it finds other bounds than RE2's. */
export type V8Test = { readonly regexp: RegExp; readonly bound: WorkBound };

/**
 * Translates a pattern for V8, if it is one that V8 is known to decide in linear time. Everything is spelled out as
 * classes and look-arounds of one character, so nothing depends on what JavaScript's own classes, anchors or
 * flags mean; `u` makes V8 walk code points, lone surrogates counting as one each, as RE2JS does.
 */
export function translateForV8(node: Node): V8Test | undefined {
  const simplified: Node = {
    kind: "alternate",
    items: branches(node).map((items): Node => ({ kind: "concat", items: simplifyForTest(items) })),
  };
  const bound = linearBound(simplified);
  if (bound === undefined || hasNotWordBoundary(simplified)) return undefined;
  return { regexp: new RegExp(write(simplified), "u"), bound };
}

/** V8 looks for matches inside surrogate pairs too, where \B holds; the other assertions do not hold there. */
function hasNotWordBoundary(node: Node): boolean {
  if (node.kind === "assert") return node.assertion === "notWordBoundary";
  if (node.kind === "concat" || node.kind === "alternate") return node.items.some(hasNotWordBoundary);
  return (node.kind === "group" || node.kind === "repeat") && hasNotWordBoundary(node.item);
}

function write(node: Node): string {
  switch (node.kind) {
    case "empty":
      return "";
    case "set":
      return writeSet(node.set);
    case "assert":
      return node.assertion === "notWordBoundary" ? "" : ASSERTIONS[node.assertion];
    case "concat":
      return node.items.map(writeItem).join("");
    case "alternate":
      return node.items.map(write).join("|");
    case "group":
      return `(?:${write(node.item)})`;
    case "repeat":
      return `(?:${write(node.item)})${writeCounts(node.min, node.max)}${node.greedy ? "" : "?"}`;
  }
}

function writeItem(node: Node): string {
  return node.kind === "alternate" || node.kind === "concat" ? `(?:${write(node)})` : write(node);
}

const ASSERTIONS = {
  textStart: "^",
  textEnd: "$",
  lineStart: "(?:^|(?<=\\n))",
  lineEnd: "(?:$|(?=\\n))",
  wordBoundary: "\\b",
} as const;

function writeCounts(min: number, max: number): string {
  if (max === Infinity) return min === 0 ? "*" : min === 1 ? "+" : `{${min},}`;
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

function writeSet(set: CharSet): string {
  if (set.length === 0) return "[]";
  if (set.length === ANY.length && set[0] === ANY[0] && set[1] === ANY[1]) return "[^]";
  if (set.length === 2 && set[0] === set[1]) return writeCodePoint(set[0] ?? 0);
  const inverse = complement(set);
  return isAscii(inverse) ? `[^${writeRanges(inverse)}]` : `[${writeRanges(set)}]`;
}

function writeRanges(set: CharSet): string {
  let out = "";
  for (let i = 0; i < set.length; i += 2) {
    const low = set[i] ?? 0;
    const high = set[i + 1] ?? 0;
    out += low === high ? writeCodePoint(low) : `${writeCodePoint(low)}-${writeCodePoint(high)}`;
  }
  return out;
}

function writeCodePoint(code: number): string {
  const char = String.fromCodePoint(code);
  return /^[A-Za-z0-9]$/.test(char) ? char : `\\u{${code.toString(16)}}`;
}
