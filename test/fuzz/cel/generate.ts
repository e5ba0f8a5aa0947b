import { Buffer } from "node:buffer";
import type { Random } from "./random.ts";
import { doubleBits, type Tagged } from "./values.ts";

/** An expression, what its variables are, and what it makes use of. */
export interface Case {
  readonly expr: string;
  readonly input: Readonly<Record<string, Tagged>>;
  /** Features, for the rules that explain disagreements: "matches", "order:string", "time", … */
  readonly tags: ReadonlySet<string>;
}

export type Type =
  | "int" | "uint" | "double" | "bool" | "string" | "bytes" | "timestamp" | "duration"
  | "list(int)" | "list(string)" | "list(double)" | "map(string, int)" | "map(string, dyn)" | "dyn"; // prettier-ignore

/** The variables of every case. */
export const VARIABLES: Readonly<Record<string, Type>> = {
  i: "int", j: "int", u: "uint", d: "double", e: "double", b: "bool", s: "string", r: "string", y: "bytes", t: "timestamp", z: "duration",
  li: "list(int)", ls: "list(string)", ld: "list(double)", m: "map(string, int)", k: "map(string, dyn)", x: "dyn",
}; // prettier-ignore

const TYPES: readonly Type[] = [...new Set(Object.values(VARIABLES))];
const INTS = [
  "0",
  "1",
  "-1",
  "2",
  "3",
  "7",
  "10",
  "-5",
  "100",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "-9007199254740993",
  "9223372036854775807",
  "-9223372036854775808",
  "4611686018427387904",
];
const UINTS = ["0", "1", "2", "3", "10", "9007199254740993", "9223372036854775808", "18446744073709551615"];
const DOUBLES = [
  0,
  -0,
  1,
  -1,
  0.5,
  1.5,
  2.5,
  -2.5,
  3,
  1e-7,
  1e15,
  1e21,
  1e300,
  9007199254740992,
  9223372036854775808,
  18446744073709551616,
  5e-324,
  Infinity,
  -Infinity,
  NaN,
];
const STRINGS = [
  "",
  "a",
  "b",
  "ab",
  "abc",
  "A",
  "K",
  "\u212a",
  "s\u017f",
  "é",
  "\u{1f600}",
  "a\u{1f600}b",
  "\uff5e",
  "__proto__",
  "constructor",
  "toString",
  "12",
  "-7",
  "1.5",
  "true",
  " a\t",
  "a,b,c",
  "aaa",
  "x".repeat(20),
  "2024-02-30T00:00:00Z",
  "1h",
  "\u0000",
  "$&",
];
const KEYS = ["a", "b", "ab", "__proto__", "constructor", "hasOwnProperty", "", "é"];
const PATTERNS = [
  "a",
  "^a",
  "b$",
  "[a-c]+",
  "(a+)+$",
  "^.$",
  "(?i)k",
  "\\\\d+",
  "\\\\bab\\\\b",
  "[[:alpha:]]",
  "\\\\pL",
  "(a|b)*c",
  "^[^b]*$",
  "a{2,}",
  "(",
  "a**",
  "(?=a)",
  "(x)(y)?",
];
const TIMES = [
  "1970-01-01T00:00:00Z",
  "2024-02-29T12:34:56.789Z",
  "2026-03-29T01:30:00Z",
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59.999999999Z",
  "1969-12-31T23:59:59.5Z",
  "2026-11-21T09:00:00.000000001Z",
];
const DURATIONS = ["0s", "1s", "-1s", "1h30m", "1.5s", "-0.000000001s", "2562047h47m16.854775807s", "90m", "24h"];
const ZONES = [
  "UTC",
  "Europe/Zurich",
  "America/New_York",
  "Asia/Kathmandu",
  "+05:30",
  "-02:00",
  "02:00",
  "Australia/Lord_Howe",
];

const TIME_PARTS = [
  "getFullYear",
  "getMonth",
  "getDate",
  "getDayOfMonth",
  "getDayOfWeek",
  "getDayOfYear",
  "getHours",
  "getMinutes",
  "getSeconds",
  "getMilliseconds",
];

