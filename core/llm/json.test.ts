import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { EXPLAINED, explainJson } from "./json-fault.ts";
import { JSON_LIMITS, readJson, type JsonLimits } from "./json.ts";

const SMALL: JsonLimits = { maxBytes: 4096, maxDepth: 4, maxNodes: 32 };

function faultOf(text: string | Buffer, limits: JsonLimits = JSON_LIMITS): string {
  const reading = readJson(Buffer.isBuffer(text) ? text : Buffer.from(text, "utf8"), limits);
  return reading.ok ? "ok" : `${reading.code}@${reading.offset}: ${reading.message}`;
}

/** RFC 8259 and the refusals on top of it, read letter by letter: the slow, obvious parser to hold the fast one against. */
function reference(text: string, limits: JsonLimits): { ok: boolean; value?: unknown } {
  let at = 0;
  let nodes = 0;
  class Refused extends Error {}
  const fail = (): never => {
    throw new Refused();
  };
  const count = (): void => {
    nodes++;
    if (nodes > limits.maxNodes) fail();
  };
  const space = (): void => {
    while (/^[ \t\r\n]$/.test(text.charAt(at))) at++;
  };
  const take = (expected: string): void => {
    if (text.slice(at, at + expected.length) !== expected) fail();
    at += expected.length;
  };
  const string = (): string => {
    take('"');
    let out = "";
    while (text.charAt(at) !== '"') {
      const unit = text.charAt(at++);
      if (unit === "" || unit.charCodeAt(0) < 0x20) fail();
      if (unit !== "\\") {
        out += unit;
        continue;
      }
      const escape = text.charAt(at++);
      const simple: Record<string, string> = {
        '"': '"',
        "\\": "\\",
        "/": "/",
        b: "\b",
        f: "\f",
        n: "\n",
        r: "\r",
        t: "\t",
      };
      if (escape === "u") {
        const hex = text.slice(at, at + 4);
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) fail();
        out += String.fromCharCode(Number.parseInt(hex, 16));
        at += 4;
      } else out += simple[escape] ?? fail();
    }
    at++;
    return out.isWellFormed() ? out : fail();
  };
  const value = (depth: number): unknown => {
    space();
    const next = text.charAt(at);
    if (next === '"') return string();
    if (next === "{" || next === "[") {
      if (depth + 1 > limits.maxDepth) fail();
      count();
      at++;
      space();
      const close = next === "{" ? "}" : "]";
      const members = new Map<string, unknown>();
      const elements: unknown[] = [];
      if (text.charAt(at) === close) at++;
      else {
        for (;;) {
          space();
          if (next === "{") {
            const key = string();
            if (members.has(key)) fail();
            space();
            take(":");
            members.set(key, value(depth + 1));
          } else elements.push(value(depth + 1));
          space();
          const separator = text.charAt(at++);
          if (separator === close) break;
          if (separator !== ",") fail();
          count();
        }
      }
      return next === "[" ? elements : Object.fromEntries(members);
    }
    for (const [word, meaning] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/.exec(text.slice(at))?.[0];
    if (number === undefined) return fail();
    at += number.length;
    return Number(number);
  };
  try {
    const result = value(0);
    space();
    return at === text.length ? { ok: true, value: result } : { ok: false };
  } catch (error) {
    if (error instanceof Refused) return { ok: false };
    throw error;
  }
}

