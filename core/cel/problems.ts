import type { Span } from "./ast.ts";
import type { Problem, ProblemCode } from "./program.ts";
import type { CelError } from "./values.ts";

/** How much of a source line an excerpt shows. */
const EXCERPT_WIDTH = 120;

/** A problem at a span of the source, with its line, column and excerpt. */
export function problemAt(source: string, code: ProblemCode, message: string, at: Span): Problem {
  const start = Math.min(at.start, source.length);
  const lineStart = source.lastIndexOf("\n", start - 1) + 1;
  const lineBreak = source.indexOf("\n", lineStart);
  const lineEnd = lineBreak < 0 ? source.length : lineBreak;
  let line = 1;
  for (let i = source.indexOf("\n"); i >= 0 && i < lineStart; i = source.indexOf("\n", i + 1)) line++;
  const before = width(source.slice(lineStart, start));
  return {
    code,
    message,
    line,
    column: before + 1,
    offset: start,
    length: Math.max(1, at.end - start),
    excerpt: excerpt(source, lineStart, lineEnd, start, Math.max(start + 1, Math.min(at.end, lineEnd))),
  };
}

/** The line, and below it the underline; of a long line the part around the place. */
function excerpt(source: string, lineStart: number, lineEnd: number, start: number, end: number): string {
  const from = start - lineStart > EXCERPT_WIDTH - 40 ? start - 40 : lineStart;
  const to = Math.min(lineEnd, from + EXCERPT_WIDTH);
  const text = `${from > lineStart ? "…" : ""}${clean(source.slice(from, to))}${to < lineEnd ? "…" : ""}`;
  const indent = width(source.slice(from, start)) + (from > lineStart ? 1 : 0);
  const length = Math.max(1, width(source.slice(start, Math.min(end, to))));
  return `${text}\n${" ".repeat(indent)}^${"~".repeat(length - 1)}`;
}

/** Columns: code points, as editors count them. */
function width(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** One column for each code point; nothing that moves a terminal's cursor or reorders text. */
function clean(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ");
}

/** `line:column: message` and the excerpt, for logs and command lines. */
export function formatProblem(problem: Problem): string {
  return `${problem.line}:${problem.column}: ${problem.message}\n${problem.excerpt}`;
}

/** An evaluation's error in the same form, where it is known at which place of the source it arose. */
export function formatError(source: string, error: CelError): string {
  if (error.offset < 0 || error.offset >= source.length) return error.message;
  const at = { start: error.offset, end: error.offset + 1 };
  return formatProblem(problemAt(source, "internal", error.message, at));
}
