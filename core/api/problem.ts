/** A place in a file. */
export interface Position {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters (code points). */
  readonly column: number;
}

/** What is wrong with a document, where, and in which field. */
export interface Problem extends Position {
  /** The field, as people write it: `spec.rules[2].when`; empty for the document as a whole. */
  readonly path: string;
  /** Stable, for machines. */
  readonly code: ProblemCode;
  readonly message: string;
  /** The source line, and below it `^~~~` under the text that is meant; empty where there is no source text. */
  readonly excerpt: string;
}

export type ProblemCode =
  | "yaml_syntax"
  | "yaml_ambiguous"
  | "yaml_unsupported"
  | "too_large"
  | "unreadable"
  | "too_deep"
  | "duplicate_key"
  | "unknown_kind"
  | "unknown_field"
  | "missing_field"
  | "not_enforced"
  | "wrong_type"
  | "invalid_value"
  | "out_of_bounds"
  | "duplicate_name"
  | "conflicting_fields"
  | "duplicate_resource"
  | "invalid_expression";

/** A problem as a terminal shows it: `file:line:column: path: message`, then the excerpt. */
export function formatProblem(problem: Problem): string {
  const where = `${problem.file}:${String(problem.line)}:${String(problem.column)}`;
  const what = problem.path === "" ? problem.message : `${problem.path}: ${problem.message}`;
  const excerpt = problem.excerpt === "" ? "" : `\n${problem.excerpt.replace(/^/gm, "    ")}`;
  return `${where}: ${what}${excerpt}`;
}
