import { describe, expect, test } from "@jest/globals";
import { RE2JS } from "re2js";
import { MAX_FIND_SUBJECT, MAX_TEST_SUBJECT, compileCached, compileRegex, type Regex } from "./regex.ts";
import { fastestMs } from "../../../test/support/fastest.ts";
import { LazyDfa } from "./regex/dfa.ts";
import { parse } from "./regex/parse.ts";

function compiled(pattern: string): Regex {
  const result = compileRegex(pattern);
  if (!result.ok) throw new Error(`${pattern}: ${result.message} at ${result.offset}`);
  return result.regex;
}

/** A small generator of numbers, so that a failing case can be had again from its seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor(((state >>> 0) / 4294967296) * below);
  };
}

const ATOMS = [
  "a",
  "b",
  "ab",
  "k",
  "s",
  "K",
  "-",
  " ",
  "\\n",
  "é",
  "😀",
  ".",
  "\\d",
  "\\D",
  "\\w",
  "\\W",
  "\\s",
  "\\S",
  "[ab]",
  "[^a]",
  "[a-k]",
  "[^\\w]",
  "[[:alpha:]]",
  "[[:^digit:]]",
  "\\pL",
  "\\p{Lu}",
  "\\P{L}",
  "\\p{Greek}",
  "[é-ü]",
  "[^é]",
  "^",
  "$",
  "\\A",
  "\\z",
  "\\b",
  "\\B",
  "\\x41",
  "\\x{1F600}",
  "[\\x{10000}-\\x{10FFFF}]",
  "\\Qa.\\E",
  "\\x{212A}",
  "[\\x{2129}-\\x{212B}]",
  "ſ",
  "K",
  "[s-z]",
  "σ",
  "[Σ]",
  "(?i)",
  "(?m)",
  "(?s)",
  "(?-i)",
];
const REPEATS = ["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?", "??", "{0}", "{0,2}?"];

function pattern(next: (below: number) => number, depth: number): string {
  let out = "";
  const parts = 1 + next(4);
  for (let i = 0; i < parts; i++) {
    let atom = ATOMS[next(ATOMS.length)] ?? "a";
    const kind = depth > 0 ? next(8) : 7;
    if (kind === 0) atom = `(${pattern(next, depth - 1)}|${pattern(next, depth - 1)})`;
    else if (kind === 1) atom = `(?:${pattern(next, depth - 1)})`;
    else if (kind === 2) atom = `(?${["i", "m", "s", "im", "U"][next(5)]}:${pattern(next, depth - 1)})`;
    out += atom;
    if (next(3) === 0 && !atom.startsWith("(?") && !/^\((\?[a-z-]+)?\)$/.test(atom))
      out += REPEATS[next(REPEATS.length)];
    if (next(14) === 0) out += "|";
  }
  return next(4) === 0 ? `^${out}` : next(4) === 0 ? `${out}$` : next(8) === 0 ? `^${out}$` : out;
}

const LETTERS = [
  "\u212a",
  "a",
  "b",
  "k",
  "s",
  "A",
  "K",
  "S",
  "é",
  "É",
  "😀",
  "\n",
  " ",
  "-",
  "_",
  "1",
  ".",
  "K",
  "ſ",
  "σ",
  "ς",
  "Σ",
  "\ud83d",
  "\ude00",
  "\v",
  "\r",
  "\u2028",
  "ab",
];

function subject(next: (below: number) => number): string {
  let out = "";
  for (let length = next(9); length > 0; length--) out += LETTERS[next(LETTERS.length)] ?? "";
  return out;
}

describe("test", () => {
  test("agrees with RE2JS on generated patterns and subjects, on V8 and on the automaton alike", () => {
    const next = random(20261121);
    const engines = { v8: 0, automaton: 0 };
    const disagreements: string[] = [];
    for (let i = 0; i < 3000; i++) {
      const text = pattern(next, 2);
      let oracle: RE2JS | undefined;
      try {
        oracle = RE2JS.compile(text);
      } catch {
        oracle = undefined;
      }
      const parsed = parse(text);
      if ((oracle === undefined) === parsed.ok)
        disagreements.push(`${JSON.stringify(text)}: ${parsed.ok ? "accepted" : parsed.message}`);
      if (oracle === undefined || !parsed.ok) continue;
      const regex = compiled(text);
      engines[regex.engine]++;
      const automaton = new LazyDfa(parsed.node);
      for (let j = 0; j < 12; j++) {
        const on = subject(next);
        const expected = oracle.matcher(on).find();
        if (regex.test(on) !== expected)
          disagreements.push(
            `${JSON.stringify(text)} on ${JSON.stringify(on)}: ${regex.engine} is not ${String(expected)}`,
          );
        if (automaton.test(on) !== expected)
          disagreements.push(`${JSON.stringify(text)} on ${JSON.stringify(on)}: automaton is not ${String(expected)}`);
      }
    }
    expect(disagreements.slice(0, 20)).toEqual([]);
    expect(engines.v8).toBeGreaterThan(500);
    expect(engines.automaton).toBeGreaterThan(500);
  }, 60_000);

  test.each([
    ["^gpt-(4|5)[a-z.-]*$", "v8"],
    ["(?i)\\b(ssn|credit card)\\b", "v8"],
    ["[a-z0-9._-]+@[a-z0-9.-]+\\.[a-z]{2,}", "v8"],
    ["^[^/]*/[^/]*/x$", "v8"],
    ["^.*foo$", "v8"],
    ["\\pL", "v8"],
    ["foo.*bar", "automaton"],
    ["(a+)+$", "automaton"],
    ["^a*.*a*$", "automaton"],
    ["^(a|b*)$", "automaton"],
    ["(x+x+)+y", "automaton"],
    ["a+b", "v8"],
    ["ca+b", "v8"],
    ["aa+b", "automaton"],
    ["a{200}a{200}", "automaton"],
    ["(a|b|c|d){9}", "automaton"],
  ])("%s runs on %s", (text, engine) => {
    expect(compiled(text).engine).toBe(engine);
  });

  test("decides patterns that make others explode, on 100,000 characters, within 5 ms or refuses them", () => {
    const patterns = [
      "(a+)+$",
      "(a|aa)+$",
      "^(a+)+$",
      "(x+x+)+y",
      "(.*)(.*)(.*)(.*)[^a]x",
      "(a|b)*a(a|b){20}$",
      "a*a*a*a*b",
      "(?i)(a|b)*\\bc",
      "^.*a$",
      "[a-z]+@[a-z]+$",
      "(a?){30}a{30}b",
    ];
    const next = random(7);
    const mixed = Array.from({ length: 100_000 }, () => "ab"[next(2)]).join("");
    const slow: string[] = [];
    for (const text of patterns) {
      for (const on of ["a".repeat(99_999) + "!", "ab".repeat(50_000), mixed]) {
        const regexes = Array.from({ length: 8 }, () => compiled(text)); // none has any states yet
        const elapsed = fastestMs(() => regexes.pop()?.test(on), 5);
        // Twice the bound for the slowest machine; what is not linear takes minutes.
        if (elapsed > 10) slow.push(`${text}: ${elapsed} ms`);
      }
    }
    expect(slow).toEqual([]);
  });

  test("what runs on V8 is linear there: no pumped subject takes much longer than its length", () => {
    const next = random(99);
    const atoms = ["a", "b", ".", "[ab]", "[^a]", "[^b]", "c"];
    const slow: string[] = [];
    let seen = 0;
    for (let i = 0; i < 4000; i++) {
      let text = next(2) === 0 ? "^" : "";
      for (let parts = 2 + next(5); parts > 0; parts--) {
        const repeat = ["", "", "*", "+", "?", "{2,}", "{1,3}", "*?"][next(8)] ?? "";
        text += (next(6) === 0 ? `(${atoms[next(7)]}|${atoms[next(7)]}b)` : (atoms[next(7)] ?? "a")) + repeat;
      }
      if (next(2) === 0) text += "$";
      const regex = compiled(text);
      if (regex.engine !== "v8") continue;
      seen++;
      for (const pump of ["a", "b", "ab", "aab"]) {
        const on = `${pump.repeat(30_000 / pump.length)}!`;
        const elapsed = fastestMs(() => regex.test(on), 10);
        if (elapsed > 10) slow.push(`${text} on ${pump}: ${elapsed} ms`);
      }
    }
    expect(slow).toEqual([]);
    expect(seen).toBeGreaterThan(800);
  });

  test("gives up, with the reason, where pattern and subject take too much work", () => {
    const next = random(7);
    const mixed = Array.from({ length: 100_000 }, () => "ab"[next(2)]).join("");
    expect(compiled("(a|b)*a(a|b){20}$").test(mixed)).toEqual({
      ok: false,
      message: "regular expression takes too much work on a subject of 100000 characters",
    });
  });

  test("refuses a subject beyond the limit", () => {
    expect(compiled("(a+)+$").test("a".repeat(MAX_TEST_SUBJECT))).toBe(true);
    for (const text of ["(a+)+$", "^a"]) {
      expect(JSON.stringify(compiled(text).test("a".repeat(MAX_TEST_SUBJECT + 1)))).toContain("too long");
    }
  });

  test("V8 does not run out of stack on the longest subject", () => {
    const regex = compiled("^[^é]*x$");
    expect(regex.engine).toBe("v8");
    expect(regex.test("😀".repeat(50_000) + "y")).toBe(false);
    expect(regex.test("a".repeat(700_000))).toBe(false);
  });

  test("goes on to be right when the automaton's room is used up", () => {
    const regex = compiled("(a|b)*a(a|b){9}c$");
    const next = random(3);
    for (let i = 0; i < 300; i++) {
      const on = Array.from({ length: 60 }, () => "ab"[next(2)]).join("") + "c";
      expect(regex.test(on)).toBe(on.at(-11) === "a");
    }
  });
});

