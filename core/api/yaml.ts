import { Composer, Lexer, Parser, type CST, type Document } from "yaml";
import type { SourceText } from "./source-text.ts";
import type { Tree } from "./tree.ts";
import { Converter, MAX_DEPTH, MAX_NODES, type Report } from "./yaml-tree.ts";

/** Levels of the parser's own stack; it has about two for each level of nesting. */
const MAX_PARSER_STACK = 3 * MAX_DEPTH;

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
      report("too_deep", `is nested more than ${String(MAX_DEPTH)} levels deep`, "", {
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
    report("yaml_syntax", `is not YAML: ${message}`, "", { start: error.pos[0], end: error.pos[1] });
    return true;
  }
  if (document.directives.yaml.explicit === true && document.directives.yaml.version !== "1.2") {
    const start = document.range[0];
    report("yaml_unsupported", "a %YAML directive other than 1.2 is not supported", "", { start, end: start });
    return true;
  }
  return false;
}
