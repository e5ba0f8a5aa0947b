/**
 * One exchange with a model, whatever the dialect it came in: what the decision, the guards, the limits and the audit look
 * at. A dialect's reader makes it from a request's bytes; nothing else does.
 */

/** What a caller can ask of an engine. `ModelAdmin` and the like join when a dialect recognises them. */
export const OPERATIONS = ["Chat", "Completions", "Embeddings", "ListModels"] as const;
export type Operation = (typeof OPERATIONS)[number];

/**
 * What a request may make use of beyond plain text and sampling. An Allow rule lets through what its `features` name; the
 * readers derive what a request uses.
 */
export const FEATURES = [
  "Streaming", // the answer as server-sent events
  "Tools", // tool or function definitions, choices, calls and results
  "MultipleChoices", // n > 1, best_of > 1
  "StructuredOutput", // response_format other than text, grammars, guided decoding
  "Logprobs", // log probabilities of the answer or the prompt
  "LogitBias", // pushes the engine towards or away from tokens
  "TokenArrays", // prompts as token numbers, which no guard can read
  "Images", // images inside the request
  "ImageUrls", // images that the engine would fetch
  "Audio",
  "Files",
  "Storage", // store, metadata: the engine keeps the exchange
  "WebSearch", // the engine searches by itself
  "ChatTemplate", // chat_template and its arguments: replaces what the guards have read
  "EngineSampling", // samplers of one engine (top_k, min_p, repetition_penalty …)
  "Echo", // the prompt in the answer, prefixed and suffixed texts
] as const;
export type Feature = (typeof FEATURES)[number];

export type DialectName = "openai";
export type Role = "system" | "developer" | "user" | "assistant" | "tool" | "function";

export interface Message {
  readonly role: Role;
  /** All text of the message, parts joined by a newline. */
  readonly content: string;
  readonly name: string;
}

export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
}

export interface ToolCall {
  readonly name: string;
  /** JSON, or the text itself where it is none. */
  readonly arguments: unknown;
}

export interface Attachment {
  readonly kind: "image" | "audio" | "file";
  /** Absent when the content is inside the request. */
  readonly url: string;
}

export interface Exchange {
  readonly dialect: DialectName;
  readonly operation: Operation;
  /** Empty where the operation names none (ListModels). */
  readonly model: string;
  readonly streaming: boolean;
  /** In FEATURES' order, each once. */
  readonly features: readonly Feature[];
  readonly messages: readonly Message[];
  /** The system and developer messages' text, joined by a newline. */
  readonly system: string;
  /** Every text that the engine would read, joined by a newline; several parts of a message also as they read without one. */
  readonly text: string;
  readonly tools: readonly ToolDefinition[];
  /** Names of all tools that the request offers, forces, calls or answers, each once: what rules match `tools` against. */
  readonly toolNames: readonly string[];
  /** Calls found in the history. */
  readonly toolCalls: readonly ToolCall[];
  readonly attachments: readonly Attachment[];
  /** What the request asks for as the answer's ceiling, in tokens; 0 when it says nothing. */
  readonly maxTokens: number;
  /** How many answers it asks for (n). */
  readonly choices: number;
  /** Whether the caller asked to be sent usage in a stream. */
  readonly usageAsked: boolean;
  /**
   * About how many tokens the prompt has: the body's bytes / 4, rounded up, or its token numbers where they are more. An
   * estimate and no bound: a tokenizer may take fewer bytes a token (digits: one), so a prompt may cost four times as much.
   */
  readonly tokensEstimate: number;
  /** The request's top-level parameters other than the prompt itself. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** Why a request cannot be read as an exchange. `param` is a path ("messages[2].content"). */
export interface ReadingError {
  /** HTTP status to answer with. */
  readonly status: 400 | 404 | 405 | 411 | 413 | 415;
  /** Machine-readable, stable. */
  readonly code: string;
  readonly message: string;
  readonly param: string;
}

export type Reading =
  | { readonly ok: true; readonly exchange: Exchange; readonly body: RequestBody }
  | { readonly ok: false; readonly error: ReadingError };

/**
 * The body that was read, as it can be forwarded: unchanged, or with numbers and flags that the policy sets written into
 * the same text, so that nothing is forwarded which was not inspected.
 */
export interface RequestBody {
  /** The bytes to forward when nothing is changed: those that were read. */
  readonly bytes: Buffer;
  /** The same request with changes; throws if a change contradicts what was read. */
  rewrite(changes: BodyChanges): Buffer;
}

export interface BodyChanges {
  /** The answer's ceiling in tokens: set where the request names none, lowered where it names more. */
  readonly maxTokens?: number;
  /** Ask the engine for usage in the stream. */
  readonly includeUsage?: boolean;
}

/** Tokens as the engine counted them; 0 where it did not say. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}
