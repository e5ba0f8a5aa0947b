import { qualifiedName, type EntryNode, type ListNode, type Node, type Span } from "./ast.ts";
import { numberLiteral } from "./literals.ts";
import type { MacroDeclaration } from "./declarations.ts";
import { MAX_SOURCE_LENGTH, SyntaxProblem, tokenise, type Token } from "./lexer.ts";
import { AstBuilder } from "./macros.ts";
import { problemAt } from "./problems.ts";
import type { Problem } from "./program.ts";
import { BOOL, BYTES, NULL, STRING } from "./types.ts";

/** Deepest nesting of an expression: brackets, operands of a chain, calls on calls. */
export const MAX_DEPTH = 250;
/** Most nodes of an expression, macros expanded. */
export const MAX_NODES = 20_000;

export type ParseResult =
  { readonly ok: true; readonly node: Node } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Finds a macro by name, number of arguments and whether it has a receiver. */
export type MacroLookup = (name: string, arity: number, member: boolean) => MacroDeclaration | undefined;

/** Parses an expression and expands its macros. Never throws: what is too large is a problem too. */
export function parse(source: string, macros: MacroLookup): ParseResult {
  try {
    if (source.length > MAX_SOURCE_LENGTH) {
      const message = `expression has ${source.length} characters, at most ${MAX_SOURCE_LENGTH} are allowed`;
      throw new SyntaxProblem(message, MAX_SOURCE_LENGTH, MAX_SOURCE_LENGTH + 1, "too_long");
    }
    return { ok: true, node: new Parser(tokenise(source), macros).parse() };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return { ok: false, problems: [problemAt(source, error.code, error.message, error)] };
  }
}

