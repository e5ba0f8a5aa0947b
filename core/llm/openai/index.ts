/** OpenAI's dialect, as OpenAI, vLLM, llama.cpp, Ollama and TGI speak it. */
export { filterModels, readAnswer, type WholeAnswer } from "./answer.ts";
export { errorBody, errorEvent } from "./errors.ts";
export { readRequest } from "./request.ts";
export { routeOf, type Route, type Routing } from "./routes.ts";
export { StreamReader, type StreamReaderOptions, type Terminal } from "./stream.ts";
