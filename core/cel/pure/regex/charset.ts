/** A set of code points: sorted, disjoint, non-adjacent ranges laid flat as [low, high, low, high, …]. */
export type CharSet = readonly number[];

export const MAX_CODE_POINT = 0x10ffff;

/** Every code point. */
export const ANY: CharSet = [0, MAX_CODE_POINT];

/** Every code point except the newline. */
export const NOT_NEWLINE: CharSet = [0, 9, 11, MAX_CODE_POINT];

/** Sorts and merges ranges given in any order. */
export function normalise(ranges: readonly number[]): CharSet {
  const pairs: [number, number][] = [];
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i] ?? 0, ranges[i + 1] ?? 0]);
  pairs.sort((a, b) => a[0] - b[0]);
  const out: number[] = [];
  for (const [low, high] of pairs) {
    const lastHigh = out.at(-1);
    if (lastHigh !== undefined && low <= lastHigh + 1) out[out.length - 1] = Math.max(lastHigh, high);
    else out.push(low, high);
  }
  return out;
}

/** The code points that the set lacks. */
export function complement(set: CharSet): CharSet {
  const out: number[] = [];
  let next = 0;
  for (let i = 0; i < set.length; i += 2) {
    const low = set[i] ?? 0;
    if (low > next) out.push(next, low - 1);
    next = (set[i + 1] ?? 0) + 1;
  }
  if (next <= MAX_CODE_POINT) out.push(next, MAX_CODE_POINT);
  return out;
}

/** Whether the set has the code point. */
export function contains(set: CharSet, code: number): boolean {
  let low = 0;
  let high = set.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < (set[middle * 2] ?? 0)) high = middle - 1;
    else if (code > (set[middle * 2 + 1] ?? 0)) low = middle + 1;
    else return true;
  }
  return false;
}

/** Whether the two sets share a code point. */
export function intersects(a: CharSet, b: CharSet): boolean {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if ((a[i + 1] ?? 0) < (b[j] ?? 0)) i += 2;
    else if ((b[j + 1] ?? 0) < (a[i] ?? 0)) j += 2;
    else return true;
  }
  return false;
}

/** Whether every code point of the set is below 128. */
export function isAscii(set: CharSet): boolean {
  return (set.at(-1) ?? 0) < 0x80;
}

const DIGIT: CharSet = [0x30, 0x39];
/** What \w and \b take for a word. */
export const WORD: CharSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
export const NEWLINE: CharSet = [10, 10];
/** RE2's \s has no vertical tab (RE2 syntax, "Perl character classes"). */
const SPACE: CharSet = [9, 10, 12, 13, 0x20, 0x20];

/** RE2's \d, \s and \w: ASCII only. */
export const PERL_CLASSES: ReadonlyMap<string, CharSet> = new Map([
  ["d", DIGIT],
  ["s", SPACE],
  ["w", WORD],
]);

/** The names that may stand in [[:name:]] (RE2 syntax, "ASCII character classes"). */
export const POSIX_CLASSES: ReadonlyMap<string, CharSet> = new Map<string, CharSet>([
  ["alnum", [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a]],
  ["alpha", [0x41, 0x5a, 0x61, 0x7a]],
  ["ascii", [0, 0x7f]],
  ["blank", [9, 9, 0x20, 0x20]],
  ["cntrl", [0, 0x1f, 0x7f, 0x7f]],
  ["digit", DIGIT],
  ["graph", [0x21, 0x7e]],
  ["lower", [0x61, 0x7a]],
  ["print", [0x20, 0x7e]],
  ["punct", [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e]],
  ["space", [9, 13, 0x20, 0x20]],
  ["upper", [0x41, 0x5a]],
  ["word", WORD],
  ["xdigit", [0x30, 0x39, 0x41, 0x46, 0x61, 0x66]],
]);
