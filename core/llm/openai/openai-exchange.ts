/** A request of OpenAI's dialect as an exchange. What decisions always read is there; the rest is put together when asked for. */
import type { Attachment, Exchange, Feature, Message, Operation, ToolCall, ToolDefinition } from "../exchange.ts";
import type { JsonObject } from "./check.ts";
import { attachmentsOf, messagesOf, paramsOf, systemOf, textOf, toolCallsOf, toolNamesOf, toolsOf } from "./views.ts";

export interface Head {
  readonly operation: Operation;
  readonly model: string;
  readonly streaming: boolean;
  readonly features: readonly Feature[];
  readonly maxTokens: number;
  readonly choices: number;
  readonly usageAsked: boolean;
  readonly tokensEstimate: number;
}

export class OpenAiExchange implements Exchange {
  readonly dialect = "openai";
  readonly operation: Operation;
  readonly model: string;
  readonly streaming: boolean;
  readonly features: readonly Feature[];
  readonly maxTokens: number;
  readonly choices: number;
  readonly usageAsked: boolean;
  readonly tokensEstimate: number;
  readonly #body: JsonObject;
  #messages: readonly Message[] | undefined;
  #system: string | undefined;
  #text: string | undefined;
  #tools: readonly ToolDefinition[] | undefined;
  #toolNames: readonly string[] | undefined;
  #toolCalls: readonly ToolCall[] | undefined;
  #attachments: readonly Attachment[] | undefined;
  #params: Readonly<Record<string, unknown>> | undefined;

  constructor(head: Head, body: JsonObject) {
    this.operation = head.operation;
    this.model = head.model;
    this.streaming = head.streaming;
    this.features = head.features;
    this.maxTokens = head.maxTokens;
    this.choices = head.choices;
    this.usageAsked = head.usageAsked;
    this.tokensEstimate = head.tokensEstimate;
    this.#body = body;
  }

  get messages(): readonly Message[] {
    return (this.#messages ??= messagesOf(this.#body));
  }

  get system(): string {
    return (this.#system ??= systemOf(this.messages));
  }

  get text(): string {
    return (this.#text ??= textOf(this.#body, this.messages));
  }

  get tools(): readonly ToolDefinition[] {
    return (this.#tools ??= toolsOf(this.#body));
  }

  get toolNames(): readonly string[] {
    return (this.#toolNames ??= toolNamesOf(this.#body));
  }

  get toolCalls(): readonly ToolCall[] {
    return (this.#toolCalls ??= toolCallsOf(this.#body));
  }

  get attachments(): readonly Attachment[] {
    return (this.#attachments ??= attachmentsOf(this.#body));
  }

  get params(): Readonly<Record<string, unknown>> {
    return (this.#params ??= paramsOf(this.#body));
  }
}
