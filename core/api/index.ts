/** Resources: reading, validating, selecting. */
export * from "./types.ts";
export { formatProblem, type Position, type Problem, type ProblemCode } from "./problem.ts";
export { MAX_FILE_BYTES, readDocuments } from "./documents.ts";
export type {
  CheckPolicy,
  Documents,
  ExpressionProblem,
  Located,
  PolicyExpressions,
  ReadOptions,
} from "./documents.ts";
export { readFiles, resourceKey, type FileText } from "./files.ts";
export { selects } from "./selector.ts";
export { KINDS, type KindSchema } from "./schema/kinds.ts";
