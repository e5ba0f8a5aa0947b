/**
 * The closed lists of parameters: OpenAI's (its SDK's types), and what vLLM and llama.cpp read beside them from the same
 * body. What is on neither list reaches no engine.
 */
import {
  list,
  either,
  flag,
  integer,
  mapOf,
  name,
  never,
  noted,
  notedWhen,
  number,
  object,
  oneOf,
  table,
  text,
  type Check,
  type Table,
} from "./check.ts";
import { anyInteger, ENGINE_SAMPLING, isTrue, NEVER, PROBABILITIES, sampling, WHO } from "./engines.ts";
import { functionChoice, functions, toolChoice, tools } from "./tools.ts";
import { messages, textContent } from "./messages.ts";
import { CONSTRAINED_OUTPUT } from "./output.ts";
import { input, prompt } from "./prompts.ts";

/** Engines hold token counts in 32 bits. 0 is refused: to llama.cpp it means no token, to Ollama no limit. */
const tokens = integer(1, 2 ** 31 - 1);
const overOne = (value: unknown): boolean => typeof value === "number" && value > 1;

const stop = either(text(65_536), list(text(65_536), 64), "a string or an array of at most 64 strings");
const streamOptions = object({ include_usage: flag, include_obfuscation: flag, continuous_usage_stats: flag });
const metadata = noted("Storage", mapOf(text(512), 16));
const logitBias = mapOf(number(-100, 100), 65_536, "LogitBias");

const GENERATION: Readonly<Record<string, Check>> = {
  model: name,
  frequency_penalty: number(-2, 2),
  presence_penalty: number(-2, 2),
  temperature: number(0, 2),
  top_p: number(0, 1),
  seed: anyInteger,
  stop,
  stream: notedWhen("Streaming", isTrue, flag),
  stream_options: streamOptions,
  max_tokens: tokens,
  n: notedWhen("MultipleChoices", overOne, integer(1, 128)),
  best_of: notedWhen("MultipleChoices", overOne, integer(1, 128)),
  logit_bias: logitBias,
  user: text(1024),
  // Takes tokens off the prompt's beginning, where the system's text stands.
  truncate_prompt_tokens: noted("ChatTemplate", integer(-1, 2 ** 31 - 1)),
  truncation_side: noted("ChatTemplate", oneOf("left", "right")),
  add_special_tokens: noted("ChatTemplate", flag),
  echo: notedWhen("Echo", isTrue, flag),
  ...ENGINE_SAMPLING,
  ...PROBABILITIES,
  ...CONSTRAINED_OUTPUT,
  ...NEVER,
};

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/** POST /v1/chat/completions */
export const CHAT: Table = table({
  ...GENERATION,
  messages,
  max_completion_tokens: tokens,
  logprobs: notedWhen("Logprobs", isTrue, flag),
  top_logprobs: notedWhen("Logprobs", (value) => value !== 0, integer(0, 20)),
  tools,
  tool_choice: toolChoice,
  parallel_tool_calls: flag,
  functions,
  function_call: functionChoice,
  audio: noted(
    "Audio",
    object(
      {
        format: oneOf("wav", "aac", "mp3", "flac", "opus", "pcm16"),
        voice: either(text(256), object({ id: text(256) }, ["id"]), "a string or an object with an id"),
      },
      ["format", "voice"],
    ),
  ),
  modalities: notedWhen(
    "Audio",
    (value) => Array.isArray(value) && value.includes("audio"),
    list(oneOf("text", "audio"), 2),
  ),
  metadata,
  store: notedWhen("Storage", isTrue, flag),
  prediction: object({ type: oneOf("content"), content: textContent }, ["type", "content"]),
  prompt_cache_key: text(1024),
  prompt_cache_options: object({ mode: oneOf("implicit", "explicit"), ttl: oneOf("30m") }),
  prompt_cache_retention: oneOf("in_memory", "24h"),
  reasoning_effort: oneOf(...EFFORTS),
  // Ollama's spelling of it.
  reasoning: object({ effort: oneOf(...EFFORTS) }),
  safety_identifier: text(1024),
  service_tier: oneOf("auto", "default", "flex", "scale", "priority", "fast"),
  verbosity: oneOf("low", "medium", "high"),
  web_search_options: object(
    {
      search_context_size: oneOf("low", "medium", "high"),
      user_location: object(
        {
          type: oneOf("approximate"),
          approximate: object({ city: text(256), country: text(256), region: text(256), timezone: text(256) }),
        },
        ["type", "approximate"],
      ),
    },
    [],
    "WebSearch",
  ),
  chat_template: noted("ChatTemplate", text()),
  chat_template_kwargs: noted(
    "ChatTemplate",
    mapOf(() => undefined, 256),
  ),
  add_generation_prompt: noted("ChatTemplate", flag),
  continue_final_message: noted("ChatTemplate", flag),
  documents: noted("ChatTemplate", list(mapOf(text(), 64), 1024)),
  reasoning_format: noted("ChatTemplate", text(64)),
});

/** POST /v1/completions */
export const COMPLETIONS: Table = table({
  ...GENERATION,
  prompt,
  // A number here, and 0 already tells the probability of each token.
  logprobs: noted("Logprobs", integer(0, 20)),
  suffix: notedWhen("Echo", (value) => value !== "", text()),
});

/** POST /v1/embeddings */
export const EMBEDDINGS: Table = table({
  model: name,
  input,
  dimensions: integer(1, 1 << 20),
  encoding_format: oneOf("float", "base64"),
  user: text(1024),
  truncate_prompt_tokens: sampling(integer(-1, 2 ** 31 - 1)),
  add_special_tokens: sampling(flag),
  priority: never(WHO),
  request_id: never("the audit's id is used"),
});
