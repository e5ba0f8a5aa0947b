import { isAlias, isMap, isScalar, isSeq, type Document, type Scalar } from "yaml";
import type { ProblemCode } from "./problem.ts";
import { didYouMean } from "./suggest.ts";
import type { Entry, Span, Tree } from "./tree.ts";

/** Nesting of collections, aliases included. */
export const MAX_DEPTH = 64;
/** Nodes of one file, each alias counted as what it stands for. */
export const MAX_NODES = 100_000;

/** Takes what is wrong, in which field (as people write it), and where. */
export type Report = (code: ProblemCode, message: string, path: string, at: Span) => void;

interface Anchored {
  readonly tree: Tree;
  readonly nodes: number;
  readonly depth: number;
}

/** Where a node hangs. */
interface Place {
  readonly span: Span;
  readonly path: string;
  readonly depth: number;
}

const TOO_DEEP = `is nested more than ${String(MAX_DEPTH)} levels deep`;

/** Turns a composed YAML document into a tree. `budget` counts the nodes of the whole file. */
export class Converter {
  readonly #text: string;
  readonly #budget: { nodes: number };
  readonly #report: Report;
  readonly #anchors = new Map<string, Anchored>();
  #failed = false;

  constructor(text: string, budget: { nodes: number }, report: Report) {
    this.#text = text;
    this.#budget = budget;
    this.#report = report;
  }

  document(document: Document.Parsed): Tree | undefined {
    const [start, end] = document.range;
    const converted = this.#node(document.contents, { span: { start, end }, path: "", depth: 0 });
    return this.#failed ? undefined : converted.tree;
  }

  /** Stops the document: what follows could cost too much, or would mean nothing. */
  #fail(code: ProblemCode, message: string, { path, span }: Place): Anchored {
    this.#failed = true;
    this.#report(code, message, path, span);
    return nothing(span);
  }

  #node(node: unknown, within: Place): Anchored {
    if (this.#failed) return nothing(within.span);
    if (within.depth > MAX_DEPTH) return this.#fail("too_deep", TOO_DEEP, within);
    if (++this.#budget.nodes > MAX_NODES) return this.#tooMany(within);
    const place = hasRange(node) ? { ...within, span: spanOf(node.range, within.span) } : within;
    if (isAlias(node)) return this.#alias(node.source, place);
    if (hasTag(node)) return this.#fail("yaml_unsupported", `the tag ${node.tag} is not supported`, place);
    const converted = this.#content(node, place);
    if (hasAnchor(node)) this.#anchors.set(node.anchor, converted);
    return converted;
  }

  #content(node: unknown, place: Place): Anchored {
    const { span, path } = place;
    const depth = place.depth + 1;
    if (isScalar(node)) return { tree: this.#scalar(node, place), nodes: 1, depth: 0 };
    if (isSeq(node)) {
      const items = node.items.map((item, i) => this.#node(item, { span, path: `${path}[${String(i)}]`, depth }));
      return { tree: { kind: "list", items: items.map(({ tree }) => tree), ...span }, ...sum(items) };
    }
    if (!isMap(node)) return nothing(span);
    const seen = new Set<string>();
    const values: Anchored[] = [];
    const entries: Entry[] = [];
    for (const { key, value } of node.items) {
      const name = this.#key(key, place, seen);
      const converted = this.#node(value ?? null, { span: name.at, path: join(path, name.key), depth });
      values.push(converted);
      entries.push({ ...name, value: converted.tree });
    }
    return { tree: { kind: "map", entries, ...span }, ...sum(values) };
  }

  #key(node: unknown, map: Place, seen: Set<string>): { readonly key: string; readonly at: Span } {
    const fallback = { start: map.span.start, end: map.span.start };
    const at = hasRange(node) ? spanOf(node.range, fallback) : fallback;
    if (!isScalar(node) || node.value === null || hasTag(node) || hasAnchor(node)) {
      this.#fail("yaml_unsupported", "a key must be a string, without a tag or an anchor", { ...map, span: at });
      return { key: "", at };
    }
    const written = this.#text.slice(at.start, at.end);
    const plain = styleOf(node) === "plain";
    const key = plain || typeof node.value !== "string" ? written : node.value;
    const path = join(map.path, key);
    if (plain && key === "<<") {
      this.#report("yaml_unsupported", "merge keys are not supported: write the fields out", path, at);
    }
    if (plain) this.#refuseAmbiguous("the key ", key, path, at);
    if (seen.has(key)) this.#report("duplicate_key", "is given twice", path, at);
    seen.add(key);
    return { key, at };
  }

  #scalar(node: Scalar, { span, path }: Place): Tree {
    const style = styleOf(node);
    if (style === "plain") this.#refuseAmbiguous("", this.#text.slice(span.start, span.end), path, span);
    const { value } = node;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      return { kind: "scalar", value, style, ...span };
    }
    return { kind: "scalar", value: null, style, ...span };
  }

  #refuseAmbiguous(what: string, written: string, path: string, at: Span): void {
    const other = yaml11(written);
    if (other === undefined) return;
    const message = `${what}${written} is ${other} for kubectl, which reads YAML 1.1: quote it`;
    this.#report("yaml_ambiguous", message, path, at);
  }

  #alias(name: string, place: Place): Anchored {
    const anchored = this.#anchors.get(name);
    if (anchored === undefined) {
      const hint = didYouMean(name, this.#anchors.keys());
      return this.#fail("yaml_syntax", `the alias *${name} has no anchor before it${hint}`, place);
    }
    this.#budget.nodes += anchored.nodes;
    if (this.#budget.nodes > MAX_NODES) return this.#tooMany(place);
    if (place.depth + anchored.depth > MAX_DEPTH) return this.#fail("too_deep", TOO_DEEP, place);
    return anchored;
  }

  #tooMany(place: Place): Anchored {
    const message = `the file has more than ${String(MAX_NODES)} values, aliases counted in full`;
    return this.#fail("too_large", message, place);
  }
}

