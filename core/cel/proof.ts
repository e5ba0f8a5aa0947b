import type { Constant } from "./program.ts";
import { contradiction, type Atom } from "./proof-atoms.ts";
import { children, type TypedNode } from "./typed.ts";
import { isKey } from "./maps.ts";
import type { Value } from "./values.ts";

/** Alternatives that are followed before giving up. */
const MAX_CLAUSES = 64;
const MAX_ATOMS = 256;
/** Longest text by which a sub-expression is known again. */
const MAX_KEY = 400;

/**
 * Whether a condition has the same value whatever its variables are (unless it is an error), and why.
 * Sound, not complete: it sees through `&&`, `||`, `!` and the ternary, and knows what comparisons,
 * `in` and `startsWith` with constants say of one and the same expression.
 */
export function provenConstant(source: string, root: TypedNode): Constant | undefined {
  if (root.kind === "const") return { value: root.value, reason: "it does not depend on any variable" };
  if (root.type.kind !== "bool") return undefined;
  const never = impossible(source, root, true);
  if (never !== undefined) return { value: false, reason: never };
  const always = impossible(source, root, false);
  return always === undefined ? undefined : { value: true, reason: `its opposite cannot be: ${always}` };
}

/** Why a condition cannot have a value. */
function impossible(source: string, node: TypedNode, wanted: boolean): string | undefined {
  const clauses = expand(source, node, wanted);
  if (clauses === undefined) return undefined;
  let reason = "it is made so by its constants";
  for (const clause of clauses) {
    const found = contradiction(clause);
    if (found === undefined) return undefined;
    reason = found;
  }
  return reason;
}

type Clause = readonly Atom[];

/** The alternatives, each a list of atoms that hold together, in which a condition has a value; undefined: too many. */
function expand(source: string, node: TypedNode, wanted: boolean): readonly Clause[] | undefined {
  if (node.kind === "const") return node.value === wanted ? [[]] : [];
  if (node.kind === "operator") {
    const [a, b, c] = node.args;
    if (node.name === "!_" && a !== undefined) return expand(source, a, !wanted);
    if ((node.name === "_&&_" || node.name === "_||_") && a !== undefined && b !== undefined) {
      const both = (node.name === "_&&_") === wanted;
      const [x, y] = [expand(source, a, wanted), expand(source, b, wanted)];
      return both ? product(x, y) : union(x, y);
    }
    if (node.name === "_?_:_" && a !== undefined && b !== undefined && c !== undefined) {
      const yes = product(expand(source, a, true), expand(source, b, wanted));
      return union(yes, product(expand(source, a, false), expand(source, c, wanted)));
    }
  }
  const atom = atomOf(source, node, wanted);
  return [atom === undefined ? [] : [atom]];
}

function union(a: readonly Clause[] | undefined, b: readonly Clause[] | undefined): readonly Clause[] | undefined {
  if (a === undefined || b === undefined || a.length + b.length > MAX_CLAUSES) return undefined;
  return [...a, ...b];
}

function product(a: readonly Clause[] | undefined, b: readonly Clause[] | undefined): readonly Clause[] | undefined {
  // Where one side cannot be, neither can both, however many ways the other has.
  if (a?.length === 0 || b?.length === 0) return [];
  if (a === undefined || b === undefined || a.length * b.length > MAX_CLAUSES) return undefined;
  const clauses = a.flatMap((left) => b.map((right) => [...left, ...right]));
  return clauses.some((clause) => clause.length > MAX_ATOMS) ? undefined : clauses;
}

const MIRRORED: Readonly<Record<string, string>> = { "_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_" };

/** What a condition says of one expression, if it is of the kinds that are understood. */
function atomOf(source: string, node: TypedNode, wanted: boolean): Atom | undefined {
  if (node.kind === "operator") {
    const [a, b] = node.args;
    if (a !== undefined && b?.kind === "const") return comparison(source, node.name, a, b.value, wanted);
    if (a?.kind === "const" && b !== undefined && node.name !== "@in") {
      return comparison(source, MIRRORED[node.name] ?? node.name, b, a.value, wanted);
    }
  }
  if (node.kind === "function" && node.name === "startsWith" && node.member) {
    const [subject, prefix] = node.args;
    if (subject !== undefined && prefix?.kind === "const" && typeof prefix.value === "string") {
      return atom(source, subject, { kind: "prefix", value: prefix.value, wanted });
    }
  }
  return atom(source, node, { kind: "equal", values: [wanted], wanted: true });
}

function comparison(source: string, name: string, node: TypedNode, value: Value, wanted: boolean): Atom | undefined {
  switch (name) {
    case "_==_":
    case "_!=_":
      return isComparable(node, value)
        ? atom(source, node, { kind: "equal", values: [value], wanted: wanted === (name === "_==_") })
        : undefined;
    case "@in": {
      if (!Array.isArray(value)) return undefined;
      const values = value as readonly Value[];
      return values.every((item) => isComparable(node, item))
        ? atom(source, node, { kind: "equal", values, wanted })
        : undefined;
    }
    case "_<_":
    case "_<=_":
    case "_>_":
    case "_>=_":
      // Not for doubles: of NaN, neither x < 1 nor x >= 1 holds.
      return node.type.kind === "int" && isKey(value) && (typeof value === "number" || typeof value === "bigint")
        ? atom(source, node, bound(name, value, wanted))
        : undefined;
    default:
      return undefined;
  }
}

function bound(name: string, value: number | bigint, wanted: boolean): Statement {
  const below = (name === "_<_" || name === "_<=_") === wanted;
  const strict = (name === "_<_" || name === "_>_") === wanted;
  return { kind: below ? "below" : "above", value, strict };
}

/** Whether inequality of constants tells that an expression cannot equal both: not across numeric types. */
function isComparable(node: TypedNode, value: Value): boolean {
  if (typeof value === "string" || typeof value === "boolean") return true;
  return isKey(value) && (node.type.kind === "int" || node.type.kind === "uint");
}

type Statement = Atom extends infer T ? (T extends Atom ? Omit<T, "key" | "text" | "floor"> : never) : never;

function atom(source: string, node: TypedNode, statement: Statement): Atom | undefined {
  const key = keyOf(node);
  if (key === undefined) return undefined;
  const text = source.slice(node.start, node.end);
  const floor = node.kind === "function" && node.name === "size" ? 0 : undefined;
  return { ...statement, key, text: text.length > 80 ? `${text.slice(0, 80)}…` : text, floor };
}

/** A text that two nodes have in common only if they always have the same value. */
function keyOf(node: TypedNode): string | undefined {
  const parts: string[] = [];
  let length = 0;
  const visit = (inner: TypedNode): boolean => {
    const label = labelOf(inner);
    if (label === undefined) return false;
    parts.push(label);
    length += label.length;
    if (length > MAX_KEY || !children(inner).every(visit)) return false;
    parts.push(")");
    return true;
  };
  return visit(node) ? parts.join("") : undefined;
}

function labelOf(node: TypedNode): string | undefined {
  switch (node.kind) {
    case "variable":
      return `${node.name}(`;
    case "field":
      return `.${node.mode} ${node.name}(`;
    case "member":
      return `[${node.mode} ${JSON.stringify(node.key)}(`;
    case "operator":
    case "function":
      return `${node.name}/${node.args.length}(`;
    case "const":
      return isKey(node.value) && typeof node.value !== "object"
        ? `${typeof node.value} ${JSON.stringify(String(node.value))}(`
        : undefined;
    default:
      return undefined;
  }
}
