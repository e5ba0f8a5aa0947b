import { equals } from "./equality.ts";
import { toJson } from "./json.ts";
import type { Int, Value } from "./values.ts";

interface Base {
  /** What two atoms have in common if they speak of the same expression. */
  readonly key: string;
  /** The expression as it was written. */
  readonly text: string;
  /** What its value is never below. */
  readonly floor: number | undefined;
}

/** One thing that a condition says of one expression. */
export type Atom = Base &
  (
    | { readonly kind: "equal"; readonly values: readonly Value[]; readonly wanted: boolean }
    | { readonly kind: "prefix"; readonly value: string; readonly wanted: boolean }
    | { readonly kind: "below" | "above"; readonly value: Int; readonly strict: boolean }
  );

/** Why atoms cannot all hold, if they cannot. */
export function contradiction(atoms: readonly Atom[]): string | undefined {
  const groups = new Map<string, Atom[]>();
  for (const atom of atoms) {
    const group = groups.get(atom.key);
    if (group === undefined) groups.set(atom.key, [atom]);
    else group.push(atom);
  }
  for (const group of groups.values()) {
    const reason = within(group);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function within(atoms: readonly Atom[]): string | undefined {
  const text = atoms[0]?.text ?? "";
  // What is left of the values it must be one of, told which statement left none.
  let left: readonly Value[] | undefined;
  for (const atom of atoms) {
    if (atom.kind !== "equal" || !atom.wanted) continue;
    const before = left;
    left = before === undefined ? atom.values : before.filter((value) => contains(atom.values, value));
    if (left.length > 0) continue;
    if (before === undefined) return `${text} is in no empty list`;
    return `${text} cannot be both ${list(before)} and ${list(atom.values)}`;
  }
  if (left === undefined) return between(atoms, text);
  let rest: readonly Value[] = left;
  for (const atom of atoms) {
    const before = rest;
    rest = before.filter((value) => admits(atom, value));
    if (rest.length === 0) return `${text} cannot be ${list(before)} and ${describe(atom)}`;
  }
  return undefined;
}

function contains(values: readonly Value[], value: Value): boolean {
  return values.some((other) => equals(other, value));
}

/** Whether a value is one of which the atom holds. */
function admits(atom: Atom, value: Value): boolean {
  switch (atom.kind) {
    case "equal":
      return contains(atom.values, value) === atom.wanted;
    case "prefix":
      return typeof value === "string" ? value.startsWith(atom.value) === atom.wanted : true;
    case "below":
    case "above": {
      if (typeof value !== "number" && typeof value !== "bigint") return true;
      const [low, high] = atom.kind === "below" ? [value, atom.value] : [atom.value, value];
      return atom.strict ? low < high : low <= high;
    }
  }
}

/** Bounds that leave nothing between them, and prefixes that exclude each other. */
function between(atoms: readonly Atom[], text: string): string | undefined {
  const floor = atoms[0]?.floor;
  let low: bigint | undefined = floor === undefined ? undefined : BigInt(floor);
  let high: bigint | undefined;
  for (const atom of atoms) {
    if (atom.kind !== "below" && atom.kind !== "above") continue;
    const limit = BigInt(atom.value) + (atom.strict ? (atom.kind === "below" ? -1n : 1n) : 0n);
    if (atom.kind === "above") low = low === undefined || limit > low ? limit : low;
    else high = high === undefined || limit < high ? limit : high;
  }
  if (low !== undefined && high !== undefined && low > high)
    return `${text} cannot be at least ${low} and at most ${high}`;
  return prefixes(atoms, text);
}

function prefixes(atoms: readonly Atom[], text: string): string | undefined {
  const wanted = atoms.flatMap((atom) => (atom.kind === "prefix" && atom.wanted ? [atom.value] : []));
  const unwanted = atoms.flatMap((atom) => (atom.kind === "prefix" && !atom.wanted ? [atom.value] : []));
  const longest = wanted.reduce((a, b) => (b.length > a.length ? b : a), "");
  const other = wanted.find((prefix) => !longest.startsWith(prefix));
  if (other !== undefined) return `${text} cannot start with both ${show(other)} and ${show(longest)}`;
  const denied = unwanted.find((prefix) => longest.startsWith(prefix));
  return denied === undefined || (wanted.length === 0 && denied !== "")
    ? undefined
    : `${text} cannot start with ${show(longest)} and not with ${show(denied)}`;
}

function describe(atom: Atom): string {
  switch (atom.kind) {
    case "equal":
      return `${atom.wanted ? "" : "not "}${list(atom.values)}`;
    case "prefix":
      return `${atom.wanted ? "" : "not "}start with ${show(atom.value)}`;
    case "below":
      return `${atom.strict ? "less than" : "at most"} ${String(atom.value)}`;
    case "above":
      return `${atom.strict ? "more than" : "at least"} ${String(atom.value)}`;
  }
}

function show(value: Value): string {
  return JSON.stringify(toJson(value));
}

function list(values: readonly Value[]): string {
  const shown = values.slice(0, 3).map(show).join(" or ");
  return values.length > 3 ? `${shown} or …` : shown;
}
