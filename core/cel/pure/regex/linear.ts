import type { Node } from "./ast.ts";
import { intersects, type CharSet } from "./charset.ts";

/**
 * An upper bound of a backtracking matcher's work on a subject of n code points: `once + perUnit * n` steps, over
 * every start position together.
 */
export type WorkBound = { readonly once: number; readonly perUnit: number };

/** Above this, a bound is no bound worth having. */
const MAX_ONCE = 100_000;
const MAX_PER_UNIT = 64;

/**
 * Decides whether a backtracking matcher (V8's) needs only linear time for `test`, and how much.
 *
 * The criterion. A branch is a sequence B0 R1 B1 R2 … Rk Bk. Every R is an unbounded repetition of one character
 * class; every B is bounded: no unbounded repetition anywhere inside. A bounded part can be left in at most `paths`
 * ways, each of at most `size` steps: these are constants of the pattern. So all that matters is how often each R is
 * entered, for the steps that it takes itself are the lengths of its runs.
 *
 *  - If the branch starts with \A (or ^ without m), B0 is tried at one position only: R1 is entered at most `paths`
 *    times in total. Otherwise B0 is tried at every position: R1 is entered at each position at most `paths` times.
 *  - Entered `e` times in total, R costs at most e·n. If what follows R must begin with a character that R cannot
 *    take, only the end of a run can go on: whatever follows is again entered a constant number of times in total.
 *    If not, what follows is tried once for each position of the run: a constant number of times at each position.
 *  - Entered a constant number of times at each position, R is linear only if its runs do not overlap. They do not
 *    if the character right before R must be one that R cannot take: a run that contains another's start would
 *    contain the character before that start. Then R visits every position a constant number of times, and so does
 *    whatever follows.
 *
 * A pattern is linear if each branch of its outermost alternation is; the bounds add up. Leading and trailing
 * unbounded repetitions that cannot change whether an unanchored search finds something are cut before (see
 * `simplifyForTest`). undefined means: not shown to be linear.
 */
export function linearBound(node: Node): WorkBound | undefined {
  let once = 0;
  let perUnit = 1; // the search itself moves over the subject
  for (const branch of branches(node)) {
    const bound = branchBound(branch);
    if (bound === undefined) return undefined;
    once += bound.once;
    perUnit += bound.perUnit;
  }
  return once <= MAX_ONCE && perUnit <= MAX_PER_UNIT ? { once, perUnit } : undefined;
}

/** The branches of the outermost alternation, each as its flat sequence of items. */
export function branches(node: Node): readonly (readonly Node[])[] {
  const bare = ungroup(node);
  if (bare.kind === "alternate") return bare.items.flatMap(branches);
  return [flatten(bare)];
}

function ungroup(node: Node): Node {
  return node.kind === "group" ? ungroup(node.item) : node;
}

function flatten(node: Node): readonly Node[] {
  const bare = ungroup(node);
  if (bare.kind === "empty") return [];
  return bare.kind === "concat" ? bare.items.flatMap(flatten) : [bare];
}

/**
 * Rewrites a branch so that a search for it succeeds on the same subjects: without an anchor a leading x* adds
 * nothing, a leading x{n,} nothing beyond x{n}; and the same at the end.
 */
export function simplifyForTest(items: readonly Node[]): readonly Node[] {
  let from = 0;
  let to = items.length;
  const prefix: Node[] = [];
  const suffix: Node[] = [];
  for (; from < to; from++) {
    const item = items[from];
    if (item === undefined || !isUnbounded(item)) break;
    if (item.min > 0) {
      prefix.push({ ...item, max: item.min });
      from++;
      break;
    }
  }
  for (; to > from; to--) {
    const item = items[to - 1];
    if (item === undefined || !isUnbounded(item)) break;
    if (item.min > 0) {
      suffix.push({ ...item, max: item.min });
      to--;
      break;
    }
  }
  return [...prefix, ...items.slice(from, to), ...suffix];
}

type Repeat = Node & { kind: "repeat" };

function isUnbounded(node: Node): node is Repeat {
  return node.kind === "repeat" && node.max === Infinity;
}

