/** From a request's bytes to the exchange that is decided on, and the body that may be forwarded. */
import type { Route } from "../dialect.ts";
import type { Exchange, Operation, Reading, ReadingError } from "../exchange.ts";
import { JSON_LIMITS, readJson, type JsonLimits } from "../json.ts";
import { JsonBody, NO_BODY } from "./body.ts";
import { checkMembers, isObject, type JsonObject, type Table } from "./check.ts";
import { invalid, missing, toReadingError, type Fault } from "./fault.ts";
import { featuresOf, nothingFound, type Found } from "./found.ts";
import { OpenAiExchange } from "./openai-exchange.ts";
import { CHAT, COMPLETIONS, EMBEDDINGS } from "./parameters.ts";
import { promptCount } from "./prompts.ts";

interface Kind {
  readonly parameters: Table;
  readonly prompt: string;
}

const KINDS: Readonly<Partial<Record<Operation, Kind>>> = {
  Chat: { parameters: CHAT, prompt: "messages" },
  Completions: { parameters: COMPLETIONS, prompt: "prompt" },
  Embeddings: { parameters: EMBEDDINGS, prompt: "input" },
};

/** Reads a body as the route's operation; never throws. Everything that could reach the model has been checked when it is `ok`. */
export function readRequest(route: Route, bytes: Buffer, limits: JsonLimits = JSON_LIMITS): Reading {
  const kind = KINDS[route.operation];
  if (kind === undefined) return readBodiless(route, bytes);
  const json = readJson(bytes, limits);
  if (!json.ok)
    return failed({ status: json.code === "too_large" ? 413 : 400, code: json.code, message: json.message, param: "" });
  const { value, text, members } = json;
  if (!isObject(value)) return failed(toReadingError(invalid("has to be an object")));
  const found = nothingFound();
  const fault = required(value, kind) ?? checkMembers(value, kind.parameters, found) ?? together(value);
  if (fault !== undefined) return failed(toReadingError(fault));
  const exchange = exchangeOf(route.operation, value, found, bytes.length);
  return { ok: true, exchange, body: new JsonBody(bytes, text, members, value, exchange.streaming) };
}

function failed(error: ReadingError): Reading {
  return { ok: false, error };
}

function readBodiless(route: Route, bytes: Buffer): Reading {
  if (bytes.length > 0)
    return failed({ status: 400, code: "unexpected_body", message: "the operation takes no body", param: "" });
  const { operation, model } = route;
  const head = {
    operation,
    model,
    streaming: false,
    features: [],
    maxTokens: 0,
    choices: 1,
    usageAsked: false,
    tokensEstimate: 0,
  };
  return { ok: true, exchange: new OpenAiExchange(head, {}), body: NO_BODY };
}

function required(body: JsonObject, { prompt }: Kind): Fault | undefined {
  if (body["model"] === undefined || body["model"] === null) return missing("model");
  return body[prompt] === undefined || body[prompt] === null ? missing(prompt) : undefined;
}

/** What no parameter can say by itself. */
function together(body: JsonObject): Fault | undefined {
  const { max_tokens: older, max_completion_tokens: newer, stream, stream_options: options, n, best_of: best } = body;
  if (typeof older === "number" && typeof newer === "number" && older !== newer) {
    return invalid("contradicts max_tokens: engines differ in which of the two they take", "max_completion_tokens");
  }
  if (isObject(options) && stream !== true) return invalid("goes with stream: true only", "stream_options");
  if (typeof best === "number" && typeof n === "number" && best < n) return invalid("has to be n at least", "best_of");
  return undefined;
}

function exchangeOf(operation: Operation, body: JsonObject, found: Found, bytes: number): Exchange {
  const streaming = body["stream"] === true;
  const options = body["stream_options"];
  const { n, best_of: best, max_tokens: older, max_completion_tokens: newer } = body;
  const answers = Math.max(typeof n === "number" ? n : 1, typeof best === "number" ? best : 1);
  const head = {
    operation,
    model: body["model"] as string,
    streaming,
    features: featuresOf(found.features),
    maxTokens: typeof newer === "number" ? newer : typeof older === "number" ? older : 0,
    choices: operation === "Completions" ? answers * promptCount(body["prompt"]) : answers,
    usageAsked: streaming && isObject(options) && options["include_usage"] === true,
    tokensEstimate: Math.max(Math.ceil(bytes / 4), found.promptTokens),
  };
  return new OpenAiExchange(head, body);
}
