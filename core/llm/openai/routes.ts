/** Which of OpenAI's operations a request line names. Exact paths only: a path that two readers could take apart differently is refused. */
import type { Routing } from "../dialect.ts";
import type { Operation, ReadingError } from "../exchange.ts";

function posted(path: string, operation: Operation): readonly [string, Routing] {
  return [path, { ok: true, route: { operation, method: "POST", path, model: "" } }];
}

const POSTED: ReadonlyMap<string, Routing> = new Map([
  posted("/v1/chat/completions", "Chat"),
  posted("/v1/completions", "Completions"),
  posted("/v1/embeddings", "Embeddings"),
]);
const MODELS_PATH = "/v1/models";
const LIST_MODELS: Routing = {
  ok: true,
  route: { operation: "ListModels", method: "GET", path: MODELS_PATH, model: "" },
};

/** A model's name in a path: RFC 3986's unreserved characters and a few more, in segments that are neither empty nor dots. */
const MODEL_IN_PATH = /^(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~:@+-]+(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~:@+-]+)*$/;

/**
 * @param target the request target in origin form, as it stands in the request line
 * @param contentType the content-type field's value; "" when there is none
 * @param contentEncoding the content-encoding field's value; "" when there is none
 */
export function routeOf(method: string, target: string, contentType = "", contentEncoding = ""): Routing {
  const query = target.indexOf("?");
  if (query >= 0) {
    const known = routeOf(method, target.slice(0, query), contentType, contentEncoding);
    return known.ok ? refused(400, "unknown_parameter", "the path takes no query", "query") : known;
  }
  const post = POSTED.get(target);
  if (post !== undefined) {
    if (method !== "POST") return refused(405, "method_not_allowed", `${target} is asked with POST`);
    return wrongContent(contentType, contentEncoding) ?? post;
  }
  if (target !== MODELS_PATH && !target.startsWith(`${MODELS_PATH}/`)) return unknownOperation();
  const model = target.slice(MODELS_PATH.length + 1);
  if (target !== MODELS_PATH && (model.length > 256 || !MODEL_IN_PATH.test(model))) return unknownOperation();
  if (method !== "GET") return refused(405, "method_not_allowed", "models are asked with GET");
  return model === ""
    ? LIST_MODELS
    : { ok: true, route: { operation: "ListModels", method: "GET", path: target, model } };
}

function unknownOperation(): Routing {
  return refused(404, "unknown_operation", "no operation that is known here has this path");
}

const JSON_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i;

function wrongContent(type: string, encoding: string): Routing | undefined {
  if (type !== "application/json" && !JSON_TYPE.test(type)) {
    return refused(415, "unsupported_media_type", "the body has to be application/json in UTF-8", "content-type");
  }
  if (encoding !== "" && encoding !== "identity") {
    return refused(415, "unsupported_encoding", "an encoded body is not read", "content-encoding");
  }
  return undefined;
}

function refused(status: ReadingError["status"], code: string, message: string, param = ""): Routing {
  return { ok: false, error: { status, code, message, param } };
}
