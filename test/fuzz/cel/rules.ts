import { isValue, type Outcome } from "./engines.ts";
import type { Case } from "./generate.ts";

/** A disagreement between us and another engine. */
export interface Disagreement {
  readonly oracle: Oracle;
  readonly given: Case;
  readonly ours: Outcome;
  /** Why ours refused or failed; empty where it gave a value. */
  readonly why: string;
  readonly theirs: Outcome;
}

export type Oracle = "cel-go" | "bufbuild" | "marcbachmann";

/** A known difference. A disagreement that no rule explains is a fault of ours until shown otherwise. */
export interface Rule {
  readonly name: string;
  readonly oracle: Oracle;
  readonly explains: (disagreement: Disagreement) => boolean;
}

type Test = (disagreement: Disagreement) => boolean;

const tagged =
  (...tags: readonly string[]): Test =>
  (d) =>
    tags.some((tag) => d.given.tags.has(tag));
/** Ours refused or failed with such words, theirs gave a value. */
const failed =
  (text: string): Test =>
  (d) =>
    d.why.includes(text) && isValue(d.theirs);
/** Ours gave a value, theirs refused or failed. */
const theyFail: Test = (d) => isValue(d.ours) && !isValue(d.theirs);
const both =
  (...tests: readonly Test[]): Test =>
  (d) =>
    tests.every((test) => test(d));
const either =
  (...tests: readonly Test[]): Test =>
  (d) =>
    tests.some((test) => test(d));
const written =
  (pattern: RegExp): Test =>
  (d) =>
    pattern.test(d.given.expr);

/** Whether two canonical texts differ in order alone. */
function samePieces(a: string, b: string): boolean {
  const sorted = (text: string): string => Array.from(text).toSorted().join("");
  return a.length === b.length && sorted(a) === sorted(b);
}

const refusedBadConstant = failed("invalid_literal");

