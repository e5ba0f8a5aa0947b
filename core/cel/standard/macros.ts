import type { FoldOp, Node } from "../ast.ts";
import type { Library, MacroBuilder, MacroDeclaration, MacroError } from "../declarations.ts";

/** The variables of a macro, or what is wrong with them. */
function variables(
  builder: MacroBuilder,
  nodes: readonly Node[],
): readonly [string] | readonly [string, string] | MacroError {
  const names: string[] = [];
  for (const node of nodes) {
    const name = builder.variable(node);
    if (name === undefined) return builder.error("expected a simple variable name", node);
    if (names.includes(name)) return builder.error(`the variable '${name}' is named twice`, node);
    names.push(name);
  }
  const [first = "", second] = names;
  return second === undefined ? [first] : [first, second];
}

/** A macro over a list or a map with one or two variables, perhaps a filter, and a body. */
function fold(
  name: string,
  op: FoldOp,
  count: 1 | 2,
  filtered: boolean,
  text: { readonly doc: string; readonly example: readonly [string, string] },
): MacroDeclaration {
  const names = count === 1 ? "x" : "i, v";
  return {
    name,
    member: true,
    arity: count + (filtered ? 2 : 1),
    signature: `range.${name}(${names}${filtered ? ", filter" : ""}, ${BODIES[op]})`,
    doc: text.doc,
    examples: [{ expression: text.example[0], result: text.example[1] }],
    expand: (builder, target, args) => {
      const bound = variables(builder, args.slice(0, count));
      if ("kind" in bound) return bound;
      const filter = filtered ? args[count] : undefined;
      const body = args[filtered ? count + 1 : count];
      if (target === undefined || body === undefined) return undefined;
      return builder.fold(op, target, bound, body, filter);
    },
  };
}

const BODIES: Readonly<Record<FoldOp, string>> = {
  all: "condition",
  exists: "condition",
  exists_one: "condition",
  filter: "condition",
  map: "value",
  transformList: "value",
  transformMap: "value",
  transformMapEntry: "{key: value}",
};

const has: MacroDeclaration = {
  name: "has",
  member: false,
  arity: 1,
  signature: "has(value.field)",
  doc: "Whether a field or a key is there. A key whose value is null is there.",
  examples: [
    { expression: "has({'a': 1}.a)", result: "true" },
    { expression: "has({'a': null}.a)", result: "true" },
    { expression: "has({'a': 1}.b)", result: "false" },
  ],
  expand: (builder, _target, [argument]) => {
    if (argument === undefined) return undefined;
    if (argument.kind !== "select" || argument.test || argument.optional) {
      return builder.error("invalid argument to has(): expected a field selection such as a.b", argument);
    }
    return { ...argument, test: true };
  },
};

const EXISTS =
  "Whether the condition holds for some element of a list, or key of a map. Errors count only if it holds for none.";
const ALL =
  "Whether the condition holds for all elements of a list, or keys of a map. Errors count only if it fails for none.";
const ONE = "Whether the condition holds for exactly one element of a list, or key of a map.";
const TWO = "With two variables they are index and element of a list, or key and value of a map.";

/** The macros of the specification. */
export const MACROS: Library = {
  name: "macros",
  doc: "Macros over lists and maps.",
  functions: [],
  macros: [
    has,
    fold("all", "all", 1, false, { doc: ALL, example: ["[1, 2].all(x, x > 0)", "true"] }),
    fold("exists", "exists", 1, false, { doc: EXISTS, example: ["[1, 2].exists(x, x > 1)", "true"] }),
    fold("exists_one", "exists_one", 1, false, { doc: ONE, example: ["[1, 2].exists_one(x, x > 1)", "true"] }),
    fold("existsOne", "exists_one", 1, false, { doc: ONE, example: ["[1, 2].existsOne(x, x > 0)", "false"] }),
    fold("map", "map", 1, false, {
      doc: "What becomes of each element of a list, or key of a map.",
      example: ["[1, 2].map(x, x * 2)", "[2, 4]"],
    }),
    fold("map", "map", 1, true, {
      doc: "What becomes of each element that the filter lets through.",
      example: ["[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"],
    }),
    fold("filter", "filter", 1, false, {
      doc: "The elements of a list, or keys of a map, for which the condition holds.",
      example: ["[1, 2, 3].filter(x, x > 1)", "[2, 3]"],
    }),
  ],
};

