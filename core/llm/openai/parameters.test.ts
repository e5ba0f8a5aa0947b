import { describe, expect, test } from "@jest/globals";
import type OpenAI from "openai";
import { CHAT, COMPLETIONS, EMBEDDINGS } from "./parameters.ts";
import { readRequest } from "./request.ts";
import { routeOf } from "./routes.ts";

/** With `satisfies` below, a parameter that a new version of the SDK brings is missing here until somebody has looked at it. */
type Every<Params> = { readonly [Name in keyof Params]-?: NonNullable<Params[Name]> };

const CHAT_SAMPLE = {
  model: "m",
  messages: [{ role: "user", content: "hi" }],
  audio: { format: "wav", voice: "ash" },
  frequency_penalty: 0.5,
  function_call: "auto",
  functions: [{ name: "f", description: "d", parameters: { type: "object" } }],
  logit_bias: { "1": -1 },
  logprobs: true,
  max_completion_tokens: 10,
  max_tokens: 10,
  metadata: { a: "b" },
  modalities: ["text", "audio"],
  moderation: { model: "omni-moderation" },
  n: 2,
  parallel_tool_calls: false,
  prediction: { type: "content", content: "p" },
  presence_penalty: 0.5,
  prompt_cache_key: "k",
  prompt_cache_options: { mode: "explicit", ttl: "30m" },
  prompt_cache_retention: "24h",
  reasoning_effort: "low",
  response_format: { type: "json_schema", json_schema: { name: "s", description: "d", schema: {}, strict: true } },
  safety_identifier: "u",
  seed: 1,
  service_tier: "auto",
  stop: ["a"],
  store: true,
  stream: true,
  stream_options: { include_usage: true, include_obfuscation: false },
  temperature: 1,
  tool_choice: { type: "function", function: { name: "f" } },
  tools: [{ type: "function", function: { name: "f", description: "d", parameters: {}, strict: true } }],
  top_logprobs: 2,
  top_p: 0.9,
  user: "u",
  verbosity: "low",
  web_search_options: {
    search_context_size: "low",
    user_location: { type: "approximate", approximate: { city: "c", country: "c", region: "r", timezone: "t" } },
  },
} satisfies Every<OpenAI.ChatCompletionCreateParamsStreaming>;

const COMPLETIONS_SAMPLE = {
  model: "m",
  prompt: "p",
  best_of: 2,
  echo: true,
  frequency_penalty: 0,
  logit_bias: { "1": 1 },
  logprobs: 2,
  max_tokens: 5,
  n: 1,
  presence_penalty: 0,
  seed: 1,
  stop: "a",
  stream: true,
  stream_options: { include_usage: false },
  suffix: "s",
  temperature: 1,
  top_p: 1,
  user: "u",
} satisfies Every<OpenAI.CompletionCreateParamsStreaming>;

const EMBEDDINGS_SAMPLE = {
  model: "m",
  input: ["a"],
  dimensions: 8,
  encoding_format: "float",
  user: "u",
} satisfies Every<OpenAI.EmbeddingCreateParams>;

const NEVER_PASSED_ON = ["moderation"];

const SAMPLES = [
  ["/v1/chat/completions", CHAT_SAMPLE, CHAT],
  ["/v1/completions", COMPLETIONS_SAMPLE, COMPLETIONS],
  ["/v1/embeddings", EMBEDDINGS_SAMPLE, EMBEDDINGS],
] as const;

describe.each(SAMPLES)("%s", (path, sample, table) => {
  const routing = routeOf("POST", path, "application/json");
  if (!routing.ok) throw new Error(routing.error.message);
  const allowed = Object.fromEntries(Object.entries(sample).filter(([name]) => !NEVER_PASSED_ON.includes(name)));

  function codeOf(body: unknown): string {
    const reading = routing.ok ? readRequest(routing.route, Buffer.from(JSON.stringify(body))) : undefined;
    if (reading === undefined) return "no route";
    return reading.ok ? "read" : `${reading.error.code} ${reading.error.param}`;
  }

  test("all that the SDK can send is read, but for what is never passed on", () => {
    expect(codeOf(allowed)).toBe("read");
    for (const name of NEVER_PASSED_ON)
      if (name in sample) expect(codeOf({ ...allowed, [name]: {} })).toBe(`unsupported_parameter ${name}`);
  });

  test("null stands for absent in every parameter that is not required", () => {
    const required = new Set(["model", "messages", "prompt", "input", "stream"]);
    for (const name of Object.keys(allowed))
      if (!required.has(name)) expect(codeOf({ ...allowed, [name]: null })).toBe("read");
  });

  test("each parameter's type is checked: a value of no type that any takes is refused, with its name", () => {
    // Objects and arrays in the wrong place, and a number that is none of the ranges'.
    for (const name of table.keys()) {
      const wrong = [[[[1e12]]], { x_none: [1e12] }, 1e12].map((value) => codeOf({ ...allowed, [name]: value }));
      expect({ name, refusals: wrong.filter((code) => code !== "read").length > 0 }).toEqual({ name, refusals: true });
      for (const code of wrong)
        expect(code === "read" || code.includes(` ${name}`) || code.includes("max_completion_tokens")).toBe(true);
    }
  });
});
