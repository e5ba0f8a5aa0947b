import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { fastestMs } from "../../../test/support/fastest.ts";
import * as s from "./strings.ts";

const ok = (value: unknown): unknown => ({ ok: true, value });
const FACE = "\u{1f600}";

describe("indices count code points", () => {
  test("length, with pairs and lone surrogates", () => {
    expect(s.length(`a${FACE}é`)).toBe(3);
    expect(s.length("\ud83d")).toBe(1);
    expect(s.length("\ude00\ud83d")).toBe(2);
    expect(s.length("")).toBe(0);
  });

  test("charAt", () => {
    expect(s.charAt("hello", 4)).toEqual(ok("o"));
    expect(s.charAt("hello", 5)).toEqual(ok(""));
    expect(s.charAt(`a${FACE}b`, 1)).toEqual(ok(FACE));
    expect(s.charAt(`a${FACE}b`, 2)).toEqual(ok("b"));
    for (const index of [-1, 6, 1e15]) expect(s.charAt("hello", index).ok).toBe(false);
    expect(s.charAt(FACE, 2).ok).toBe(false);
  });

  test("indexOf", () => {
    expect(s.indexOf("hello mellow", "")).toEqual(ok(0));
    expect(s.indexOf("hello mellow", "ello", 2)).toEqual(ok(7));
    expect(s.indexOf("hello mellow", "jello")).toEqual(ok(-1));
    expect(s.indexOf("hello", "", 5)).toEqual(ok(5));
    expect(s.indexOf("hello", "h", 5)).toEqual(ok(-1));
    for (const part of ["", "h"]) expect(s.indexOf("hello", part, 6).ok).toBe(false);
    expect(s.indexOf(`${FACE}${FACE}a`, "a")).toEqual(ok(2));
    expect(s.indexOf("hello", "h", -1).ok).toBe(false);
    // Half of a character is not in it.
    expect(s.indexOf(FACE, "\ude00")).toEqual(ok(-1));
    expect(s.indexOf(`${FACE}\ude00`, "\ude00")).toEqual(ok(1));
  });

  test("lastIndexOf", () => {
    expect(s.lastIndexOf("hello mellow", "")).toEqual(ok(12));
    expect(s.lastIndexOf("hello mellow", "ello")).toEqual(ok(7));
    expect(s.lastIndexOf("hello mellow", "ello", 6)).toEqual(ok(1));
    expect(s.lastIndexOf("hello mellow", "ello", 12)).toEqual(ok(-1));
    expect(s.lastIndexOf("hello", "", 3)).toEqual(ok(3));
    for (const part of ["", "h"]) expect(s.lastIndexOf("hello", part, 6).ok).toBe(false);
    expect(s.lastIndexOf(`${FACE}a${FACE}`, FACE)).toEqual(ok(2));
    expect(s.lastIndexOf(FACE, "\ud83d")).toEqual(ok(-1));
    expect(s.lastIndexOf("aaa", "a", 0)).toEqual(ok(0));
    expect(s.lastIndexOf("abc", "a", -1).ok).toBe(false);
  });

  test("substring", () => {
    expect(s.substring("tacocat", 4)).toEqual(ok("cat"));
    expect(s.substring("tacocat", 0, 4)).toEqual(ok("taco"));
    expect(s.substring(`a${FACE}b`, 1, 2)).toEqual(ok(FACE));
    expect(s.substring("tacocat", 7)).toEqual(ok(""));
    for (const [start, end] of [
      [-1, undefined],
      [8, undefined],
      [2, 1],
      [0, 8],
      [-1, 2],
    ] as const)
      expect(s.substring("tacocat", start, end).ok).toBe(false);
  });

  test("agree with arrays of code points", () => {
    const texts = fc
      .string({ unit: fc.constantFrom("a", "b", FACE, "\ud83d", "\ude00", "é"), maxLength: 8 })
      .map((text) => text.toWellFormed().replaceAll("\ufffd", "\u{1f601}"));
    fc.assert(
      fc.property(texts, texts, fc.integer({ min: 0, max: 9 }), (text, part, from) => {
        const characters = Array.from(text);
        const at = (index: number): boolean =>
          characters.slice(index, index + Array.from(part).length).join("") === part;
        const places = characters.map((_, i) => i).filter((i) => at(i));
        if (part !== "" && from <= characters.length) {
          expect(s.indexOf(text, part, from)).toEqual(ok(places.find((i) => i >= from) ?? -1));
          expect(s.lastIndexOf(text, part, from)).toEqual(
            ok(from >= characters.length ? -1 : (places.findLast((i) => i <= from) ?? -1)),
          );
        }
        expect(s.reverse(text)).toBe(characters.toReversed().join(""));
        expect(s.substring(text, from)).toEqual(
          from <= characters.length
            ? ok(characters.slice(from).join(""))
            : { ok: false, message: `index out of range: ${from}` },
        );
      }),
      { numRuns: 3000 },
    );
  });
});

