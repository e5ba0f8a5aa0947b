import type { CharSet } from "./charset.ts";

/** Conditions that take no text. `textStart` is \A, and ^ without (?m); `lineStart` is ^ with it. */
export type Assertion = "textStart" | "textEnd" | "lineStart" | "lineEnd" | "wordBoundary" | "notWordBoundary";

/** The syntax tree of an RE2 pattern. */
export type Node =
  | { readonly kind: "empty" }
  /** One code point of the set. */
  | { readonly kind: "set"; readonly set: CharSet }
  | { readonly kind: "assert"; readonly assertion: Assertion }
  | { readonly kind: "concat"; readonly items: readonly Node[] }
  | { readonly kind: "alternate"; readonly items: readonly Node[] }
  /** `max` is Infinity for *, + and {n,}. */
  | {
      readonly kind: "repeat";
      readonly item: Node;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
    }
  | { readonly kind: "group"; readonly item: Node };

/** What a pattern is refused for; the offset is in UTF-16 units from the start of the pattern. */
export type SyntaxProblem = { readonly message: string; readonly offset: number };