/** Words that may be fields and functions with a receiver, but no variables. */
/** What people write who come from elsewhere. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["and", "&&"],
  ["or", "||"],
  ["not", "!"],
  ["is", "=="],
]);

const RESERVED: ReadonlySet<string> = new Set([
  "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
  "loop", "package", "namespace", "return", "var", "void", "while",
]); // prettier-ignore

const KEYWORDS: ReadonlySet<string> = new Set(["true", "false", "null", "in"]);

const RELATIONS: Readonly<Record<string, string>> = {
  "<": "_<_", "<=": "_<=_", ">": "_>_", ">=": "_>=_", "==": "_==_", "!=": "_!=_", in: "@in",
}; // prettier-ignore
const SUMS: Readonly<Record<string, string>> = { "+": "_+_", "-": "_-_" };
const PRODUCTS: Readonly<Record<string, string>> = { "*": "_*_", "/": "_/_", "%": "_%_" };

/** Recursive descent over the grammar of the specification, with depth and nodes counted on the way. */
class Parser {
  readonly #tokens: readonly Token[];
  readonly #macros: MacroLookup;
  readonly #ast = new AstBuilder(MAX_NODES);
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], macros: MacroLookup) {
    this.#tokens = tokens;
    this.#macros = macros;
  }

  parse(): Node {
    const node = this.#expression();
    if (this.#peek().kind !== "end") this.#unexpected();
    return node;
  }

  #peek(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Error("read past the last token");
    return token;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== "end") this.#at++;
    return token;
  }

  #is(symbol: string): boolean {
    const token = this.#peek();
    return token.kind === "symbol" && token.text === symbol;
  }

  #accept(symbol: string): boolean {
    if (!this.#is(symbol)) return false;
    this.#at++;
    return true;
  }

  #expect(symbol: string): Token {
    if (!this.#is(symbol)) this.#unexpected(`expected '${symbol}'`);
    return this.#take();
  }

  #unexpected(expected?: string): never {
    const token = this.#peek();
    const word = WORDS.get(token.text.toLowerCase());
    const hint = word === undefined ? "" : `: write ${word}`;
    const what = token.kind === "end" ? "unexpected end of expression" : `unexpected ${describe(token)}${hint}`;
    throw new SyntaxProblem(expected === undefined ? what : `${what}, ${expected}`, token.start, token.end);
  }

  /** Runs a rule one level deeper. */
  #deeper<T>(rule: () => T): T {
    this.#descend(this.#peek());
    const result = rule();
    this.#depth--;
    return result;
  }

  #descend(at: Span): void {
    this.#depth++;
    if (this.#depth > MAX_DEPTH) {
      throw new SyntaxProblem(`expression nests deeper than ${MAX_DEPTH} levels`, at.start, at.end, "too_deep");
    }
  }

  #expression(): Node {
    return this.#deeper(() => {
      const condition = this.#logical("||", "_||_", () => this.#logical("&&", "_&&_", () => this.#relation()));
      if (!this.#accept("?")) return condition;
      const yes = this.#logical("||", "_||_", () => this.#logical("&&", "_&&_", () => this.#relation()));
      this.#expect(":");
      const no = this.#expression();
      return this.#ast.node({ start: condition.start, end: no.end }, "_?_:_", [condition, yes, no]);
    });
  }

  /** Terms of one logical operator become a balanced tree: a thousand of them nest ten deep. */
  #logical(symbol: string, name: string, term: () => Node): Node {
    const first = term();
    if (!this.#is(symbol)) return first;
    const terms = [first];
    while (this.#accept(symbol)) terms.push(term());
    return this.#balance(name, terms, 0, terms.length - 1);
  }

  #balance(name: string, terms: readonly Node[], low: number, high: number): Node {
    if (low === high) return at(terms, low);
    const middle = (low + high) >>> 1;
    const left = this.#balance(name, terms, low, middle);
    const right = this.#balance(name, terms, middle + 1, high);
    return this.#ast.node({ start: left.start, end: right.end }, name, [left, right]);
  }

  #relation(): Node {
    return this.#chain(RELATIONS, () => this.#chain(SUMS, () => this.#chain(PRODUCTS, () => this.#unary())));
  }

  /** Operators that group to the left; each link nests its left side one level deeper. */
  #chain(operators: Readonly<Record<string, string>>, operand: () => Node): Node {
    let left = operand();
    const depth = this.#depth;
    for (;;) {
      const token = this.#peek();
      const known = token.kind === "symbol" || (token.kind === "ident" && token.text === "in");
      const name = known && Object.hasOwn(operators, token.text) ? operators[token.text] : undefined;
      if (name === undefined) break;
      this.#at++;
      this.#descend(token);
      const right = operand();
      left = this.#ast.node({ start: left.start, end: right.end }, name, [left, right]);
    }
    this.#depth = depth;
    return left;
  }

  #unary(): Node {
    const first = this.#peek();
    if (first.kind !== "symbol" || (first.text !== "!" && first.text !== "-")) return this.#member();
    const operator = first.text;
    let count = 0;
    while (this.#is(operator)) {
      const literal = this.#tokens[this.#at + 1];
      // The last minus is the literal's: -9223372036854775808 has no positive counterpart.
      if (operator === "-" && count % 2 === 0 && (literal?.kind === "int" || literal?.kind === "double")) break;
      this.#at++;
      count++;
    }
    const operand = this.#member();
    // Pairs cancel out, but for one, which keeps the operand's type checked.
    const times = count === 0 ? 0 : count % 2 === 0 ? 2 : 1;
    let node = operand;
    for (let i = 0; i < times; i++) {
      node = this.#ast.node({ start: first.start, end: operand.end }, operator === "!" ? "!_" : "-_", [node]);
    }
    return node;
  }

  #member(): Node {
    let node = this.#primary();
    const depth = this.#depth;
    for (;;) {
      const token = this.#peek();
      if (token.kind !== "symbol") break;
      if (token.text === ".") {
        this.#at++;
        node = this.#selector(node);
      } else if (token.text === ".?") {
        this.#at++;
        const field = this.#field();
        node = this.#ast.select(node, field.text, { start: node.start, end: field.end }, { optional: true });
      } else if (token.text === "[" || token.text === "[?") {
        this.#at++;
        const index = this.#expression();
        const close = this.#expect("]");
        const name = token.text === "[" ? "_[_]" : "_[?_]";
        node = this.#ast.node({ start: node.start, end: close.end }, name, [node, index]);
      } else if (token.text === "{") {
        const name = qualifiedName(node);
        if (name === undefined) this.#unexpected();
        node = this.#message(name, node.start);
      } else break;
      this.#descend(token);
    }
    this.#depth = depth;
    return node;
  }

  #selector(operand: Node): Node {
    const field = this.#field();
    if (field.kind === "ident" && this.#accept("(")) {
      const args = this.#arguments(")");
      return this.#call(field.text, operand, args, { start: operand.start, end: this.#previousEnd() });
    }
    const options = { quoted: field.kind === "quoted" };
    return this.#ast.select(operand, field.text, { start: operand.start, end: field.end }, options);
  }

  #field(): Token {
    const token = this.#peek();
    const isField = token.kind === "quoted" || (token.kind === "ident" && !KEYWORDS.has(token.text));
    if (!isField) this.#unexpected("expected a field name");
    return this.#take();
  }

  #previousEnd(): number {
    return this.#tokens[this.#at - 1]?.end ?? 0;
  }

  #arguments(close: string): Node[] {
    const args: Node[] = [];
    if (this.#accept(close)) return args;
    do args.push(this.#expression());
    while (this.#accept(","));
    this.#expect(close);
    return args;
  }

  /** A call, or what the macro of that name makes of it. */
  #call(name: string, target: Node | undefined, args: readonly Node[], span: Span): Node {
    const qualifier = target === undefined ? undefined : qualifiedName(target);
    const qualified = qualifier === undefined ? undefined : this.#macros(`${qualifier}.${name}`, args.length, false);
    const macro = qualified ?? this.#macros(name, args.length, target !== undefined);
    if (macro !== undefined) {
      this.#ast.place(span);
      const expansion = macro.expand(this.#ast, qualified === undefined ? target : undefined, args);
      if (expansion?.kind === "macro_error") {
        throw new SyntaxProblem(expansion.message, expansion.at.start, expansion.at.end);
      }
      if (expansion !== undefined) return expansion;
    }
    return this.#ast.node(span, name, args, target);
  }

  #primary(): Node {
    const token = this.#take();
    switch (token.kind) {
      case "int":
      case "uint":
      case "double":
        return this.#number(token, undefined);
      case "string":
        return this.#ast.constant(token.value ?? "", STRING, token);
      case "bytes":
        return this.#ast.constant(token.value ?? "", BYTES, token);
      case "ident":
        return this.#name(token, "");
      case "symbol":
        return this.#bracket(token);
      default:
        this.#at -= token.kind === "end" ? 0 : 1;
        return this.#unexpected();
    }
  }

  #name(token: Token, dot: string, start: number = token.start): Node {
    const span = { start, end: token.end };
    if (dot === "") {
      if (token.text === "true" || token.text === "false") {
        return this.#ast.constant(token.text === "true", BOOL, token);
      }
      if (token.text === "null") return this.#ast.constant(null, NULL, token);
    }
    if (KEYWORDS.has(token.text)) {
      this.#at--;
      this.#unexpected();
    }
    if (this.#accept("(")) {
      const args = this.#arguments(")");
      return this.#call(dot + token.text, undefined, args, { start, end: this.#previousEnd() });
    }
    if (RESERVED.has(token.text)) {
      throw new SyntaxProblem(`reserved identifier: ${token.text}`, token.start, token.end);
    }
    return this.#ast.identifier(dot + token.text, span);
  }

  #bracket(token: Token): Node {
    switch (token.text) {
      case "(": {
        const node = this.#expression();
        return { ...node, start: token.start, end: this.#expect(")").end };
      }
      case "[":
      case "[?":
        return this.#list(token);
      case "{":
        return this.#map(token);
      case ".": {
        const name = this.#take();
        if (name.kind === "ident") return this.#name(name, ".", token.start);
        this.#at--;
        return this.#unexpected("expected a name");
      }
      case "-": {
        const number = this.#take();
        return this.#number(number, token);
      }
      default:
        this.#at--;
        return this.#unexpected();
    }
  }

  #number(token: Token, minus: Token | undefined): Node {
    const { value, type } = numberLiteral(token, minus);
    return this.#ast.constant(value, type, { start: minus?.start ?? token.start, end: token.end });
  }

  #list(open: Token): ListNode {
    const elements: Node[] = [];
    const optional: number[] = [];
    // `[?a]` lexes as one symbol, so the first element's mark is the bracket's.
    let marked = open.text === "[?";
    while (marked || !this.#is("]")) {
      if (marked || this.#accept("?")) optional.push(elements.length);
      marked = false;
      elements.push(this.#expression());
      if (!this.#accept(",")) break;
    }
    const close = this.#expect("]");
    return this.#ast.list(elements, { start: open.start, end: close.end }, optional);
  }

  #map(open: Token): Node {
    const entries: EntryNode[] = [];
    while (!this.#is("}")) {
      const optional = this.#accept("?");
      const key = this.#expression();
      this.#expect(":");
      entries.push({ key, value: this.#expression(), optional });
      if (!this.#accept(",")) break;
    }
    const close = this.#expect("}");
    return this.#ast.map(entries, { start: open.start, end: close.end });
  }

  #message(name: string, start: number): Node {
    this.#expect("{");
    const entries: { field: string; value: Node; optional: boolean }[] = [];
    while (!this.#is("}")) {
      const optional = this.#accept("?");
      const field = this.#field();
      this.#expect(":");
      entries.push({ field: field.text, value: this.#expression(), optional });
      if (!this.#accept(",")) break;
    }
    const close = this.#expect("}");
    return this.#ast.message(name, entries, { start, end: close.end });
  }
}

function describe(token: Token): string {
  if (token.kind === "string" || token.kind === "bytes") return `${token.kind} literal`;
  const text = token.kind === "quoted" ? `\`${token.text}\`` : token.text;
  return `'${text.length > 40 ? `${text.slice(0, 40)}…` : text}'`;
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error("index out of range");
  return item;
}