describe("syntax", () => {
  test.each([
    ["(a", "missing ) for the group that starts here", 0],
    ["a)", "unexpected )", 1],
    ["a**", "repetition * follows another repetition", 2],
    ["x{2}{3}", "repetition {3} follows another repetition", 4],
    ["*a", "nothing to repeat before *", 0],
    ["a|+", "nothing to repeat before +", 2],
    ["a{1001}", "repeat count is above 1000", 1],
    ["a{2,1}", "repeat counts are in the wrong order", 1],
    ["(a{100}){100}", "nested repeat counts multiply to more than 1000", 8],
    ["[a", "missing ] for the class that starts here", 0],
    ["[z-a]", "range z-a is in the wrong order", 1],
    ["[[:foo:]]", "unknown character class [:foo:]", 1],
    ["\\p{Foo}", "unknown character class \\p{Foo}", 0],
    ["\\pQ", "unknown character class \\pQ", 0],
    ["\\p{L", "missing } after \\p{", 0],
    ["a\\C", "unknown escape \\C", 1],
    ["\\Z", "unknown escape \\Z", 0],
    ["(a)\\1", "backreference \\1 is not supported", 3],
    ["a\\", "pattern ends in a backslash", 1],
    ["\\x{110000}", "bad hexadecimal escape", 0],
    ["\\xg", "bad hexadecimal escape", 0],
    ["(?=a)", "look-around and malformed group names are not supported", 0],
    ["a(?<!b)", "look-around and malformed group names are not supported", 1],
    ["(?z)", "unknown group (?z", 0],
    ["(?<a>x)(?P<a>y)", "group name a is used twice", 7],
    ["\ud800", "pattern has a lone surrogate", 0],
    [`${"(".repeat(101)}a${")".repeat(101)}`, "groups are nested deeper than 100", 100],
    ["a".repeat(4097), "pattern is longer than 4096 characters", 4096],
    ["(?:abcdefghijklmnopqrst){1000}", "pattern is too large once its repetitions are multiplied out", 0],
    ["(?i)é".repeat(17), "pattern uses more than 16 Unicode classes or folded characters beyond ASCII", 85],
  ])("refuses %s", (text, message, offset) => {
    expect(compileRegex(text)).toEqual({ ok: false, message, offset });
  });

  test("accepts and refuses what RE2JS does", () => {
    const texts = [
      "a{,2}",
      "{",
      "a{",
      "a{1",
      "a{01}",
      "a{1,",
      "}",
      "]",
      "[]a]",
      "[^]a]",
      "[a-]",
      "[-a]",
      "[a-\\d]",
      "[\\d-a]",
      "[a-b-c]",
      "[:alpha:]",
      "[[:word:]]",
      "[[:alpha]",
      "\\_",
      "\\-",
      "\\é",
      "\\a\\f\\v",
      "\\07",
      "\\01",
      "\\0",
      "\\8",
      "(?:)",
      "()",
      "(|a)*",
      "a|",
      "|",
      "(?i-s:a)",
      "(?-i)a",
      "(?i-)a",
      "(?)a",
      "(?--i)a",
      "(?P<n>a)",
      "(?<n>a)",
      "(?P<>a)",
      "(?P<n-m>a)",
      "(?P=n)",
      "(?P>n)",
      "(?#x)",
      "\\Qa",
      "\\Qa\\E*",
      "\\E",
      "\\Q\\E*",
      "a(?i)*",
      "(?i)*",
      "^*",
      "$+",
      "\\b?",
      "\\pN",
      "\\PN",
      "\\p{^Greek}",
      "\\P{^Greek}",
      "\\p^L",
      "\\p{Any}",
      "\\p{Lu}",
      "\\p{lu}",
      "\\p",
      "x{1000}",
      "(x{10}){100}",
      "(x{10}){101}",
      "[\\Q]",
      "[\\b]",
      "\\x4",
      "\\x{}",
      "\\x{41}",
      "\\N",
      "(?U)a+?",
      "a{0}",
      "a{1}*",
      "a{2}?",
      "a???",
      "a+*",
      "\\p{Han}",
      "\\p{Latin}",
      "\\p{Latn}",
      "\\p{Yi}",
      "\\p{Zyyy}",
      "\\p{Common}",
    ];
    for (const text of texts) {
      let accepted = true;
      try {
        RE2JS.compile(text);
      } catch {
        accepted = false;
      }
      expect([text, parse(text).ok]).toEqual([text, accepted]);
    }
  });
});