test("case folding touches ASCII alone", () => {
  expect(s.lowerAscii("TacoCÆt Xii \u212a İ")).toBe("tacocÆt xii \u212a İ");
  expect(s.upperAscii("TacoCæt ß ı")).toBe("TACOCæT ß ı");
  expect(s.lowerAscii("already")).toBe("already");
});

test("replace, with a limit and with the empty string", () => {
  expect(s.replace("hello hello", "he", "we", -1)).toEqual(ok("wello wello"));
  expect(s.replace("hello hello", "he", "we", 1)).toEqual(ok("wello hello"));
  expect(s.replace("hello", "he", "we", 0)).toEqual(ok("hello"));
  expect(s.replace(`h${FACE}`, "", "_", -1)).toEqual(ok(`_h_${FACE}_`));
  expect(s.replace("abc", "", "_", 2)).toEqual(ok("_a_bc"));
  expect(s.replace("abc", "", "_", 4)).toEqual(ok("_a_b_c_"));
  expect(s.replace("$1", "1", "$&", -1)).toEqual(ok("$$&"));
  expect(s.replace(FACE, "\ude00", "x", -1)).toEqual(ok(FACE));
  expect(s.replace("a".repeat(60_000), "a", "b".repeat(60_000), -1).ok).toBe(false);
  expect(s.replace("a".repeat(60_000), "", "b".repeat(60_000), -1).ok).toBe(false);
});

test("split, with a limit and with the empty separator", () => {
  expect(s.split("a b c", " ", -1)).toEqual(ok(["a", "b", "c"]));
  expect(s.split("a b c", " ", 0)).toEqual(ok([]));
  expect(s.split("a b c", " ", 1)).toEqual(ok(["a b c"]));
  expect(s.split("a b c", " ", 2)).toEqual(ok(["a", "b c"]));
  expect(s.split(`a${FACE}`, "", -1)).toEqual(ok(["a", FACE]));
  expect(s.split("abc", "", 2)).toEqual(ok(["a", "bc"]));
  expect(s.split("", "", -1)).toEqual(ok([]));
  expect(s.split("", ",", -1)).toEqual(ok([""]));
  expect(s.split(",", ",", -1)).toEqual(ok(["", ""]));
  expect(s.split("a".repeat(70_000), "", -1).ok).toBe(false);
});

test("join", () => {
  expect(s.join(["hello", "mellow"], " ")).toEqual(ok("hello mellow"));
  expect(s.join([], "/")).toEqual(ok(""));
  expect(s.join(["a".repeat(600_000), "a".repeat(600_000)], "").ok).toBe(false);
});

test("trim takes Unicode's white space and no more", () => {
  expect(s.trim("  \ttrim\n \u3000\u0085")).toBe("trim");
  expect(s.trim("\ufeffx\u200b\u180e")).toBe("\ufeffx\u200b\u180e");
  expect(s.trim(" \n ")).toBe("");
  const spaces = " ".repeat(200_000);
  expect(fastestMs(() => expect(s.trim(`x${spaces}y`)).toBe(`x${spaces}y`), 20)).toBeLessThan(100);
});

test("quote escapes what a literal cannot hold", () => {
  expect(s.quote('a"b\\\u0007\b\f\n\r\t\v')).toBe('"a\\"b\\\\\\a\\b\\f\\n\\r\\t\\v"');
  expect(s.quote(`${FACE}\ud83d`)).toBe(`"${FACE}\ufffd"`);
});
