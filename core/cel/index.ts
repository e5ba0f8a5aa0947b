/** The expression engine: compile once against an environment, evaluate often. */
export { compile } from "./compile.ts";
export { Environment } from "./environment.ts";
export type {
  Activation,
  CompileOptions,
  CompileResult,
  Constant,
  Problem,
  ProblemCode,
  Program,
  Schema,
  Trace,
  TraceStep,
} from "./program.ts";
export * from "./types.ts";
export {
  CelError,
  Double,
  Duration,
  Opaque,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  celError,
  kindOf,
} from "./values.ts";
export type { ErrorCode, Int, Key, Kind, ListValue, MapValue, Value } from "./values.ts";
export { budget, DEFAULT_BUDGET } from "./budget.ts";
export type { Example, FunctionDeclaration, Library, MacroDeclaration, Overload } from "./declarations.ts";
export { parseJson, toJson } from "./json.ts";
export { fromJson } from "./json-typed.ts";
export { parseType } from "./type-text.ts";
export type { Json } from "./json.ts";
export { formatError, formatProblem } from "./problems.ts";
