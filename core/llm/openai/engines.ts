/** What engines read beside OpenAI's parameters from the same body: what a policy can allow, and what is never passed on. */
import { either, flag, integer, list, never, noted, notedWhen, number, text, type Check } from "./check.ts";

const MAX_INT32 = 2 ** 31 - 1;
export const anyInteger: Check = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const anyNumber = number(-1e9, 1e9);
const tokenIds = list(integer(0, MAX_INT32), 65_536);
export const isTrue = (value: unknown): boolean => value === true;

export const sampling = (check: Check): Check => noted("EngineSampling", check);

/** Samplers of one engine. */
export const ENGINE_SAMPLING: Readonly<Record<string, Check>> = {
  // vLLM
  use_beam_search: sampling(flag),
  top_k: sampling(anyInteger),
  min_p: sampling(number(0, 1)),
  repetition_penalty: sampling(anyNumber),
  length_penalty: sampling(anyNumber),
  stop_token_ids: sampling(tokenIds),
  include_stop_str_in_output: sampling(flag),
  min_tokens: sampling(integer(0, MAX_INT32)),
  skip_special_tokens: sampling(flag),
  spaces_between_special_tokens: sampling(flag),
  thinking_token_budget: sampling(anyInteger),
  include_reasoning: sampling(flag),
  allowed_token_ids: noted("LogitBias", tokenIds),
  bad_words: noted("LogitBias", list(text(1024), 1024)),
  // llama.cpp
  top_n_sigma: sampling(anyNumber),
  typical_p: sampling(anyNumber),
  xtc_probability: sampling(anyNumber),
  xtc_threshold: sampling(anyNumber),
  dynatemp_range: sampling(anyNumber),
  dynatemp_exponent: sampling(anyNumber),
  repeat_last_n: sampling(anyInteger),
  repeat_penalty: sampling(anyNumber),
  dry_multiplier: sampling(anyNumber),
  dry_base: sampling(anyNumber),
  dry_allowed_length: sampling(anyInteger),
  dry_penalty_last_n: sampling(anyInteger),
  dry_sequence_breakers: sampling(list(text(256), 256)),
  mirostat: sampling(integer(0, 2)),
  mirostat_tau: sampling(anyNumber),
  mirostat_eta: sampling(anyNumber),
  adaptive_target: sampling(anyNumber),
  adaptive_decay: sampling(anyNumber),
  min_keep: sampling(anyInteger),
  samplers: sampling(either(text(256), list(text(64), 64), "a string or an array of strings")),
  reasoning_budget_tokens: sampling(anyInteger),
  thinking_budget_tokens: sampling(anyInteger),
};

/** What tells the probabilities of the answer or the prompt. */
export const PROBABILITIES: Readonly<Record<string, Check>> = {
  prompt_logprobs: noted("Logprobs", integer(-1, 1024)),
  logprob_token_ids: noted("Logprobs", tokenIds),
  n_probs: notedWhen("Logprobs", (value) => value !== 0, integer(0, 1024)),
  post_sampling_probs: notedWhen("Logprobs", isTrue, flag),
};

export const WHO = "it concerns how the engine serves everyone";
const UNREAD = "no guard could read it";

/** Known to an engine, and refused whatever the policy says: named, so that the caller learns why. */
export const NEVER: Readonly<Record<string, Check>> = {
  // vLLM
  ignore_eos: never("it makes the engine go on past the answer's end"),
  priority: never(WHO),
  request_id: never("the audit's id is used"),
  session_id: never("the audit's id is used"),
  cache_salt: never(WHO),
  kv_transfer_params: never(WHO),
  ec_transfer_params: never(WHO),
  vllm_xargs: never(WHO),
  logits_processors: never("it names code for the engine to run"),
  guided_decoding_backend: never(WHO),
  media_io_kwargs: never(WHO),
  mm_processor_kwargs: never(WHO),
  prompt_embeds: never(UNREAD),
  return_token_ids: never(UNREAD),
  return_tokens_as_token_ids: never(UNREAD),
  return_prompt_text: never("it would repeat the prompt in the answer"),
  stream_interval: never(WHO),
  // llama.cpp
  n_predict: never("max_tokens says it"),
  n_cmpl: never("n says it"),
  n_keep: never(WHO),
  n_discard: never(WHO),
  n_indent: never(WHO),
  n_cache_reuse: never(WHO),
  cache_prompt: never(WHO),
  id_slot: never(WHO),
  slot_id: never(WHO),
  lora: never("adapters are models of their own"),
  t_max_predict_ms: never(WHO),
  response_fields: never("it takes away what the answer is read by"),
  timings_per_token: never(WHO),
  return_progress: never(WHO),
  return_tokens: never(UNREAD),
  backend_sampling: never(WHO),
  chat_format: never("it changes how the answer is parsed"),
  chat_parser: never("it changes how the answer is parsed"),
  parse_tool_calls: never("it changes how the answer is parsed"),
  generation_prompt: never("it changes how the answer is parsed"),
  "speculative.n_max": never(WHO),
  "speculative.n_min": never(WHO),
  "speculative.p_min": never(WHO),
  "speculative.type": never(WHO),
  // Ollama
  _debug_render_only: never("it would repeat the prompt in the answer"),
  // OpenAI
  moderation: never("it names a model that no rule has looked at"),
};
