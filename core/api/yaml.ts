import { Composer, Lexer, Parser, isAlias, isMap, isScalar, isSeq, type CST, type Document, type Scalar } from "yaml";
import type { ProblemCode } from "./problem.ts";
import type { SourceText } from "./source-text.ts";
import { didYouMean } from "./suggest.ts";
import type { Entry, Span, Tree } from "./tree.ts";

/** Nesting of collections, aliases included. */
export const MAX_DEPTH = 64;
/** Nodes of one file, each alias counted as what it stands for. */
export const MAX_NODES = 100_000;
/** Levels of the parser's own stack; it has about two for each level of nesting. */
const MAX_PARSER_STACK = 3 * MAX_DEPTH;

/** Takes what is wrong, and where. */
export type Report = (code: ProblemCode, message: string, at: Span) => void;

/**
 * Reads a stream of YAML 1.2 documents (JSON is a part of it) as trees. Refused are what YAML 1.1 readers such as kubectl
 * understand otherwise, merge keys, tags, duplicate keys, and what would cost unbounded time or memory. Documents without
 * content and broken ones are left out; the latter are reported.
 */
export function readYaml(source: SourceText, report: Report): readonly Tree[] {
  const tokens = parse(source.text, report);
  if (tokens === undefined) return [];
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
  });
  const trees: Tree[] = [];
  const budget = { nodes: 0 };
  for (const document of composer.compose(tokens, false, source.text.length)) {
    if (refuse(document, report)) continue;
    const tree = new Converter(source.text, budget, report).document(document);
    if (tree !== undefined && !(tree.kind === "scalar" && tree.value === null)) trees.push(tree);
    if (budget.nodes > MAX_NODES) break;
  }
  return trees;
}

/** The concrete syntax; undefined where it is nested so deeply that composing it could overflow the stack. */
function parse(text: string, report: Report): readonly CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > MAX_PARSER_STACK) {
      report("too_deep", `is nested more than ${String(MAX_DEPTH)} levels deep`, {
        start: parser.offset,
        end: parser.offset + 1,
      });
      return undefined;
    }
  }
  tokens.push(...parser.end());
  return tokens;
}

function refuse(document: Document.Parsed, report: Report): boolean {
  const [error] = document.errors;
  if (error !== undefined) {
    const message = error.message.charAt(0).toLowerCase() + error.message.slice(1).replace(/\.$/, "");
    report("yaml_syntax", `is not YAML: ${message}`, { start: error.pos[0], end: error.pos[1] });
    return true;
  }
  if (document.directives.yaml.explicit === true && document.directives.yaml.version !== "1.2") {
    const start = document.range[0];
    report("yaml_unsupported", "a %YAML directive other than 1.2 is not supported", { start, end: start });
    return true;
  }
  return false;
}

interface Anchored {
  readonly tree: Tree;
  readonly nodes: number;
  readonly depth: number;
}

