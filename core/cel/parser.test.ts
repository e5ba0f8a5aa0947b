import { describe, expect, test } from "@jest/globals";
import { parse as parseReference } from "@bufbuild/cel";
import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { tests as parsing } from "@bufbuild/cel-spec/testdata/parsing.js";
import { tests as conformance } from "@bufbuild/cel-spec/testdata/conformance.js";
import type { FoldNode, Node } from "./ast.ts";
import { MAX_SOURCE_LENGTH } from "./lexer.ts";
import { parse, type MacroLookup } from "./parser.ts";
import { COMPREHENSIONS, MACROS } from "./standard/macros.ts";
import { Double, Uint, type Value } from "./values.ts";

const declared = new Map(MACROS.macros.map((macro) => [`${macro.member}${macro.name}/${macro.arity}`, macro]));
const specified: MacroLookup = (name, arity, member) => declared.get(`${member}${name}/${arity}`);
const all: MacroLookup = (name, arity, member) =>
  [...MACROS.macros, ...COMPREHENSIONS.macros].find((m) => m.name === name && m.arity === arity && m.member === member);

function constant(value: Value): string {
  if (value instanceof Uint) return `${String(value.value)}u`;
  if (value instanceof Double) return `double:${value.value}`;
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString("hex")}`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && value !== null) throw new Error("no constant of the parser");
  return typeof value === "number" && !Number.isSafeInteger(value) ? `double:${value}` : String(value);
}

/** The tree with macros expanded as the specification has them, as text. */
function ours(node: Node): string {
  switch (node.kind) {
    case "literal":
      return constant(node.value);
    case "ident":
      return node.name;
    case "select":
      return `(${node.test ? "has" : "select"} ${ours(node.operand)} ${node.field})`;
    case "call": {
      // Pairs of signs cancel out in the reference, also where they are of another type than they apply to.
      const inner = node.args[0];
      const sign = node.name === "!_" || node.name === "-_";
      if (sign && inner?.kind === "call" && inner.name === node.name && inner.start === node.start) {
        return ours(inner.args[0] ?? inner);
      }
      const parts = [...(node.target === undefined ? [] : [`target=${ours(node.target)}`]), ...node.args.map(ours)];
      return `(${node.name} ${parts.join(" ")})`;
    }
    case "list":
      return `[${node.elements.map((element, i) => (node.optional.includes(i) ? "?" : "") + ours(element)).join(" ")}]`;
    case "map":
      return `{${node.entries.map((e) => `${e.optional ? "?" : ""}${ours(e.key)}:${ours(e.value)}`).join(" ")}}`;
    case "message":
      return `${node.name}{${node.entries.map((e) => `${e.optional ? "?" : ""}${e.field}:${ours(e.value)}`).join(" ")}}`;
    case "fold":
      return expanded(node);
    case "bind":
      throw new Error("not a macro of the specification");
  }
}

function expanded(node: FoldNode): string {
  const accu = "@result";
  const body = ours(node.body);
  const append = (item: string): string => `(_+_ ${accu} [${item}])`;
  const parts: Record<string, readonly [string, string, string, string]> = {
    all: ["true", `(@not_strictly_false ${accu})`, `(_&&_ ${accu} ${body})`, accu],
    exists: ["false", `(@not_strictly_false (!_ ${accu}))`, `(_||_ ${accu} ${body})`, accu],
    exists_one: ["0", "true", `(_?_:_ ${body} (_+_ ${accu} 1) ${accu})`, `(_==_ ${accu} 1)`],
    filter: ["[]", "true", `(_?_:_ ${body} ${append(node.variables[0])} ${accu})`, accu],
    map: [
      "[]",
      "true",
      node.filter === undefined ? append(body) : `(_?_:_ ${ours(node.filter)} ${append(body)} ${accu})`,
      accu,
    ],
  };
  return `(fold ${node.variables[0]} ${ours(node.range)} ${(parts[node.op] ?? []).join(" ")})`;
}

function reference(expr: Expr | undefined): string {
  const kind = expr?.exprKind;
  switch (kind?.case) {
    case "constExpr":
      return referenceConstant(kind.value.constantKind);
    case "identExpr":
      return kind.value.name;
    case "selectExpr":
      return `(${kind.value.testOnly ? "has" : "select"} ${reference(kind.value.operand)} ${kind.value.field})`;
    case "callExpr": {
      const { target, args } = kind.value;
      const parts = [...(target === undefined ? [] : [`target=${reference(target)}`]), ...args.map(reference)];
      return `(${kind.value.function} ${parts.join(" ")})`;
    }
    case "listExpr":
      return `[${kind.value.elements.map(reference).join(" ")}]`;
    case "structExpr": {
      const entries = kind.value.entries.map(({ keyKind, value }) => {
        const key = keyKind.case === "mapKey" ? reference(keyKind.value) : (keyKind.value ?? "");
        return `${key}:${reference(value)}`;
      });
      return `${kind.value.messageName}{${entries.join(" ")}}`;
    }
    case "comprehensionExpr": {
      const { iterVar, iterRange, accuInit, loopCondition, loopStep, result, accuVar } = kind.value;
      const parts = [accuInit, loopCondition, loopStep, result].map(reference).join(" ");
      return `(fold ${iterVar} ${reference(iterRange)} ${parts.replaceAll(accuVar, "@result")})`;
    }
    default:
      throw new Error("an expression of no kind");
  }
}

function referenceConstant(constant: { readonly case: string | undefined; readonly value?: unknown }): string {
  switch (constant.case) {
    case "doubleValue":
      return `double:${String(constant.value)}`;
    case "uint64Value":
      return `${String(constant.value)}u`;
    case "bytesValue":
      return `bytes:${Buffer.from(constant.value as Uint8Array).toString("hex")}`;
    case "stringValue":
      return JSON.stringify(constant.value);
    case "nullValue":
      return "null";
    default:
      return String(constant.value);
  }
}

interface Suite {
  readonly suites?: readonly Suite[];
  readonly tests?: readonly { readonly original: { readonly expr: string }; readonly error?: string }[];
}

function expressions(suite: Suite): { readonly expr: string; readonly error: string | undefined }[] {
  const own = (suite.tests ?? []).map(({ original, error }) => ({ expr: original.expr, error }));
  return [...own, ...(suite.suites ?? []).flatMap(expressions)];
}

function referenceTree(expr: string): string | undefined {
  try {
    return reference(parseReference(expr).expr);
  } catch {
    return undefined;
  }
}

describe("the parser", () => {
  test("makes the same trees as the reference parser of all that this one can parse", () => {
    const known = [...expressions(parsing), ...expressions(conformance)];
    let compared = 0;
    for (const { expr, error } of known) {
      const wanted = referenceTree(expr);
      if (wanted === undefined) continue;
      const parsed = parse(expr, specified);
      // The reference takes some things that cel-go refuses: numbers that no 64 bits hold, has(x).
      if (error !== undefined && !parsed.ok) continue;
      expect([expr, parsed.ok ? ours(parsed.node) : parsed.problems]).toEqual([expr, wanted]);
      compared++;
    }
    expect(compared).toBeGreaterThan(2_000);
  });

  test("refuses what cel-go's parser refuses, but for the syntax and the depth that cel-go was not asked for", () => {
    // cel-go's own tests switch optional syntax and backquotes off, and allow 32 levels.
    const syntax = /Syntax error|reserved identifier|not an identifier|invalid argument|code point/;
    const options = /unsupported syntax|recursion|lookahead|recovery/;
    const rejected = expressions(parsing as Suite).filter(
      ({ error }) => error !== undefined && syntax.test(error) && !options.test(error),
    );
    expect(rejected.length).toBeGreaterThan(40);
    for (const { expr } of rejected) expect([expr, parse(expr, all).ok]).toEqual([expr, false]);
  });

  test.each([
    ["a.?b.c", "optional selection"],
    ["a[?0]", "optional index"],
    ["[?a, b, ?c]", "optional elements"],
    ["{?'k': a, 'l': b,}", "optional entries and a trailing comma"],
    ["a.`b-c`", "quoted field"],
    ["[1,].map(i, v, i)", "trailing comma; not a macro with two variables and a map"],
    ["r'\\d' == b\"\\xff\" // comment", "raw strings, bytes and comments"],
    ["'''a\nb'''", "triple quotes over lines"],
  ])("parses %s (%s)", (source) => {
    expect(parse(source, all)).toMatchObject({ ok: true });
  });

  test("keeps the operands' places in the source", () => {
    const parsed = parse("a +  b.c(d)", all);
    expect(parsed).toMatchObject({
      ok: true,
      node: {
        start: 0,
        end: 11,
        args: [
          { start: 0, end: 1 },
          { start: 5, end: 11 },
        ],
      },
    });
  });

  test.each([
    ["a +", 1, 4, "unexpected end of expression"],
    ["a +\n  )", 2, 3, "unexpected ')'"],
    ["'abc", 1, 1, "unterminated string"],
    ["'\\ud800'", 1, 2, "escape is not a unicode code point"],
    ["'\\q'", 1, 2, "invalid escape sequence"],
    ["a # b", 1, 3, 'unexpected character "#"'],
    ["a = b", 1, 3, 'unexpected character "=": "==" compares'],
    ["a and b", 1, 3, "unexpected 'and': write &&"],
    ["a | b", 1, 3, 'unexpected character "|": "||" is or'],
    ["x.map(1, 2)", 1, 7, "expected a simple variable name"],
    ["has(x)", 1, 5, "invalid argument to has(): expected a field selection such as a.b"],
    ["x.all(i, i, true)", 1, 10, "the variable 'i' is named twice"],
    ["while", 1, 1, "reserved identifier: while"],
    ["9223372036854775808", 1, 1, "int literal out of range"],
    ["-9223372036854775809", 1, 1, "int literal out of range"],
    ["18446744073709551616u", 1, 1, "uint literal out of range"],
    ["'😀' && )", 1, 8, "unexpected ')'"],
  ])("says where %j is wrong", (source, line, column, message) => {
    const parsed = parse(source, all);
    expect(parsed).toMatchObject({ ok: false, problems: [{ line, column, message }] });
  });

  test("underlines the offending text, in the middle of a long line too", () => {
    const long = `${"a || ".repeat(100)}# ${"|| a ".repeat(100)}`;
    const parsed = parse(long, all);
    const excerpt = parsed.ok ? "" : (parsed.problems[0]?.excerpt ?? "");
    const [text = "", mark = ""] = excerpt.split("\n");
    expect(text[mark.indexOf("^")]).toBe("#");
    expect(text.length).toBeLessThan(140);
  });
});