describe("what is refused, with its place", () => {
  test.each([
    ["", "invalid_json@0: no JSON at line 1, column 1"],
    ["  ", "invalid_json@2: no JSON at line 1, column 3"],
    ["{}\n{}", "invalid_json@3: something behind the end of the JSON at line 2, column 1"],
    ['{"a":1,}', "invalid_json@7: a key in quotes is missing at line 1, column 8"],
    ["[1,]", "invalid_json@3: a value is missing or malformed at line 1, column 4"],
    ['{"a" 1}', 'invalid_json@5: a colon is missing behind the key "a" at line 1, column 6'],
    ['{"a":1 "b":2}', "invalid_json@7: a comma or a } is missing at line 1, column 8"],
    ["[01]", "invalid_json@2: a comma or a ] is missing at line 1, column 3"],
    ["[NaN]", "invalid_json@1: a value is missing or malformed at line 1, column 2"],
    ["{'a':1}", "invalid_json@1: a key in quotes is missing at line 1, column 2"],
    ['"a\tb"', "invalid_json@2: a control character in a string at line 1, column 3"],
    ['"\\x41"', "invalid_json@1: an escape that JSON does not have at line 1, column 2"],
    ['"\\u12g4"', "invalid_json@1: a malformed \\u escape at line 1, column 2"],
    ['{"a":"b', "invalid_json@5: a string without an end at line 1, column 6"],
    ['{"a":"b\\"', "invalid_json@5: a string without an end at line 1, column 6"],
    ["/**/1", "invalid_json@0: a value is missing or malformed at line 1, column 1"],
    ["\uFEFF{}", "invalid_json@0: a byte order mark before the JSON at line 1, column 1"],
    ['["\\ud800"]', "invalid_json@1: a lone surrogate in the string at line 1, column 2"],
    ['{"\\uDC00":1}', "invalid_json@1: a lone surrogate in the string at line 1, column 2"],
    ['{"a":1,\n "a":2}', 'duplicate_key@9: the key "a" stands twice in one object, again at line 2, column 2'],
    ['{"a":1,"\\u0061":2}', 'duplicate_key@7: the key "a" stands twice in one object, again at line 1, column 8'],
    [
      '[{"x":{"k":1,"j":2,"k":1}}]',
      'duplicate_key@19: the key "k" stands twice in one object, again at line 1, column 20',
    ],
    [
      '{"__proto__":1,"__proto__":2}',
      'duplicate_key@15: the key "__proto__" stands twice in one object, again at line 1, column 16',
    ],
    ["[[[[[]]]]]", "too_deep@4: more than 4 levels at line 1, column 5"],
    [`[${"0,".repeat(40)}0]`, "too_large@64: more than 32 values at line 1, column 65"],
  ])("%j", (text, fault) => {
    expect(faultOf(text, SMALL)).toBe(fault);
  });

  test("more bytes than the limit", () => {
    expect(faultOf(`"${"a".repeat(5000)}"`, SMALL)).toBe("too_large@4096: the JSON has 5002 bytes, more than 4096");
  });

  test("bytes that are not UTF-8", () => {
    expect(faultOf(Buffer.from([0x7b, 0x0a, 0x22, 0xff, 0x22]))).toBe(
      "invalid_utf8@3: the JSON is not valid UTF-8 at byte 3, line 2",
    );
    expect(faultOf(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toMatch(/^invalid_utf8@2/);
    expect(faultOf(Buffer.from([0x22, 0x61, 0xc3]))).toMatch(/^invalid_utf8@3/);
  });

  test("a message shows the key, never a value", () => {
    expect(faultOf('{"k":"my secret" "x":1}')).not.toContain("secret");
    expect(faultOf('{"a\\n\\u007f":1,"a\\n\\u007f":2}')).toContain('the key "a\\n�"');
  });
});

describe("what is read", () => {
  test("keys of prototypes are members like any other", () => {
    const reading = readJson(Buffer.from('{"__proto__":{"x":1},"constructor":2,"toString":3}'));
    expect(reading.ok && reading.members.map(({ key }) => key)).toEqual(["__proto__", "constructor", "toString"]);
  });

  test("the same key in two objects", () => {
    expect(faultOf('[{"a":1},{"a":{"a":2}}]')).toBe("ok");
  });

  test("pairs of surrogates, and backslashes before what looks like an escape", () => {
    expect(faultOf('["\\ud83d\\ude00","\\\\ud800","\\\\","a\\\\\\"b"]')).toBe("ok");
  });

  test("the members' places", () => {
    const text = ' { "a" : [1, {"b":2}] ,\n"c\\u0064":"x,}\\"" , "e":null } ';
    const reading = readJson(Buffer.from(text));
    if (!reading.ok) throw new Error(reading.message);
    const places = reading.members.map((member) => [
      member.key,
      text.slice(member.keyStart, member.keyStart + 2),
      text.slice(member.valueStart, member.valueEnd),
    ]);
    expect(places).toEqual([
      ["a", '"a', '[1, {"b":2}]'],
      ["cd", '"c', '"x,}\\""'],
      ["e", '"e', "null"],
    ]);
  });

  test("an array and a scalar have no members", () => {
    for (const text of ['["a",{"b":1}]', '"a"', "1"]) {
      expect(readJson(Buffer.from(text))).toMatchObject({ ok: true, members: [] });
    }
  });
});

describe("held against the slow reader", () => {
  const limits: JsonLimits = { maxBytes: 1 << 20, maxDepth: 6, maxNodes: 64 };

  function agree(text: string): void {
    // A lone surrogate cannot be sent as UTF-8; what arrives is what is compared.
    const bytes = Buffer.from(text, "utf8");
    const sent = bytes.toString("utf8");
    const expected = sent.startsWith("\uFEFF") ? { ok: false } : reference(sent, limits);
    const reading = readJson(bytes, limits);
    // What V8 may have misread is refused, valid as it is; such keys are written with a backslash at an end.
    if (expected.ok && !reading.ok && sent.includes("\\") && reading.message.includes("unambiguously")) return;
    expect({ text: sent, ok: reading.ok }).toEqual({ text: sent, ok: expected.ok });
    const { fault } = explainJson(sent, limits);
    expect(fault === undefined).toBe(expected.ok);
    // Whatever is cut off behind the part that is looked at, what is told is the truth.
    for (const explained of [0, 1, 5, 12]) {
      const near = fault !== undefined && fault.offset <= explained ? fault : undefined;
      const { fault: told } = explainJson(sent, limits, explained);
      // What is wrong with a whole string cannot be told where its end is cut off.
      if (told !== undefined || !/string without|lone surrogate|twice/.test(near?.message ?? ""))
        expect(told).toEqual(near);
    }
    if (!reading.ok) {
      expect(reading.message).not.toContain("unambiguously");
      return;
    }
    expect(reading.value).toEqual(expected.value);
    const { value } = reading;
    if (typeof value !== "object" || value === null || Array.isArray(value)) expect(reading.members).toEqual([]);
    else {
      const again = reading.members.map(({ key, valueStart, valueEnd }) => [
        key,
        JSON.parse(sent.slice(valueStart, valueEnd)),
      ]);
      expect(Object.fromEntries(again)).toEqual(value);
      expect(again).toHaveLength(Object.keys(value).length);
    }
  }

  const fragments = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"',
    '"a"',
    '"b"',
    '"\\u0061"',
    "\\",
    '\\"',
    "\\u",
    "d800",
    "\\ud83d",
    "\\ude00",
    "0",
    "1",
    "-",
    ".",
    "e",
    "true",
    "false",
    "null",
    " ",
    "\n",
    "\t",
    "é",
    "😀",
    "\u0000",
    "\uFEFF",
    '{"a":',
    '"x":1,',
    "[[",
    "]]",
  );

  test("on anything", () => {
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 24 }), (parts) => agree(parts.join(""))),
      { numRuns: 4000 },
    );
  });

  test("on JSON with a few letters changed", () => {
    const property = fc.property(
      fc.json({ maxDepth: 5 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(3), fragments), { maxLength: 3 }),
      (json, changes) => {
        let text = json;
        for (const [place, removed, inserted] of changes) {
          const at = place % (text.length + 1);
          text = text.slice(0, at) + inserted + text.slice(at + removed);
        }
        agree(text);
      },
    );
    fc.assert(property, { numRuns: 4000 });
  });

  test("on any bytes it never throws, and reads nothing that is not UTF-8", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const buffer = Buffer.concat([Buffer.from('{"a":"'), bytes, Buffer.from('"}')]);
      const reading = readJson(buffer);
      if (reading.ok) expect(Buffer.from(reading.text, "utf8").equals(buffer)).toBe(true);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});

