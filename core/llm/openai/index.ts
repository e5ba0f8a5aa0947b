/** OpenAI's dialect, as OpenAI, vLLM, llama.cpp, Ollama and TGI speak it. */
import type { Dialect } from "../dialect.ts";
import { filterModel, filterModels, readAnswer } from "./answer.ts";
import { errorBody, errorEvent } from "./errors.ts";
import { readRequest } from "./request.ts";
import { routeOf } from "./routes.ts";
import { StreamReader } from "./stream.ts";

export type { AnswerStream, Route, Routing, StreamReaderOptions, Terminal, WholeAnswer } from "../dialect.ts";
export { errorBody, errorEvent, filterModel, filterModels, readAnswer, readRequest, routeOf, StreamReader };

export const OPENAI: Dialect = {
  name: "openai",
  routeOf,
  readRequest,
  errorBody,
  errorEvent,
  openStream: (options) => new StreamReader(options),
  readAnswer,
  filterModels,
};
export { readError, type EngineError } from "./engine-error.ts";
export { readPassing, type PassingAnswer } from "./passing-answer.ts";