describe("finding", () => {
  test("find gives the leftmost match, as Perl and RE2 choose it", () => {
    expect(compiled("[0-9]*").find("abc 123")).toEqual({ ok: true, value: "" });
    expect(compiled("[0-9]+").find("abc 123")).toEqual({ ok: true, value: "123" });
    expect(compiled("a|ab").find("xab")).toEqual({ ok: true, value: "a" });
    expect(compiled("xyz").find("abc 123")).toEqual({ ok: true, value: undefined });
  });

  test("findAll gives matches that do not overlap, and no empty one right after another", () => {
    expect(compiled("a*").findAll("baab", -1)).toEqual({ ok: true, value: ["", "aa", ""] });
    expect(compiled("[0-9]+").findAll("123 abc 456", -1)).toEqual({ ok: true, value: ["123", "456"] });
    expect(compiled("[0-9]+").findAll("123 abc 456", 1)).toEqual({ ok: true, value: ["123"] });
    expect(compiled("[0-9]+").findAll("123", 0)).toEqual({ ok: true, value: [] });
    expect(compiled("x*").findAll("😀é", -1)).toEqual({ ok: true, value: ["", "", ""] });
  });

  test("extract gives the one group, or the match", () => {
    expect(compiled("hello(.*)").extract("hello world")).toEqual({ ok: true, value: " world" });
    expect(compiled("item-\\w+").extract("item-A, item-B")).toEqual({ ok: true, value: "item-A" });
    expect(compiled("hello").extract("HELLO")).toEqual({ ok: true, value: undefined });
    expect(compiled("a(b)?").extract("a ab")).toEqual({ ok: true, value: undefined });
    expect(compiled("(.*)@([^.]*)").extract("u@d")).toMatchObject({ ok: false });
    expect(compiled("id:(\\d*)").extractAll("id:123, id:, id:456")).toEqual({ ok: true, value: ["123", "456"] });
  });

  test("replace puts groups in, up to the limit", () => {
    expect(compiled("(fo)o (ba)r").replace("foo bar", "\\2 \\1", -1)).toEqual({ ok: true, value: "ba fo" });
    expect(compiled("a").replace("banana", "x", 2)).toEqual({ ok: true, value: "bxnxna" });
    expect(compiled("a").replace("banana", "x", 0)).toEqual({ ok: true, value: "banana" });
    expect(compiled("a").replace("banana", "[\\0]\\\\", 1)).toEqual({ ok: true, value: "b[a]\\nana" });
    expect(compiled("(x)?a").replace("a", "<\\1>", -1)).toEqual({ ok: true, value: "<>" });
    expect(compiled("").replace("ab", "-", -1)).toEqual({ ok: true, value: "-a-b-" });
    for (const bad of ["\\2", "\\v", "\\"]) expect(compiled("(.)").replace("test", bad, -1).ok).toBe(false);
  });

  test("refuses subjects beyond the limit and results that grow without bound", () => {
    expect(compiled("a").find("a".repeat(MAX_FIND_SUBJECT + 1)).ok).toBe(false);
    expect(compiled("a").replace("a".repeat(60_000), "b".repeat(100), -1).ok).toBe(false);
  });
});

test("compileCached remembers good and bad patterns, a bounded number of them", () => {
  expect(compileCached("a+")).toBe(compileCached("a+"));
  expect(compileCached("(")).toBe(compileCached("("));
  const first = compileCached("a+");
  for (let i = 0; i < 200; i++) compileCached(`x${i}`);
  expect(compileCached("a+")).not.toBe(first);
});