/** Makes a case; what it draws depends on the source alone. */
export function generate(random: Random): Case {
  const generator = new Generator(random);
  const type = random.pick(TYPES);
  const expr = generator.expression(type, 1 + random.below(4));
  return { expr, input: inputs(random, generator.tags), tags: generator.tags };
}

function inputs(random: Random, tags: Set<string>): Record<string, Tagged> {
  const input: Record<string, Tagged> = {};
  for (const [name, type] of Object.entries(VARIABLES)) input[name] = valueOf(type, random, 2);
  if (random.once(25)) {
    input["r"] = ["string", random.pick(["\ud83d", "\ude00a", "a\ud83d", "\ude00\ud83d"])];
    tags.add("lone surrogate");
  }
  return input;
}

/** A random value of a type; of dyn, a value of any type, null among them. */
export function valueOf(type: Type, random: Random, depth: number): Tagged {
  switch (type) {
    case "int":
    case "timestamp":
    case "duration":
      return [type, random.pick(type === "int" ? INTS : type === "timestamp" ? TIMES : DURATIONS)];
    case "uint":
      return ["uint", random.pick(UINTS)];
    case "double":
      return ["double", doubleBits(random.pick(DOUBLES))];
    case "bool":
      return ["bool", String(random.once(2))];
    case "string":
      return ["string", random.pick(STRINGS)];
    case "bytes":
      return ["bytes", random.pick(["", "YQ==", "/w==", "AAE=", "w6k="])];
    case "list(int)":
      return ["list", many(random, 3, () => valueOf("int", random, 0))];
    case "list(string)":
      return ["list", many(random, 3, () => valueOf("string", random, 0))];
    case "list(double)":
      return ["list", many(random, 3, () => valueOf("double", random, 0))];
    case "map(string, int)":
      return mapOf(random, () => valueOf("int", random, 0));
    case "map(string, dyn)":
      return mapOf(random, () => valueOf("dyn", random, depth - 1));
    case "dyn":
      if (random.once(6)) return ["null", ""];
      if (depth > 0 && random.once(4))
        return random.once(2)
          ? mapOf(random, () => valueOf("dyn", random, depth - 1))
          : ["list", many(random, 3, () => valueOf("dyn", random, depth - 1))];
      return valueOf(
        random.pick(["int", "uint", "double", "bool", "string", "bytes", "timestamp", "duration"]),
        random,
        0,
      );
  }
}

function many<T>(random: Random, most: number, make: () => T): T[] {
  return Array.from({ length: random.below(most + 1) }, make);
}

function mapOf(random: Random, make: () => Tagged): Tagged {
  const keys = [...new Set(many(random, 3, () => random.pick(KEYS)))];
  return ["map", keys.map((key) => [["string", key], make()] as const)];
}

class Generator {
  readonly tags = new Set<string>();
  readonly #random: Random;
  #scope: readonly (readonly [string, Type])[] = Object.entries(VARIABLES);
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** An expression of the type, most of the time: now and then one of another, and now and then behind dyn(). */
  expression(type: Type, depth: number): string {
    const random = this.#random;
    if (depth > 0 && random.once(40)) {
      this.tags.add("ill-typed");
      return this.#of(random.pick(TYPES), depth);
    }
    if (depth > 0 && random.once(12)) return `dyn(${this.#of(type, depth)})`;
    return this.#of(type, depth);
  }