describe("a fault far from the text's beginning", () => {
  const far = "a".repeat(EXPLAINED);

  test.each([
    [`["${far}",]`, `invalid_json@${EXPLAINED}: the JSON is malformed, somewhere behind the first 65536 characters`],
    [
      `{"${far}":1,"b":1,"b":2}`,
      `duplicate_key@${EXPLAINED}: a key stands twice in one object, somewhere behind the first 65536 characters`,
    ],
    [`["${far}",[[[[]]]]]`, `too_deep@${EXPLAINED}: more than 4 levels, somewhere behind the first 65536 characters`],
    [
      `["${far}"${",1".repeat(32)}]`,
      `too_large@${EXPLAINED}: more than 32 values, somewhere behind the first 65536 characters`,
    ],
  ])("is refused by its kind alone", (text, expected) => {
    expect(faultOf(text, { ...SMALL, maxBytes: 1 << 20 })).toBe(expected);
  });

  test("in bytes that are not UTF-8 either", () => {
    const bytes = Buffer.concat([Buffer.from(`"${far}`), Buffer.from([0xff, 0x22])]);
    expect(faultOf(bytes)).toBe(
      `invalid_utf8@${EXPLAINED}: the JSON is not valid UTF-8 somewhere behind its first 65536 bytes`,
    );
  });

  test("a fault near the beginning of a long text is told with its place", () => {
    expect(faultOf(`{"a" 1,"b":"${far}${far}"}`)).toBe(
      'invalid_json@5: a colon is missing behind the key "a" at line 1, column 6',
    );
  });

  test.each([
    ["escapes", "\\n", '["', '",]'],
    ["escaped surrogates", "\\ud83d\\ude00", '["', '",]'],
    ["plain letters", "abcdefgh", '["', '",]'],
    ["numbers", "1,", "[", "]"],
    ["objects", '{"k":1},', "[", "]"],
    ["line ends", "\n\n", "[", "1,]"],
    ["one number", "12345678", "[", "]x"],
  ])("no more is looked at in a text 32 times as long: %s", (_, unit, head, tail) => {
    const textOf = (length: number): string => head + unit.repeat(length / unit.length) + tail;
    // All of a short text, and of longer ones the same part, but for what a token at its end needs.
    expect(explainJson(textOf(EXPLAINED / 2), JSON_LIMITS)).toMatchObject({ fault: { code: "invalid_json" } });
    for (const length of [2 * EXPLAINED, 64 * EXPLAINED]) {
      const { fault, looked } = explainJson(textOf(length), JSON_LIMITS);
      expect(fault).toBeUndefined();
      expect(looked).toBeGreaterThan(EXPLAINED - 16);
      expect(looked).toBeLessThan(EXPLAINED + 16);
    }
  });
});