const CEL_GO: readonly Omit<Rule, "oracle">[] = [
  {
    name: "an optional field of a scalar is none; ours is an error, as without the question mark",
    explains: both(tagged("optionals"), failed("no such overload: '.")),
  },
  {
    name: "counts the seconds of a duration by way of a double",
    explains: both(tagged("duration part"), (d) => d.ours.startsWith("int:") && d.theirs.startsWith("int:")),
  },
  {
    name: "a comparison with NaN is false, whatever the type of the other side",
    explains: both(written(/[<>]/), (d) => /applied to \(.*double/.test(d.why)),
  },
  { name: "the least int modulo -1 overflows; it is 0", explains: both(theyFail, written(/%/)) },
  { name: "an optional index into what has none is none", explains: failed("'[]' applied to") },
  {
    name: "its checker settles a dyn operand of + by the other one",
    explains: both((d) => d.theirs === "refused", written(/dyn\(.*\+|\+.*dyn\(/)),
  },
  {
    name: "refuses t and z in lower case, which RFC 3339 allows",
    explains: both(theyFail, tagged("ascii"), written(/timestamp\(/)),
  },
  {
    name: "its checker finds no type for branches that are maps of two types",
    explains: both((d) => d.theirs === "refused", written(/\?.*\{/)),
  },
  {
    name: "evaluates what stands for a missing optional of a dyn at once",
    explains: both(theyFail, tagged("optionals")),
  },
  {
    name: "a list added to an empty one has the type of the second",
    explains: both(written(/\[\]/), failed("expected ")),
  },
  { name: "looking in a map for what can be no key is an error", explains: both(theyFail, tagged("in")) },
  {
    name: "accepts a key that stands twice in a map; the specification makes it an error",
    explains: failed("duplicate_key"),
  },
  {
    name: "accepts keys of any type in a map whose types are known at run time only",
    explains: either(failed("unsupported_key"), failed("the key of a map must be")),
  },
  { name: "accepts base64 whose last digit has stray bits", explains: failed("invalid base64 text") },
  {
    name: "answers -1 from beyond a string's end; the specification's tests make it an error",
    explains: both(tagged("indexOf from"), failed("index out of range")),
  },
  {
    name: "looks at the replacement of regex.replace only where something matches",
    explains: either(
      failed("replacement names group"),
      both(tagged("regex"), written(/\\1/), (d) => d.ours === "error"),
    ),
  },
  {
    name: "has() of what is neither map nor message is false; the specification makes it an error",
    explains: both(tagged("has"), (d) => d.ours === "error"),
  },
  {
    name: "has() may ask for a field of a map without string keys; ours refuses what is never there",
    explains: failed("has no fields"),
  },
  {
    name: "a bad constant in a part that is not evaluated goes unseen; ours is refused when it is compiled",
    explains: refusedBadConstant,
  },
  {
    name: "the type of an empty literal's elements is open, and each checker settles it otherwise",
    explains: both(written(/\{\}|\[\]/), (d) => d.ours === "refused" || d.theirs === "refused"),
  },
  {
    name: "finds no overload of math.least and math.greatest for lists made by distinct() of a dyn",
    explains: both(theyFail, written(/math\.(least|greatest)\(.*distinct/)),
  },
  {
    name: "has no indexOf and lastIndexOf of lists (they are Kubernetes')",
    explains: both(theyFail, written(/ndexOf/)),
  },
  { name: "does not know the type of distinct() of a dyn", explains: both(theyFail, written(/dyn\(.*distinct/)) },
  { name: "sorts lists with NaN into any order", explains: failed("NaN has no place in an order") },
  {
    name: "checks the types of a literal format call that is never evaluated",
    explains: both(theyFail, tagged("format")),
  },
  {
    name: "writes durations by way of a double",
    explains: both(written(/string\(|format\(/), either(uses("duration"), tagged("time"), written(/duration\(/))),
  },
  {
    name: "the order of a map's entries is left to the engine",
    explains: either((d) => samePieces(d.ours, d.theirs), both(tagged("map range"), written(/[[(]/))),
  },
  { name: "%s of bytes that are no UTF-8 gives a string that is none", explains: failed("bytes are not valid utf-8") },
  { name: "bytes count as an empty range", explains: failed("cannot iterate over") },
  {
    name: "differences of timestamps near 292 years overflow on the way",
    explains: both(theyFail, tagged("time"), (d) =>
      `${d.given.expr}${JSON.stringify(d.given.input["z"])}`.includes("2562047h"),
    ),
  },
];

/** What both JavaScript engines do otherwise, having no checker. */
const UNCHECKED: readonly Omit<Rule, "oracle">[] = [
  {
    name: "compares ints and doubles exactly; the specification's tests have it as doubles",
    explains: tagged("mixed numbers"),
  },
  {
    name: "a list that holds NaN equals itself, or is an error to compare",
    explains: both(uses("double"), written(/==|!=/)),
  },
  {
    name: "has no static types: what ours refuses for its types, it evaluates",
    explains: (d) => /^(no_matching_overload|type_mismatch|undefined_field|unsupported)/.test(d.why),
  },
  {
    name: "a bad constant in a part that is not evaluated goes unseen; ours is refused when it is compiled",
    explains: refusedBadConstant,
  },
  {
    name: "orders strings by UTF-16 units",
    explains: both(tagged("order:string", "order:dyn"), written(/[<>]/), (d) => usesBeyondBmp(d)),
  },
];

function usesBeyondBmp(d: Disagreement): boolean {
  return /[\ud800-\udfff\uff5e]/.test(`${d.given.expr}${JSON.stringify(d.given.input)}`);
}

/** Whether a variable that the expression uses holds a value of a type somewhere. */
function uses(...kinds: readonly string[]): Test {
  return (d) =>
    Object.entries(d.given.input).some(
      ([name, value]) =>
        new RegExp(`\\b${name}\\b`).test(d.given.expr) &&
        kinds.some((kind) => JSON.stringify(value).includes(`["${kind}",`)),
    );
}

const BUFBUILD: readonly Omit<Rule, "oracle">[] = [
  ...UNCHECKED,
  { name: "has no indexOf and lastIndexOf of lists", explains: both(theyFail, written(/ndexOf/)) },
  {
    name: "timestamps and durations inside maps and lists cannot be read back",
    explains: both(theyFail, either(uses("timestamp", "duration"), tagged("time"))),
  },
  { name: "timestamp(int) counts milliseconds", explains: written(/timestamp\(/) },
  {
    name: "a key whose value is null is not there",
    explains: both(tagged("has", "in"), (d) => /null/.test(`${d.given.expr}${JSON.stringify(d.given.input)}`)),
  },
  { name: "fails to look for what can be no key in a map", explains: both(theyFail, tagged("in")) },
  { name: "takes the parts of a timestamp wrongly at the ends of the range", explains: tagged("time part") },
  { name: "double() of any text that is no number is NaN", explains: failed("invalid double") },
  { name: "duration('') is zero", explains: failed("invalid duration") },
  { name: "int(duration) counts seconds", explains: both(uses("duration"), written(/int\(/)) },
  {
    name: "string(double) is JavaScript's: 1e-7, Infinity, and 0 for -0.0",
    explains: either(tagged("string(double)"), both(written(/string\(/), either(uses("double"), written(/double\(/)))),
  },
  {
    name: "indices of strings count UTF-16 units",
    explains: both(tagged("strings", "indexOf from", "size"), (d) => usesBeyondBmp(d)),
  },
  {
    name: "has() of what is neither map nor message is false; the specification makes it an error",
    explains: both(tagged("has"), (d) => d.ours === "error"),
  },
  {
    name: "pads the fraction of timestamps and durations to three, six or nine digits",
    explains: both(written(/string\(/), either(uses("timestamp", "duration"), written(/(timestamp|duration)\(/))),
  },
  {
    name: "int() and uint() of blank text are zero",
    explains: either(failed('invalid int: "'), failed('invalid uint: "')),
  },
  { name: "takes 30 February for 1 March", explains: failed("its month has no such day") },
  { name: "lone surrogates become U+FFFD in bytes", explains: failed("not well-formed unicode") },
  { name: "negating the least int overflows unseen", explains: both(failed("integer overflow"), written(/-\(/)) },
  { name: "duration(int) counts something", explains: failed("'duration' applied to (int)") },
  { name: "minus leaves what is no number as it is", explains: failed("'-' applied to") },
  { name: "true and false index a list", explains: failed("'[]' applied to (list, bool)") },
  { name: "indexOf from right at the end is an error", explains: both(theyFail, tagged("indexOf from")) },
  {
    name: "fails to divide uints beyond 2^63",
    explains: both(theyFail, written(/[/%]/), either(uses("uint"), tagged("uint()"), written(/\du\b/))),
  },
  {
    name: "swaps the ends of a substring, and splits by a limit as JavaScript does",
    explains: either(failed("invalid substring range"), tagged("split")),
  },
];
const MARCBACHMANN: readonly Omit<Rule, "oracle">[] = [
  ...UNCHECKED,
  { name: "an empty list added to another makes it one of unknown type", explains: both(theyFail, written(/\[\]/)) },
  {
    name: "map literals are JavaScript objects: keys become strings, doubled ones are taken, __proto__ and constructor get lost",
    explains: written(/\{/),
  },
  { name: "cuts timestamps to milliseconds", explains: either(uses("timestamp"), written(/timestamp\(/)) },
  { name: "takes literals of bytes, and bytes as text, for Latin-1", explains: either(written(/b'/), uses("bytes")) },
  { name: "does not convert uints to ints", explains: both(theyFail, written(/int\(/)) },
  {
    name: "int() of a double and uint() of text leave their ranges",
    explains: either(failed("integer out of range"), failed('invalid uint: ""'), failed('invalid int: ""')),
  },
  { name: "lone surrogates become U+FFFD in bytes", explains: failed("not well-formed unicode") },
  { name: "lacks functions of strings", explains: both(theyFail, tagged("strings", "indexOf from", "join", "split")) },
  {
    name: "indices of strings count UTF-16 units",
    explains: both(tagged("strings", "indexOf from"), (d) => usesBeyondBmp(d)),
  },
  {
    name: "takes indices beyond a string and negative limits as JavaScript does",
    explains: either(failed("index out of range"), failed("invalid substring range"), tagged("split")),
  },
  {
    name: "string(double) is JavaScript's",
    explains: either(tagged("string(double)"), both(written(/string\(/), either(uses("double"), written(/double\(/)))),
  },
  {
    name: "uint() of what has no static type stays an int",
    explains: both(written(/uint\(/), (d) => d.ours.startsWith("uint:") && d.theirs === d.ours.slice(1)),
  },
  {
    name: "does not write durations",
    explains: both(theyFail, written(/string\(/), either(uses("duration"), written(/duration\(/))),
  },
  { name: "macros go over scalars as over nothing", explains: failed("cannot iterate over") },
  {
    name: "has() of scalars is false, or true for what every JavaScript object has; of what an expression makes, an error",
    explains: tagged("has"),
  },
  { name: "an int equals no uint in a list", explains: tagged("in") },
  { name: "does not order bytes", explains: both(theyFail, tagged("order:bytes")) },
  { name: "negating the least int overflows unseen", explains: failed("integer overflow") },
  { name: "double() of text that is no number is that text", explains: failed("invalid double") },
];

export const RULES: readonly Rule[] = [
  ...CEL_GO.map((rule): Rule => ({ oracle: "cel-go", ...rule })),
  ...BUFBUILD.map((rule): Rule => ({ oracle: "bufbuild", ...rule })),
  ...MARCBACHMANN.map((rule): Rule => ({ oracle: "marcbachmann", ...rule })),
];

/** The rule that explains a disagreement, if one does. */
export function explain(disagreement: Disagreement): Rule | undefined {
  return RULES.find((rule) => rule.oracle === disagreement.oracle && rule.explains(disagreement));
}
