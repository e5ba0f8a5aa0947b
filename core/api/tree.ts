/** A document's tree, whatever it was written in, with places in its text (offsets in UTF-16 units). */
export type Tree = MapTree | ListTree | ScalarTree;

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface MapTree extends Span {
  readonly kind: "map";
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly key: string;
  readonly at: Span;
  readonly value: Tree;
}

export interface ListTree extends Span {
  readonly kind: "list";
  readonly items: readonly Tree[];
}

export interface ScalarTree extends Span {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly style: "plain" | "single" | "double" | "block";
}

/** What a value is, in words, for "must be a list, but is …". */
export function describe(tree: Tree): string {
  if (tree.kind !== "scalar") return `a ${tree.kind}`;
  if (tree.value === null) return "empty (null)";
  return typeof tree.value === "string" ? "a string" : `the ${typeof tree.value} ${String(tree.value)}`;
}

/** The child of that name; undefined where there is none. */
export function child(tree: Tree | undefined, key: string): Entry | undefined {
  return tree?.kind === "map" ? tree.entries.find((entry) => entry.key === key) : undefined;
}

/** A scalar string's value; undefined for all else. */
export function textOf(tree: Tree | undefined): string | undefined {
  return tree?.kind === "scalar" && typeof tree.value === "string" ? tree.value : undefined;
}