test("no text makes it slow: time grows with the length alone", () => {
  const size = 1 << 20;
  const texts = [
    `{"a":"${'\\"'.repeat(size / 2)}"}`,
    `{"a":"${"\\\\".repeat(size / 2)}"}`,
    '"'.repeat(size),
    '""'.repeat(size / 2),
    "[".repeat(size),
    "{".repeat(size),
    `{"a":1${',"a":1'.repeat(size / 6)}}`,
    `"${"\\ud83d\\ude00".repeat(size / 12)}"`,
    `[${" ".repeat(size)}`,
  ];
  for (const text of texts) {
    const bytes = Buffer.from(text);
    const start = process.hrtime.bigint();
    readJson(bytes);
    // A second for a mebibyte is a hundred times what it takes; a quadratic reading takes hours.
    expect(Number(process.hrtime.bigint() - start)).toBeLessThan(1e9);
  }
});

test("a key that V8 takes for another that it has seen is refused, never read as that one", () => {
  const read = (text: string): unknown => {
    const reading = readJson(Buffer.from(text));
    return reading.ok ? Object.keys(reading.value as object) : reading.code;
  };
  for (let i = 0; i < 3; i++) {
    read('{"a":1,"\\\\":2,"b":3}');
    expect(["invalid_json", ["a", '"', "b"]]).toContainEqual(read('{"a":1,"\\"":2,"b":3}'));
    read('{"a":1,"\\\\u0063md":2}');
    expect(["invalid_json", ["a", "cmd"]]).toContainEqual(read('{"a":1,"\\u0063md":2}'));
    expect(["invalid_json", "duplicate_key"]).toContainEqual(read('{"cmd":1,"\\u0063md":2}'));
  }
  expect(read('{"^\\\\d+$":1,"\\u00e9":2}')).toEqual(["^\\d+$", "é"]);
});