  #of(type: Type, depth: number): string {
    const random = this.#random;
    if (depth <= 0 || random.once(7)) return this.#leaf(type);
    if (random.once(12))
      return `(${this.expression("bool", depth - 1)} ? ${this.expression(type, depth - 1)} : ${this.expression(type, depth - 1)})`;
    if (random.once(25)) return this.#bind(type, depth);
    const makers = MAKERS[type];
    return random.pick(makers)(this, depth - 1);
  }

  #leaf(type: Type): string {
    const random = this.#random;
    const names = this.#scope.filter(([, of]) => of === type).map(([name]) => name);
    if (names.length > 0 && random.below(3) > 0) return random.pick(names);
    switch (type) {
      case "int":
        return random.pick(INTS);
      case "uint":
        return `${random.pick(UINTS)}u`;
      case "double":
        return doubleLiteral(random.pick(DOUBLES));
      case "bool":
        return random.once(2) ? "true" : "false";
      case "string":
        return literal(random.pick(STRINGS));
      case "bytes":
        return random.pick(["b''", "b'a'", "b'\\xff'", "b'\\x00\\x01'", "b'é'"]);
      case "timestamp":
        return `timestamp('${random.pick(TIMES)}')`;
      case "duration":
        return `duration('${random.pick(DURATIONS)}')`;
      case "list(int)":
        return `[${many(random, 3, () => random.pick(INTS)).join(", ")}]`;
      case "list(string)":
        return `[${many(random, 3, () => literal(random.pick(STRINGS))).join(", ")}]`;
      case "list(double)":
        return `[${many(random, 3, () => doubleLiteral(random.pick(DOUBLES))).join(", ")}]`;
      case "map(string, int)":
        return `{${[...new Set(many(random, 3, () => random.pick(KEYS)))].map((key) => `${literal(key)}: ${random.pick(INTS)}`).join(", ")}}`;
      case "map(string, dyn)":
        return `{${many(random, 2, () => random.pick(KEYS))
          .map((key) => `${literal(key)}: dyn(${random.pick(["null", "1", "'a'", "[null]", "2u", "1.0"])})`)
          .join(", ")}}`;
      case "dyn":
        return `dyn(${random.pick(["null", "1", "1u", "1.0", "'a'", "[]", "{}", "[1, 'a', null]", "true", "b'a'"])})`;
    }
  }

  #bind(type: Type, depth: number): string {
    const bound = this.#random.pick(TYPES);
    const value = this.expression(bound, depth - 1);
    this.tags.add("bind");
    return this.within([bound], ([name = ""]) => `cel.bind(${name}, ${value}, ${this.expression(type, depth - 1)})`);
  }

  /** Makes what stands under new variables. */
  within(types: readonly Type[], make: (names: readonly string[]) => string): string {
    const names = types.map(() => `v${this.#names++}`);
    const outer = this.#scope;
    this.#scope = [...outer, ...names.map((name, i): readonly [string, Type] => [name, types[i] ?? "dyn"])];
    const text = make(names);
    this.#scope = outer;
    return text;
  }

  /** What a macro goes over. */
  range(type: Type, depth: number): string {
    if (type === "dyn" || type.startsWith("map")) this.tags.add("map range");
    return this.expression(type, depth);
  }

  /** Notes a feature. */
  tag(name: string): void {
    this.tags.add(name);
  }

  pick<T>(items: readonly T[]): T {
    return this.#random.pick(items);
  }

  once(times: number): boolean {
    return this.#random.once(times);
  }
}

type Maker = (g: Generator, depth: number) => string;

