import { ANY, complement, isAscii, normalise, type CharSet } from "./charset.ts";

const NON_SURROGATES: readonly (readonly [number, number])[] = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];
/** Code points looked at together; the limits of the planes and of the surrogates are multiples of it. */
const STRETCH = 2048;
/** At most so many looked-up sets are kept (there are some 210 properties). */
const MAX_KEPT = 256;

const properties = new Map<string, CharSet>();
const folded = new Map<string, CharSet>();
const foldedByIdentity = new WeakMap<CharSet, CharSet>();

/**
 * The code points of \p{name}: a general category (L, Lu, …), a script (Greek, …) or Any, in the Unicode version
 * of the runtime. undefined if there is no such property.
 */
export function propertySet(name: string): CharSet | undefined {
  if (name === "Any") return ANY;
  if (!/^[A-Z][A-Za-z_]{0,40}$/.test(name)) return undefined;
  return remember(properties, name, () => {
    const expression = compileProperty(`General_Category=${name}`) ?? compileProperty(`Script=${name}`);
    return expression === undefined || !isListedName(name) ? undefined : scan(expression);
  });
}

/** RE2 knows categories by their one- or two-letter names and scripts by their long ones; JavaScript knows more. */
function isListedName(name: string): boolean {
  return (
    name.length <= 2 || (name.length > 4 && compileProperty(`Script=${name}`) !== undefined) || SHORT_SCRIPTS.has(name)
  );
}

/** Scripts whose long name has no more than four letters, as those of ISO 15924 codes do that RE2 does not know. */
const SHORT_SCRIPTS: ReadonlySet<string> = new Set([
  "Cham",
  "Garay",
  "Han",
  "Kawi",
  "Lao",
  "Lisu",
  "Mro",
  "Newa",
  "Nko",
  "Thai",
  "Toto",
  "Vai",
  "Yi",
  "Miao",
  "Modi",
]);

function compileProperty(property: string): RegExp | undefined {
  try {
    return new RegExp(`\\p{${property}}+`, "gu");
  } catch {
    return undefined;
  }
}

/** The set together with all that its members fold to under Unicode's simple case folding, as (?i) has it. */
export function fold(set: CharSet): CharSet {
  if (isAscii(set)) return foldAscii(set);
  const known = foldedByIdentity.get(set);
  if (known !== undefined) return known;
  const made = remember(folded, set.join(","), () => foldAny(set)) ?? set;
  foldedByIdentity.set(set, made);
  return made;
}

/** ASCII: the other case, and for k and s also U+212A (Kelvin sign) and U+017F (long s). */
function foldAscii(set: CharSet): CharSet {
  const all: number[] = [...set];
  for (let i = 0; i < set.length; i += 2) {
    for (let c = set[i] ?? 0; c <= (set[i + 1] ?? -1); c++) {
      const lower = c | 0x20;
      if (c < 0x41 || lower < 0x61 || lower > 0x7a) continue;
      all.push(c ^ 0x20, c ^ 0x20);
      if (lower === 0x6b) all.push(0x212a, 0x212a);
      if (lower === 0x73) all.push(0x17f, 0x17f);
    }
  }
  return normalise(all);
}

/** JavaScript's `iu` compares by simple case folding too; that of a class is asked of it. */
function foldAny(set: CharSet): CharSet {
  let ranges = "";
  for (let i = 0; i < set.length; i += 2) ranges += `\\u{${hex(set[i])}}-\\u{${hex(set[i + 1])}}`;
  return complement(complement(normalise([...set, ...scan(new RegExp(`[${ranges}]+`, "giu"))])));
}

function hex(code: number | undefined): string {
  return (code ?? 0).toString(16);
}

/** Every code point that the expression (global, one or more of a class) matches; looked for in stretches. */
function scan(expression: RegExp): CharSet {
  const ranges: number[] = [];
  for (const [low, high] of NON_SURROGATES) {
    for (let first = low; first <= high; first += STRETCH) {
      const text = String.fromCodePoint(
        ...Array.from({ length: Math.min(STRETCH, high + 1 - first) }, (_, i) => first + i),
      );
      const units = first > 0xffff ? 2 : 1;
      for (const match of text.matchAll(expression)) {
        const start = first + match.index / units;
        ranges.push(start, start + match[0].length / units - 1);
      }
    }
  }
  // Surrogates are all of one category and one script, and fold to nothing: one tells for all.
  expression.lastIndex = 0;
  if (expression.test("\ud800")) ranges.push(0xd800, 0xdfff);
  expression.lastIndex = 0;
  return normalise(ranges);
}

function remember(kept: Map<string, CharSet>, key: string, make: () => CharSet | undefined): CharSet | undefined {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (made !== undefined && key.length < 4096) {
    const oldest = kept.size < MAX_KEPT ? undefined : kept.keys().next().value;
    if (oldest !== undefined) kept.delete(oldest);
    kept.set(key, made);
  }
  return made;
}
