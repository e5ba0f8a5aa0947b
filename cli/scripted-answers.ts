/** What the scripted engine answers: a pure function of the request. */
import { createHash } from "node:crypto";

export type EngineRequest = Readonly<Record<string, unknown>>;

const MODELS = ["llama-3-8b", "mistral-7b", "llama-4-preview"];
const CREATED = 1_700_000_000;

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

interface Answer {
  readonly tokens: readonly string[];
  readonly finish: "stop" | "length";
}

export function models(): unknown {
  return {
    object: "list",
    data: MODELS.map((id) => ({ id, object: "model", created: CREATED, owned_by: "scripted" })),
  };
}

/** A whole chat or text completion. */
export function completion(request: EngineRequest, chat: boolean): unknown {
  const { tokens, finish } = answerTo(request);
  const text = tokens.join("");
  const choices = indexes(request).map((index) =>
    chat
      ? { index, message: { role: "assistant", content: text }, logprobs: null, finish_reason: finish }
      : { index, text, logprobs: null, finish_reason: finish },
  );
  return { ...head(request, chat ? "chat.completion" : "text_completion"), choices, usage: usageOf(request) };
}

/** The data of each event, `[DONE]` last. */
export function streamOf(request: EngineRequest, chat: boolean): readonly string[] {
  const { tokens, finish } = answerTo(request);
  const base = head(request, chat ? "chat.completion.chunk" : "text_completion");
  const events: unknown[] = [];
  for (const index of indexes(request)) {
    if (chat)
      events.push({ ...base, choices: [{ index, delta: { role: "assistant", content: "" }, finish_reason: null }] });
    for (const text of tokens) {
      const choice = chat ? { index, delta: { content: text } } : { index, text };
      events.push({ ...base, choices: [{ ...choice, finish_reason: null }] });
    }
    const last = chat ? { index, delta: {} } : { index, text: "" };
    events.push({ ...base, choices: [{ ...last, finish_reason: finish }] });
  }
  if (member(request["stream_options"], "include_usage") === true) {
    events.push({ ...base, choices: [], usage: usageOf(request) });
  }
  return [...events.map((event) => JSON.stringify(event)), "[DONE]"];
}

/** Eight numbers for each input, from its hash, of length 1. */
export function embeddings(request: EngineRequest): unknown {
  const input = request["input"];
  const inputs = Array.isArray(input) ? input : [input];
  const data = inputs.map((text: unknown, index) => {
    const bytes = createHash("sha256").update(JSON.stringify(text)).digest();
    const raw = Array.from({ length: 8 }, (_, i) => bytes.readInt16BE(i * 2));
    const length = Math.hypot(...raw) || 1;
    return { object: "embedding", index, embedding: raw.map((value) => value / length) };
  });
  const tokens = countTokens(JSON.stringify(input ?? ""));
  return { object: "list", model: request["model"], data, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function head(request: EngineRequest, object: string): object {
  const id = createHash("sha256").update(JSON.stringify(request)).digest("hex").slice(0, 24);
  return { id: `scripted-${id}`, object, created: CREATED, model: request["model"] };
}

/** Words about what was asked, cut at max_tokens; a word is a token. */
function answerTo(request: EngineRequest): Answer {
  const asked = promptOf(request).replace(/\s+/g, " ").trim().slice(0, 80);
  const words = `This engine is scripted. You said: ${asked === "" ? "nothing" : asked}`.split(" ");
  const tokens = words.map((word, i) => (i === 0 ? word : ` ${word}`));
  const ceiling = request["max_completion_tokens"] ?? request["max_tokens"];
  if (typeof ceiling !== "number" || ceiling >= tokens.length) return { tokens, finish: "stop" };
  return { tokens: tokens.slice(0, ceiling), finish: "length" };
}

function usageOf(request: EngineRequest): Usage {
  const prompt = countTokens(promptOf(request));
  const answered = answerTo(request).tokens.length * indexes(request).length;
  return { prompt_tokens: prompt, completion_tokens: answered, total_tokens: prompt + answered };
}

function countTokens(text: string): number {
  return text.split(/\s+/).filter((word) => word !== "").length;
}

/** The last message's text, or the prompt. */
function promptOf(request: EngineRequest): string {
  const messages = request["messages"];
  const content = Array.isArray(messages) ? member(messages.at(-1), "content") : request["prompt"];
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  const texts = content.map((part: unknown) => (typeof part === "string" ? part : member(part, "text")));
  return texts.filter((text) => typeof text === "string").join(" ");
}

function indexes(request: EngineRequest): readonly number[] {
  const n = request["n"];
  return Array.from({ length: typeof n === "number" && n >= 1 && n <= 16 ? Math.floor(n) : 1 }, (_, i) => i);
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}