type Entries = { readonly kind: "total" | "perPosition"; readonly count: number };

function branchBound(items: readonly Node[]): WorkBound | undefined {
  let entries: Entries = { kind: startsAnchored(items) ? "total" : "perPosition", count: 1 };
  let once = 0;
  let perUnit = 0;
  const spend = (steps: number): void => {
    if (entries.kind === "total") once += entries.count * steps;
    else perUnit += entries.count * steps;
  };
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (item === undefined) break;
    if (!isUnbounded(item)) {
      const bounded = boundedShape(item);
      if (bounded === undefined) return undefined;
      spend(bounded.paths * bounded.size);
      entries = { kind: entries.kind, count: entries.count * bounded.paths };
    } else {
      const repeated = setOf(item.item);
      if (repeated === undefined) return undefined;
      if (entries.kind === "perPosition") {
        const before = requiredSet(items[i - 1], "last");
        if (before === undefined || intersects(before, repeated)) return undefined;
        perUnit += entries.count * 2;
      } else {
        perUnit += entries.count * 2;
        if (!mustLeave(items, i, repeated)) entries = { kind: "perPosition", count: entries.count };
      }
    }
    if (entries.count > MAX_ONCE) return undefined;
  }
  return { once, perUnit };
}

function startsAnchored(items: readonly Node[]): boolean {
  const first = items[0];
  return first?.kind === "assert" && first.assertion === "textStart";
}

/** Whether what follows item i surely begins with a character outside the set (or the text must end there). */
function mustLeave(items: readonly Node[], i: number, repeated: CharSet): boolean {
  for (let next = i + 1; next < items.length; next++) {
    const item = items[next];
    if (item?.kind === "assert") {
      if (item.assertion === "textEnd") return true; // at most one position of a run is the text's end
      continue;
    }
    const required = requiredSet(item, "first");
    return required !== undefined && !intersects(required, repeated);
  }
  return false;
}

/** The set in which the first (or last) character of the item must lie; undefined if the item may be empty or is too involved. */
function requiredSet(node: Node | undefined, end: "first" | "last"): CharSet | undefined {
  if (node === undefined) return undefined;
  switch (node.kind) {
    case "set":
      return node.set;
    case "group":
      return requiredSet(node.item, end);
    case "concat":
      return requiredSet(end === "first" ? node.items[0] : node.items.at(-1), end);
    case "repeat":
      return node.min > 0 ? requiredSet(node.item, end) : undefined;
    case "alternate":
    case "empty":
    case "assert":
      return undefined;
  }
}

/** The class that a node is, if it is just one. */
function setOf(node: Node): CharSet | undefined {
  const bare = ungroup(node);
  return bare.kind === "set" ? bare.set : undefined;
}

/** How many ways a bounded part can be left in, and how many steps one way may take; undefined if it is not bounded. */
function boundedShape(node: Node): { readonly paths: number; readonly size: number } | undefined {
  switch (node.kind) {
    case "group":
      return boundedShape(node.item);
    case "concat": {
      let paths = 1;
      let size = 1;
      for (const item of node.items) {
        const shape = boundedShape(item);
        if (shape === undefined) return undefined;
        paths *= shape.paths;
        size += shape.size;
      }
      return limited(paths, size);
    }
    case "alternate": {
      let paths = 0;
      let size = 1;
      for (const item of node.items) {
        const shape = boundedShape(item);
        if (shape === undefined) return undefined;
        paths += shape.paths;
        size = Math.max(size, shape.size);
      }
      return limited(paths, size);
    }
    case "repeat": {
      if (node.max === Infinity) return undefined;
      const shape = boundedShape(node.item);
      if (shape === undefined) return undefined;
      let paths = 0;
      for (let times = node.min; times <= node.max; times++) paths += shape.paths ** times;
      return limited(paths, 1 + node.max * shape.size);
    }
    case "empty":
    case "assert":
    case "set":
      return { paths: 1, size: 1 };
  }
}

function limited(paths: number, size: number): { readonly paths: number; readonly size: number } | undefined {
  return paths * size <= MAX_ONCE ? { paths, size } : undefined;
}
