import { describe, expect, test } from "@jest/globals";
import OpenAI from "openai";
import { errorBody, errorEvent } from "./errors.ts";

function client(answer: () => Response): OpenAI {
  return new OpenAI({ apiKey: "none", baseURL: "http://engine/v1", maxRetries: 0, fetch: async () => answer() });
}

const ASKED = {
  model: "m",
  messages: [{ role: "user", content: "hi" }],
} as const satisfies OpenAI.ChatCompletionCreateParamsNonStreaming;

describe("the SDK raises its typed error, with the message", () => {
  test.each([
    [400, OpenAI.BadRequestError],
    [401, OpenAI.AuthenticationError],
    [403, OpenAI.PermissionDeniedError],
    [404, OpenAI.NotFoundError],
    [405, OpenAI.APIError],
    [413, OpenAI.APIError],
    [429, OpenAI.RateLimitError],
    [502, OpenAI.InternalServerError],
    [503, OpenAI.InternalServerError],
  ])("for %d", async (status, type) => {
    const body = errorBody(status, "some_code", 'not "allowed"\nhere', "model");
    const asked = client(
      () => new Response(body, { status, headers: { "content-type": "application/json" } }),
    ).chat.completions.create(ASKED);
    const error: unknown = await asked.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({
      status,
      code: "some_code",
      param: "model",
      message: `${status} not "allowed"\nhere`,
    });
  });
});

test("the SDK raises an error in a stream that has begun", async () => {
  const delta =
    'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
  const bytes = Buffer.concat([Buffer.from(delta), errorEvent(502, "engine_failed", "the engine failed")]);
  const stream = await client(
    () => new Response(new Uint8Array(bytes), { headers: { "content-type": "text/event-stream" } }),
  ).chat.completions.create({ ...ASKED, stream: true });
  let deltas = 0;
  const read = async (): Promise<void> => {
    for await (const _ of stream) deltas++;
  };
  await expect(read()).rejects.toMatchObject({ code: "engine_failed", message: "the engine failed" });
  expect(deltas).toBe(1);
});

test("the type goes with the status, and no param is null", () => {
  const types = [400, 401, 403, 404, 405, 409, 413, 415, 418, 429, 500, 502, 503, 504].map((status) => {
    const { error } = JSON.parse(errorBody(status, "c", "m")) as { error: { type: string; param: unknown } };
    expect(error.param).toBeNull();
    return `${status} ${error.type}`;
  });
  expect(types).toEqual([
    "400 invalid_request_error",
    "401 authentication_error",
    "403 permission_error",
    "404 not_found_error",
    "405 invalid_request_error",
    "409 conflict_error",
    "413 request_too_large",
    "415 invalid_request_error",
    "418 invalid_request_error",
    "429 rate_limit_error",
    "500 server_error",
    "502 server_error",
    "503 server_error",
    "504 server_error",
  ]);
});

test("an error event is one line of data whatever the message holds", () => {
  const event = errorEvent(502, "c", "a\r\n\r\ndata: [DONE]\u2028\n\n").toString();
  expect(event.match(/\r|\n/g)).toEqual(["\n", "\n"]);
  expect(event.endsWith("\n\n")).toBe(true);
});