describe("a bomb", () => {
  test.each([
    ["1,000 parentheses", `${"(".repeat(1_000)}1${")".repeat(1_000)}`, "too_deep"],
    ["10,000 brackets", "[".repeat(10_000), "too_deep"],
    ["a sum of 5,000 terms", Array.from({ length: 5_000 }, () => "1").join("+"), "too_deep"],
    ["a thousand selections", `a${".b".repeat(1_000)}`, "too_deep"],
    ["a thousand calls", `a${".b()".repeat(1_000)}`, "too_deep"],
    ["a thousand indices", `a${"[0]".repeat(1_000)}`, "too_deep"],
    ["a thousand ternaries", `${"a ? b : ".repeat(1_000)}c`, "too_deep"],
    ["a thousand comparisons", Array.from({ length: 1_000 }, () => "a").join(" < "), "too_deep"],
    ["a literal of a megabyte", `'${"a".repeat(1 << 20)}'`, "too_long"],
    ["30,000 elements", `[${Array.from({ length: 30_000 }, () => "1").join(",")}]`, "too_many_nodes"],
    ["an integer of 60,000 digits", "1".repeat(60_000), "syntax"],
  ])("of %s gets a clear error", (_name, source, code) => {
    const parsed = parse(source, all);
    expect(parsed).toMatchObject({ ok: false, problems: [{ code }] });
    if (!parsed.ok) expect(parsed.problems[0]?.excerpt.length).toBeLessThan(500);
  });

  test("that stays within the bounds is parsed", () => {
    for (const source of [
      Array.from({ length: 5_000 }, () => "a").join("||"),
      `${"(".repeat(200)}1${")".repeat(200)}`,
      "!".repeat(MAX_SOURCE_LENGTH - 4) + "true",
      Array.from({ length: 200 }, () => "'x'").join("+"),
    ]) {
      expect(parse(source, all)).toMatchObject({ ok: true });
    }
  });
});