/** Macros with two variables, as cel-go's two-variable comprehensions. */
export const COMPREHENSIONS: Library = {
  name: "comprehensions",
  doc: "Macros over lists and maps with two variables: index and element, or key and value.",
  functions: [],
  macros: [
    fold("all", "all", 2, false, { doc: `${ALL} ${TWO}`, example: ["{'a': 1}.all(k, v, k == 'a' && v == 1)", "true"] }),
    fold("exists", "exists", 2, false, {
      doc: `${EXISTS} ${TWO}`,
      example: ["[5, 6].exists(i, v, i == 1 && v == 6)", "true"],
    }),
    fold("exists_one", "exists_one", 2, false, {
      doc: `${ONE} ${TWO}`,
      example: ["[5, 6].exists_one(i, v, v == 6)", "true"],
    }),
    fold("existsOne", "exists_one", 2, false, {
      doc: `${ONE} ${TWO}`,
      example: ["[5, 6].existsOne(i, v, v == 6)", "true"],
    }),
    fold("transformList", "transformList", 2, false, {
      doc: `A list of what becomes of each element. ${TWO}`,
      example: ["[5, 6].transformList(i, v, i + v)", "[5, 7]"],
    }),
    fold("transformList", "transformList", 2, true, {
      doc: `A list of what becomes of each element that the filter lets through. ${TWO}`,
      example: ["[5, 6].transformList(i, v, i > 0, v)", "[6]"],
    }),
    fold("transformMap", "transformMap", 2, false, {
      doc: `A map with the same keys (of a list: its indices) and new values. ${TWO}`,
      example: ["{'a': 1}.transformMap(k, v, v + 1)", "{'a': 2}"],
    }),
    fold("transformMap", "transformMap", 2, true, {
      doc: `A map with new values for the entries that the filter lets through. ${TWO}`,
      example: ["{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v + 1)", "{'b': 3}"],
    }),
    fold("transformMapEntry", "transformMapEntry", 2, false, {
      doc: `A map of new entries, each made by a map with one entry; a key that comes twice is an error. ${TWO}`,
      example: ["{'a': 'b'}.transformMapEntry(k, v, {v: k})", "{'b': 'a'}"],
    }),
    fold("transformMapEntry", "transformMapEntry", 2, true, {
      doc: `A map of new entries for those that the filter lets through. ${TWO}`,
      example: ["{'a': 1, 'b': 2}.transformMapEntry(k, v, v > 1, {v: k})", "{2: 'b'}"],
    }),
  ],
};

const bind: MacroDeclaration = {
  name: "cel.bind",
  member: false,
  arity: 3,
  signature: "cel.bind(name, value, expression)",
  doc: "The value of an expression in which a name stands for a value that is computed once.",
  examples: [{ expression: "cel.bind(x, 'a' + 'b', x + x)", result: "'abab'" }],
  expand: (builder, _target, [name, value, body]) => {
    if (name === undefined || value === undefined || body === undefined) return undefined;
    const variable = builder.variable(name);
    if (variable === undefined) return builder.error("cel.bind() needs a simple variable name", name);
    return builder.bind(variable, value, body);
  },
};

export const BINDINGS: Library = { name: "bindings", doc: "Local variables.", functions: [], macros: [bind] };

/** A name for `cel.block`'s slots and variables that no expression can write. */
function slot(name: string, prefix: string, arity: number): MacroDeclaration {
  return {
    name,
    member: false,
    arity,
    signature: `${name}(${arity === 1 ? "n" : "n, m"})`,
    doc: "A name inside of cel.block.",
    examples: [],
    expand: (builder, _target, args) => {
      const parts: string[] = [];
      for (const arg of args) {
        const index = arg.kind === "literal" && typeof arg.value === "number" ? arg.value : -1;
        if (index < 0) return builder.error(`${name}() needs constant numbers from 0`, arg);
        parts.push(String(index));
      }
      return builder.ident(`@${prefix}${parts.join("_")}`);
    },
  };
}

/** `cel.block`: common subexpressions by number, which optimisers write. Not for people, so no policy has it. */
export const BLOCK: Library = {
  name: "block",
  doc: "Common subexpressions by number.",
  functions: [],
  macros: [
    slot("cel.index", "index", 1),
    slot("cel.iterVar", "it", 2),
    slot("cel.accuVar", "ac", 2),
    {
      name: "cel.block",
      member: false,
      arity: 2,
      signature: "cel.block([values], expression)",
      doc: "The value of an expression in which cel.index(n) stands for the n-th value.",
      examples: [{ expression: "cel.block([1, cel.index(0) + 1], cel.index(1))", result: "2" }],
      expand: (builder, _target, [slots, body]) => {
        if (slots === undefined || body === undefined) return undefined;
        if (slots.kind !== "list" || slots.optional.length > 0) {
          return builder.error("cel.block() needs a list of expressions", slots);
        }
        return slots.elements.reduceRight((inner, value, i) => builder.bind(`@index${i}`, value, inner), body);
      },
    },
  ],
};