class Converter {
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
    const converted = this.#node(document.contents, { start: document.range[0], end: document.range[1] }, 0);
    return this.#failed ? undefined : converted.tree;
  }

  #fail(code: ProblemCode, message: string, at: Span): Anchored {
    this.#failed = true;
    this.#report(code, message, at);
    return { tree: { kind: "scalar", value: null, style: "plain", ...at }, nodes: 1, depth: 0 };
  }

  #node(node: unknown, within: Span, depth: number): Anchored {
    if (this.#failed) return { tree: { kind: "scalar", value: null, style: "plain", ...within }, nodes: 1, depth: 0 };
    if (depth > MAX_DEPTH)
      return this.#fail("too_deep", `is nested more than ${String(MAX_DEPTH)} levels deep`, within);
    if (++this.#budget.nodes > MAX_NODES) return this.#tooMany(within);
    if (isAlias(node)) return this.#alias(node.source, spanOf(node.range, within), depth);
    const at = hasRange(node) ? spanOf(node.range, within) : within;
    if (hasTag(node)) return this.#fail("yaml_unsupported", `the tag ${node.tag} is not supported`, at);
    const converted = this.#content(node, at, depth);
    if (hasAnchor(node)) this.#anchors.set(node.anchor, converted);
    return converted;
  }

  #content(node: unknown, at: Span, depth: number): Anchored {
    if (isScalar(node)) return { tree: this.#scalar(node, at), nodes: 1, depth: 0 };
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#node(item, at, depth + 1));
      return { tree: { kind: "list", items: items.map(({ tree }) => tree), ...at }, ...sum(items) };
    }
    if (isMap(node)) {
      const seen = new Map<string, number>();
      const values: Anchored[] = [];
      const entries: Entry[] = [];
      for (const { key, value } of node.items) {
        const name = this.#key(key, at, seen);
        const converted = this.#node(value ?? null, name.at, depth + 1);
        values.push(converted);
        entries.push({ ...name, value: converted.tree });
      }
      return { tree: { kind: "map", entries, ...at }, ...sum(values) };
    }
    return { tree: { kind: "scalar", value: null, style: "plain", ...at }, nodes: 1, depth: 0 };
  }

  #key(node: unknown, map: Span, seen: Map<string, number>): { readonly key: string; readonly at: Span } {
    const at = hasRange(node) ? spanOf(node.range, map) : { start: map.start, end: map.start };
    if (!isScalar(node) || node.value === null || hasTag(node)) {
      this.#fail("yaml_unsupported", "a key must be a string", at);
      return { key: "", at };
    }
    if (hasAnchor(node)) this.#fail("yaml_unsupported", "an anchor on a key is not supported", at);
    const written = this.#text.slice(at.start, at.end);
    const key = node.type !== "PLAIN" && typeof node.value === "string" ? node.value : written;
    if (node.type === "PLAIN" && key === "<<") {
      this.#report("yaml_unsupported", "merge keys (<<) are not supported: write the fields out", at);
    }
    if (node.type === "PLAIN") this.#refuseAmbiguous("the key ", key, at);
    if (seen.has(key)) this.#report("duplicate_key", `the key ${JSON.stringify(key)} is given twice`, at);
    seen.set(key, at.start);
    return { key, at };
  }

  #scalar(node: Scalar, at: Span): Tree {
    const style = styleOf(node);
    if (style === "plain") this.#refuseAmbiguous("", this.#text.slice(at.start, at.end), at);
    const { value } = node;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      return { kind: "scalar", value, style, ...at };
    }
    return { kind: "scalar", value: null, style, ...at };
  }

  #refuseAmbiguous(what: string, written: string, at: Span): void {
    const other = yaml11(written);
    if (other === undefined) return;
    this.#report("yaml_ambiguous", `${what}${written} is ${other} for kubectl, which reads YAML 1.1: quote it`, at);
  }

  #alias(name: string, at: Span, depth: number): Anchored {
    const anchored = this.#anchors.get(name);
    if (anchored === undefined) {
      const hint = didYouMean(name, this.#anchors.keys());
      return this.#fail("yaml_syntax", `the alias *${name} has no anchor before it${hint}`, at);
    }
    this.#budget.nodes += anchored.nodes;
    if (this.#budget.nodes > MAX_NODES) return this.#tooMany(at);
    if (depth + anchored.depth > MAX_DEPTH) {
      return this.#fail("too_deep", `is nested more than ${String(MAX_DEPTH)} levels deep`, at);
    }
    return anchored;
  }

  #tooMany(at: Span): Anchored {
    return this.#fail("too_large", `the file has more than ${String(MAX_NODES)} values, aliases counted in full`, at);
  }
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
  if (/^[-+]?(?:0[0-9_]+|0o[0-7_]+|0b[01_]+)$/.test(written)) return "an octal or binary number";
  if (/^[-+]?[0-9][0-9_.]*_[0-9_.]*$/.test(written)) return "a number";
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