function nothing(span: Span): Anchored {
  return { tree: { kind: "scalar", value: null, style: "plain", ...span }, nodes: 1, depth: 0 };
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function sum(parts: readonly Anchored[]): { readonly nodes: number; readonly depth: number } {
  return {
    nodes: parts.reduce((total, part) => total + part.nodes, 1),
    depth: parts.reduce((deepest, part) => Math.max(deepest, part.depth), 0) + 1,
  };
}

/** What a YAML 1.1 reader (go-yaml v2, which kubectl has) makes of a plain scalar, where YAML 1.2 differs. */
function yaml11(written: string): string | undefined {
  if (/^(?:y|yes|Yes|YES|on|On|ON|n|no|No|NO|off|Off|OFF|Y|N)$/.test(written)) return "a boolean";
  if (/^[-+]?0[0-7]+$/.test(written)) return "an octal number";
  if (/^[-+]?0b[01_]+$/.test(written)) return "a binary number";
  if (written.includes("_") && /^[-+]?(?:0[xX][0-9a-fA-F_]+|[0-9.][0-9._]*)$/.test(written)) return "a number";
  return undefined;
}

function styleOf({ type = "PLAIN" }: Scalar): "plain" | "single" | "double" | "block" {
  switch (type) {
    case "QUOTE_DOUBLE":
      return "double";
    case "QUOTE_SINGLE":
      return "single";
    case "BLOCK_FOLDED":
    case "BLOCK_LITERAL":
      return "block";
    case "PLAIN":
      return "plain";
  }
}

type Range = readonly [number, number, number] | null | undefined;

function spanOf(range: Range, within: Span): Span {
  return range === null || range === undefined ? within : { start: range[0], end: range[1] };
}

function hasRange(node: unknown): node is { readonly range: Range } {
  return typeof node === "object" && node !== null && "range" in node;
}

function hasTag(node: unknown): node is { readonly tag: string } {
  // The parser gives every collection and scalar without a tag none; "!" alone is a tag too.
  return typeof node === "object" && node !== null && "tag" in node && typeof node.tag === "string";
}

function hasAnchor(node: unknown): node is { readonly anchor: string } {
  return typeof node === "object" && node !== null && "anchor" in node && typeof node.anchor === "string";
}
