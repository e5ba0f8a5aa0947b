import type { FunctionDeclaration, Library, MacroBuilder, MacroDeclaration, Overload } from "../declarations.ts";
import type { Node } from "../ast.ts";
import { mapSize, isMap } from "../maps.ts";
import { BOOL, listOf, optionalOf, paramOf } from "../types.ts";
import { Boxed, CelError, Double, Duration, Optional, Timestamp, Uint, type ListValue, type Value } from "../values.ts";

const V = paramOf("V");
const OPTIONAL_V = optionalOf(V);
const NONE = new CelError("invalid_argument", "optional.none() has no value");

/** Whether a value is that which a type starts from: zero, empty, false, null. */
export function isZero(value: Value): boolean {
  if (value === null || value === false || value === "") return true;
  if (typeof value === "number") return value === 0;
  if (value instanceof Uint8Array || Array.isArray(value)) return (value as ListValue | Uint8Array).length === 0;
  if (value instanceof Boxed) {
    if (value instanceof Uint || value instanceof Double) return value.value === 0;
    if (value instanceof Duration) return value.seconds === 0 && value.nanos === 0;
    if (value instanceof Optional) return value.value === undefined;
    return value instanceof Timestamp && value.seconds === 0 && value.nanos === 0;
  }
  return isMap(value) && mapSize(value) === 0;
}

function declare(
  name: string,
  doc: string,
  overload: Overload,
  ...examples: readonly (readonly [string, string])[]
): FunctionDeclaration {
  return {
    name,
    doc,
    overloads: [overload],
    examples: examples.map(([expression, result]) => ({ expression, result })),
  };
}

const FUNCTIONS: readonly FunctionDeclaration[] = [
  declare(
    "optional.of",
    "An optional with a value.",
    { id: "optional_of", params: [V], result: OPTIONAL_V, total: true, call: (value: Value) => new Optional(value) },
    ["optional.of(1).hasValue()", "true"],
  ),
  declare(
    "optional.ofNonZeroValue",
    "An optional with a value, or without one if it is zero, empty, false or null.",
    {
      id: "optional_of_non_zero_value",
      params: [V],
      result: OPTIONAL_V,
      total: true,
      call: (value: Value) => (isZero(value) ? Optional.none : new Optional(value)),
    },
    ["optional.ofNonZeroValue('').hasValue()", "false"],
  ),
  declare(
    "optional.none",
    "An optional without a value.",
    { id: "optional_none", params: [], result: OPTIONAL_V, total: true, call: () => Optional.none },
    ["optional.none().hasValue()", "false"],
  ),
  declare(
    "hasValue",
    "Whether an optional has a value.",
    {
      id: "optional_has_value",
      member: true,
      params: [OPTIONAL_V],
      result: BOOL,
      total: true,
      call: (self: Optional) => self.value !== undefined,
    },
    ["{'a': 1}.?a.hasValue()", "true"],
  ),
  declare(
    "value",
    "The value of an optional; an error where there is none.",
    {
      id: "optional_value",
      member: true,
      params: [OPTIONAL_V],
      result: V,
      call: (self: Optional) => (self.value === undefined ? NONE : self.value),
    },
    ["{'a': 1}.?a.value()", "1"],
  ),
  declare(
    "or",
    "This optional if it has a value, else the other.",
    {
      id: "optional_or_optional",
      member: true,
      params: [OPTIONAL_V, OPTIONAL_V],
      result: OPTIONAL_V,
      total: true,
      call: (self: Optional, other: Optional) => (self.value === undefined ? other : self),
    },
    ["{'a': 1}.?b.or(optional.of(2)).value()", "2"],
  ),
  declare(
    "orValue",
    "The value of an optional, or another where there is none.",
    {
      id: "optional_or_value",
      member: true,
      params: [OPTIONAL_V, V],
      result: V,
      total: true,
      call: (self: Optional, other: Value) => (self.value === undefined ? other : self.value),
    },
    ["{'a': 1}.?b.orValue(2)", "2"],
  ),
  declare(
    "optional.unwrap",
    "The values of those optionals of a list that have one.",
    {
      id: "optional_unwrap",
      params: [listOf(OPTIONAL_V)],
      result: listOf(V),
      call: unwrap,
    },
    ["optional.unwrap([optional.of(1), optional.none()])", "[1]"],
  ),
  declare(
    "unwrapOpt",
    "The values of those optionals of a list that have one.",
    {
      id: "optional_unwrap_opt",
      member: true,
      params: [listOf(OPTIONAL_V)],
      result: listOf(V),
      call: unwrap,
    },
    ["[optional.of(1), optional.none()].unwrapOpt()", "[1]"],
  ),
];

function unwrap(list: ListValue): ListValue | CelError {
  const values: Value[] = [];
  for (const item of list) {
    if (!(item instanceof Optional)) return new CelError("no_such_overload", "expected a list of optionals");
    if (item.value !== undefined) values.push(item.value);
  }
  return values;
}

/** `optMap` and `optFlatMap`: the receiver is bound, so it is evaluated once. */
function mapping(name: string, doc: string, flat: boolean, example: readonly [string, string]): MacroDeclaration {
  return {
    name,
    member: true,
    arity: 2,
    signature: `optional.${name}(x, expression)`,
    doc,
    examples: [{ expression: example[0], result: example[1] }],
    expand: (builder, target, [name, body]) => {
      if (target === undefined || name === undefined || body === undefined) return undefined;
      const variable = builder.variable(name);
      if (variable === undefined) return builder.error("expected a simple variable name", name);
      return expandMapping(builder, target, variable, body, flat);
    },
  };
}

function expandMapping(builder: MacroBuilder, target: Node, variable: string, body: Node, flat: boolean): Node {
  const self = (): Node => builder.ident("@optional");
  // The receiver's name must not be seen inside of the body, where another optMap may stand; it is not,
  // since an inner one binds the name anew and no expression can write it.
  const value = builder.bind(variable, builder.call("value", [], self()), body);
  const some = flat ? value : builder.call("optional.of", [value]);
  const none = builder.call("optional.none", []);
  const test = builder.call("hasValue", [], self());
  return builder.bind("@optional", target, builder.call("_?_:_", [test, some, none]));
}

export const OPTIONALS: Library = {
  name: "optionals",
  doc: "Values that may be missing: `a.?b`, `a[?b]`, `[?a]`, `{?k: a}` and what to do with them.",
  functions: FUNCTIONS,
  macros: [
    mapping("optMap", "An optional of what becomes of the value, none where there is none.", false, [
      "optional.of(1).optMap(x, x + 1).value()",
      "2",
    ]),
    mapping("optFlatMap", "What becomes of the value, itself an optional; none where there is none.", true, [
      "{'a': {'b': 1}}.?a.optFlatMap(x, x.?b).value()",
      "1",
    ]),
  ],
};