function doubleLiteral(value: number): string {
  if (Number.isNaN(value)) return "(0.0/0.0)";
  if (!Number.isFinite(value)) return value > 0 ? "(1.0/0.0)" : "(-1.0/0.0)";
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** A CEL literal; beyond printable ASCII by escapes half of the time would hide the other half's faults, so always raw. */
function literal(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n").replaceAll("\u0000", "\\u0000").replaceAll("\t", "\\t")}'`;
}

/** A method call with a feature's name. */
function call(self: Type, name: string, args: readonly Type[], tag?: string): Maker {
  return (g, depth) => {
    if (tag !== undefined) g.tag(tag);
    return `${g.expression(self, depth)}.${name}(${args.map((arg) => g.expression(arg, depth)).join(", ")})`;
  };
}

function fn(name: string, args: readonly Type[], tag?: string): Maker {
  return (g, depth) => {
    if (tag !== undefined) g.tag(tag);
    return `${name}(${args.map((arg) => g.expression(arg, depth)).join(", ")})`;
  };
}

function binary(operators: readonly string[], left: Type, right: Type = left, tag?: string): Maker {
  return (g, depth) => {
    if (tag !== undefined) g.tag(tag);
    return `(${g.expression(left, depth)} ${g.pick(operators)} ${g.expression(right, depth)})`;
  };
}

/** Comparison of two values of one type, or of two numbers of two. */
const compareSame: Maker = (g, depth) => {
  const type = g.pick<Type>(["int", "uint", "double", "string", "bool", "bytes", "timestamp", "duration", "dyn"]);
  g.tag(`order:${type}`);
  return `(${g.expression(type, depth)} ${g.pick(["<", "<=", ">", ">="])} ${g.expression(type, depth)})`;
};
const compareMixed: Maker = (g, depth) => {
  const numbers: readonly Type[] = ["int", "uint", "double"];
  g.tag("mixed numbers");
  return `(${g.expression(g.pick(numbers), depth)} ${g.pick(["<", "<=", ">", ">="])} ${g.expression(g.pick(numbers), depth)})`;
};
const equality: Maker = (g, depth) => {
  const type = g.pick(TYPES);
  return `(${g.expression(type, depth)} ${g.pick(["==", "!="])} ${g.expression(g.once(4) ? "dyn" : type, depth)})`;
};
const dynEquality: Maker = (g, depth) =>
  `(dyn(${g.expression(g.pick(TYPES), depth)}) ${g.pick(["==", "!="])} ${g.expression(g.pick(TYPES), depth)})`;
const membership: Maker = (g, depth) => {
  const [element, container] = g.pick([
    ["int", "list(int)"],
    ["string", "list(string)"],
    ["string", "map(string, int)"],
    ["string", "map(string, dyn)"],
    ["dyn", "list(int)"],
    ["dyn", "dyn"],
    ["double", "list(double)"],
  ] as const);
  g.tag("in");
  return `(${g.expression(element, depth)} in ${g.expression(container, depth)})`;
};
const presence: Maker = (g, depth) => {
  g.tag("has");
  return `has(${g.expression(g.pick(["map(string, int)", "map(string, dyn)", "dyn"]), depth)}.${g.pick(["a", "b", "ab", "__proto__", "constructor", "hasOwnProperty"])})`;
};
const LISTS: readonly (readonly [Type, Type])[] = [
  ["list(int)", "int"],
  ["list(string)", "string"],
  ["list(double)", "double"],
  ["map(string, int)", "string"],
  ["map(string, dyn)", "string"],
  ["dyn", "dyn"],
];
const quantifier: Maker = (g, depth) => {
  const [range, element] = g.pick(LISTS);
  const from = g.range(range, depth);
  return g.within(
    [element],
    ([name = ""]) => `${from}.${g.pick(["all", "exists", "exists_one"])}(${name}, ${g.expression("bool", depth)})`,
  );
};
const twoVariables: Maker = (g, depth) => {
  g.tag("two variables");
  const [range, key, value] = g.pick([
    ["list(int)", "int", "int"],
    ["list(string)", "int", "string"],
    ["map(string, int)", "string", "int"],
    ["map(string, dyn)", "string", "dyn"],
  ] as const);
  const from = g.range(range, depth);
  return g.within(
    [key, value],
    ([a = "", c = ""]) =>
      `${from}.${g.pick(["all", "exists", "existsOne"])}(${a}, ${c}, ${g.expression("bool", depth)})`,
  );
};

function mapping(to: Type): Maker {
  return (g, depth) => {
    const [range, element] = g.pick(LISTS);
    const from = g.range(range, depth);
    return g.within(
      [element],
      ([name = ""]) =>
        `${from}.map(${name}, ${g.once(3) ? `${g.expression("bool", depth)}, ` : ""}${g.expression(to, depth)})`,
    );
  };
}

function transform(to: Type): Maker {
  return (g, depth) => {
    g.tag("two variables");
    const [range, key, value] = g.pick([
      ["list(int)", "int", "int"],
      ["map(string, int)", "string", "int"],
    ] as const);
    const from = g.range(range, depth);
    return g.within(
      [key, value],
      ([a = "", c = ""]) => `${from}.transformList(${a}, ${c}, ${g.expression(to, depth)})`,
    );
  };
}

function filter(range: Type, element: Type): Maker {
  return (g, depth) => {
    const from = g.range(range, depth);
    return g.within([element], ([name = ""]) => `${from}.filter(${name}, ${g.expression("bool", depth)})`);
  };
}

const index: readonly Maker[] = [
  (g, depth) => `${g.expression("map(string, int)", depth)}[${g.expression("string", depth)}]`,
  (g, depth) => `${g.expression("list(int)", depth)}[${g.expression("int", depth)}]`,
  (g, depth) => `${g.expression("map(string, int)", depth)}.${g.pick(["a", "b", "constructor", "__proto__"])}`,
];

const matches: Maker = (g, depth) => {
  g.tag("matches");
  return `${g.expression("string", depth)}.matches('${g.pick(PATTERNS)}')`;
};

const timePart: Maker = (g, depth) => {
  g.tag("time part");
  const zone = g.once(2) ? "" : `'${g.pick(ZONES)}'`;
  if (zone !== "") g.tag("zone");
  return `${g.expression("timestamp", depth)}.${g.pick(TIME_PARTS)}(${zone})`;
};
const durationPart: Maker = (g, depth) => {
  g.tag("duration part");
  return `${g.expression("duration", depth)}.${g.pick(["getHours", "getMinutes", "getSeconds"])}()`;
};

const toString: Maker = (g, depth) => {
  const type = g.pick<Type>(["int", "uint", "double", "bool", "bytes", "timestamp", "duration", "string"]);
  g.tag(`string(${type})`);
  return `string(${g.expression(type, depth)})`;
};

const format: Maker = (g, depth) => {
  g.tag("format");
  const [clause, type] = g.pick([
    ["%s", "dyn"],
    ["%s", "list(int)"],
    ["%s", "map(string, int)"],
    ["%d", "int"],
    ["%d", "uint"],
    ["%f", "double"],
    ["%.2f", "double"],
    ["%e", "double"],
    ["%.0e", "double"],
    ["%x", "int"],
    ["%X", "string"],
    ["%b", "int"],
    ["%o", "uint"],
    ["%s", "double"],
    ["%b", "bool"],
    ["%s", "string"],
    ["%s", "timestamp"],
  ] as const);
  return `'<${clause}>%%'.format([${g.expression(type, depth)}])`;
};

const regexFunctions: Maker = (g, depth) => {
  g.tag("regex");
  const pattern = g.pick(["a", "a*", "[a-c]+", "(a)(b)?", "^a", "(b|c)", "é", "\\\\w"]);
  return g.once(2)
    ? `regex.replace(${g.expression("string", depth)}, '${pattern}', ${g.pick(["'x'", "'<\\\\0>'", "'\\\\1'"])})`
    : `regex.extract(${g.expression("string", depth)}, '${pattern}').orValue('none')`;
};

const optionals: readonly Maker[] = [
  (g, depth) =>
    tagged(
      g,
      "optionals",
      `${g.expression("map(string, int)", depth)}[?${g.expression("string", depth)}].orValue(${g.expression("int", depth)})`,
    ),
  (g, depth) =>
    tagged(
      g,
      "optionals",
      `${g.expression("map(string, int)", depth)}.?${g.pick(["a", "b", "constructor"])}.orValue(${g.expression("int", depth)})`,
    ),
  (g, depth) =>
    tagged(
      g,
      "optionals",
      `${g.expression("list(int)", depth)}[?${g.expression("int", depth)}].orValue(${g.expression("int", depth)})`,
    ),
];

function tagged(g: Generator, tag: string, text: string): string {
  g.tag(tag);
  return text;
}

const NETWORKS = ["10.0.0.0/8", "192.168.1.5/24", "::/0", "2001:db8::/33", "1.2.3.4/32"];
const ADDRESSES = [
  "10.1.2.3",
  "192.168.1.77",
  "::1",
  "2001:db8:7fff::1",
  "1.2.3.4",
  "::ffff:1.2.3.4",
  "1.2.3",
  "127.0.0.1",
];
const network: Maker = (g) => {
  g.tag("network");
  return g.pick([
    () => `cidr('${g.pick(NETWORKS)}').containsIP('${g.pick(ADDRESSES)}')`,
    () => `cidr('${g.pick(NETWORKS)}').containsCIDR(cidr('${g.pick(NETWORKS)}'))`,
    () => `isIP('${g.pick(ADDRESSES)}')`,
    () => `ip('${g.pick(ADDRESSES)}').${g.pick(["isLoopback", "isGlobalUnicast", "isUnspecified"])}()`,
    () => `cidr('${g.pick(NETWORKS)}').masked() == cidr('${g.pick(NETWORKS)}')`,
  ])();
};

const ARITHMETIC = ["+", "-", "*", "/", "%"];

const MAKERS: Readonly<Record<Type, readonly Maker[]>> = {
  int: [
    binary(ARITHMETIC, "int"),
    binary(["+", "-", "*"], "int"),
    (g, depth) => `-(${g.expression("int", depth)})`,
    ...index,
    ...optionals,
    timePart,
    durationPart,
    fn("size", ["string"], "size"),
    fn("size", ["list(int)"]),
    fn("size", ["bytes"]),
    fn("size", ["map(string, dyn)"]),
    fn("int", ["double"], "int()"),
    fn("int", ["uint"]),
    fn("int", ["string"], "int(string)"),
    fn("int", ["timestamp"], "time"),
    call("string", "indexOf", ["string"], "strings"),
    call("string", "lastIndexOf", ["string"], "strings"),
    call("string", "indexOf", ["string", "int"], "indexOf from"),
    call("string", "lastIndexOf", ["string", "int"], "indexOf from"),
    fn("math.abs", ["int"], "math"),
    fn("math.sign", ["int"], "math"),
    fn("math.bitAnd", ["int", "int"], "math"),
    fn("math.bitShiftLeft", ["int", "int"], "math"),
    fn("math.bitShiftRight", ["int", "int"], "math"),
    fn("math.greatest", ["int", "int", "int"], "math"),
    fn("math.least", ["list(int)"], "math"),
  ],
  uint: [
    binary(ARITHMETIC, "uint"),
    binary(["+", "*"], "uint"),
    fn("uint", ["int"], "uint()"),
    fn("uint", ["double"], "uint()"),
    fn("uint", ["string"], "uint(string)"),
    fn("math.bitOr", ["uint", "uint"], "math"),
    fn("math.bitNot", ["uint"], "math"),
    fn("math.greatest", ["uint", "uint"], "math"),
  ],
  double: [
    binary(["+", "-", "*", "/"], "double"),
    (g, depth) => `-(${g.expression("double", depth)})`,
    fn("double", ["int"]),
    fn("double", ["uint"]),
    fn("double", ["string"], "double(string)"),
    fn("math.ceil", ["double"], "math"),
    fn("math.round", ["double"], "math"),
    fn("math.floor", ["double"], "math"),
    fn("math.trunc", ["double"], "math"),
    fn("math.sqrt", ["int"], "math"),
    fn("math.abs", ["double"], "math"),
    fn("math.least", ["double", "double"], "math"),
    fn("math.greatest", ["list(double)"], "math"),
    (g, depth) => `${g.expression("list(double)", depth)}[${g.expression("int", depth)}]`,
  ],
  bool: [
    binary(["&&", "||"], "bool"),
    binary(["&&", "||"], "bool"),
    (g, depth) => `!(${g.expression("bool", depth)})`,
    compareSame,
    compareSame,
    compareMixed,
    equality,
    equality,
    dynEquality,
    membership,
    presence,
    quantifier,
    quantifier,
    twoVariables,
    matches,
    network,
    call("string", "startsWith", ["string"]),
    call("string", "endsWith", ["string"]),
    call("string", "contains", ["string"]),
    fn("math.isNaN", ["double"], "math"),
    fn("math.isFinite", ["double"], "math"),
    fn("bool", ["string"], "bool(string)"),
    fn("sets.contains", ["list(int)", "list(int)"], "sets"),
    fn("sets.equivalent", ["list(double)", "list(int)"], "sets"),
    fn("sets.intersects", ["list(string)", "list(string)"], "sets"),
    (g, depth) => `(type(${g.expression(g.pick(TYPES), depth)}) == type(${g.expression(g.pick(TYPES), depth)}))`,
  ],
  string: [
    binary(["+"], "string"),
    toString,
    toString,
    format,
    regexFunctions,
    call("string", "charAt", ["int"], "strings"),
    call("string", "substring", ["int"], "strings"),
    call("string", "substring", ["int", "int"], "strings"),
    call("string", "lowerAscii", [], "ascii"),
    call("string", "upperAscii", [], "ascii"),
    call("string", "replace", ["string", "string"], "replace"),
    call("string", "replace", ["string", "string", "int"], "replace"),
    call("string", "trim", [], "strings"),
    call("string", "reverse", [], "reverse"),
    call("list(string)", "join", ["string"], "join"),
    fn("strings.quote", ["string"], "quote"),
    fn("base64.encode", ["bytes"], "encoders"),
    (g, depth) => `${g.expression("list(string)", depth)}[${g.expression("int", depth)}]`,
  ],
  bytes: [binary(["+"], "bytes"), fn("bytes", ["string"], "bytes()"), fn("base64.decode", ["string"], "encoders")],
  timestamp: [
    binary(["+", "-"], "timestamp", "duration", "time"),
    binary(["+"], "duration", "timestamp", "time"),
    fn("timestamp", ["string"], "timestamp(string)"),
    fn("timestamp", ["int"], "time"),
  ],
  duration: [
    binary(["+", "-"], "duration", "duration", "time"),
    binary(["-"], "timestamp", "timestamp", "time"),
    fn("duration", ["string"], "duration(string)"),
  ],
  "list(int)": [
    binary(["+"], "list(int)"),
    mapping("int"),
    filter("list(int)", "int"),
    transform("int"),
    call("list(int)", "slice", ["int", "int"], "lists"),
    call("list(int)", "reverse", [], "lists"),
    call("list(int)", "sort", [], "lists"),
    call("list(int)", "distinct", [], "lists"),
    (g, depth) => `[${g.expression("int", depth)}, ${g.expression("int", depth)}]`,
  ],
  "list(string)": [
    binary(["+"], "list(string)"),
    mapping("string"),
    filter("list(string)", "string"),
    filter("map(string, int)", "string"),
    transform("string"),
    call("string", "split", ["string"], "split"),
    call("string", "split", ["string", "int"], "split"),
    call("list(string)", "sort", [], "lists"),
    call("list(string)", "distinct", [], "lists"),
    (g, depth) => `[${g.expression("string", depth)}, ${g.expression("string", depth)}]`,
  ],
  "list(double)": [
    binary(["+"], "list(double)"),
    mapping("double"),
    filter("list(double)", "double"),
    call("list(double)", "reverse", [], "lists"),
    call("list(double)", "distinct", [], "lists"),
  ],
  "map(string, int)": [
    (g, depth) =>
      `{${g.expression("string", depth)}: ${g.expression("int", depth)}, ${g.expression("string", depth)}: ${g.expression("int", depth)}}`,
    (g, depth) => {
      g.tag("two variables");
      const from = g.range("map(string, int)", depth);
      return g.within(
        ["string", "int"],
        ([a = "", c = ""]) => `${from}.transformMap(${a}, ${c}, ${g.expression("int", depth)})`,
      );
    },
  ],
  "map(string, dyn)": [(g, depth) => `{${g.expression("string", depth)}: dyn(${g.expression(g.pick(TYPES), depth)})}`],
  dyn: [
    (g, depth) => `dyn(${g.expression(g.pick(TYPES), depth)})`,
    (g, depth) => `${g.expression("map(string, dyn)", depth)}[${g.expression("string", depth)}]`,
    (g, depth) => `${g.expression("map(string, dyn)", depth)}.${g.pick(["a", "b", "__proto__"])}`,
    (g, depth) =>
      `[${g.expression(g.pick(TYPES), depth)}, ${g.expression(g.pick(TYPES), depth)}][${g.expression("int", depth)}]`,
    (g, depth) => `{${g.expression(g.pick(["int", "uint", "bool"]), depth)}: ${g.expression("dyn", depth)}}`,
  ],
};

/** The bytes of a tagged value. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
