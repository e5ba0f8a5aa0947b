/**
 * What a checked request says, put together only when somebody asks: most policies read neither texts nor calls. Everything
 * here relies on the checks: a value that is there has its type.
 */
import type { Attachment, Message, Role, ToolCall, ToolDefinition } from "../exchange.ts";
import { readJsonText } from "../json.ts";
import { isObject, type JsonObject } from "./check.ts";

const NONE: readonly never[] = [];

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonObject[]) : NONE;
}

function string(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function member(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isObject(value) ? value : {};
}

function textsOf(content: unknown, into: string[]): void {
  if (typeof content === "string") into.push(content);
  else {
    for (const part of objects(content)) {
      if (typeof part["text"] === "string") into.push(part["text"]);
      if (typeof part["refusal"] === "string") into.push(part["refusal"]);
    }
  }
}

export function messagesOf(body: JsonObject): readonly Message[] {
  return objects(body["messages"]).map((message) => {
    const texts: string[] = [];
    // Thoughts and refusals of earlier turns are put before the engine again, as the answer is.
    for (const field of ["reasoning", "reasoning_content"])
      if (typeof message[field] === "string") texts.push(message[field]);
    textsOf(message["content"], texts);
    if (typeof message["refusal"] === "string") texts.push(message["refusal"]);
    return { role: message["role"] as Role, content: texts.join("\n"), name: string(message["name"]) };
  });
}

export function systemOf(messages: readonly Message[]): string {
  return messages
    .filter(({ role }) => role === "system" || role === "developer")
    .map(({ content }) => content)
    .join("\n");
}

export function toolsOf(body: JsonObject): readonly ToolDefinition[] {
  const definitions = [...objects(body["tools"]).map(bare), ...objects(body["functions"])];
  return definitions.map((definition) => ({
    name: string(definition["name"]),
    description: string(definition["description"]),
  }));
}

/** The part of a tool, a choice or a call that has its name. */
function bare(tool: JsonObject): JsonObject {
  return member(tool, tool["type"] === "custom" ? "custom" : "function");
}

export function toolCallsOf(body: JsonObject): readonly ToolCall[] {
  const calls: ToolCall[] = [];
  for (const message of objects(body["messages"])) {
    for (const call of objects(message["tool_calls"])) calls.push(callOf(bare(call)));
    if (isObject(message["function_call"])) calls.push(callOf(message["function_call"]));
  }
  return calls;
}

function callOf(call: JsonObject): ToolCall {
  const text = string(call["arguments"] ?? call["input"]);
  return { name: string(call["name"]), arguments: parsed(text) };
}

/** The arguments, unless two readers could take them apart differently: then they are the text that they are. */
function parsed(text: string): unknown {
  const reading = readJsonText(text);
  return typeof reading === "string" ? text : reading.value;
}

export function toolNamesOf(body: JsonObject): readonly string[] {
  const names = new Set<string>();
  for (const { name } of toolsOf(body)) names.add(name);
  const choice = body["tool_choice"];
  if (isObject(choice)) {
    if (choice["type"] === "allowed_tools") {
      for (const tool of objects(member(choice, "allowed_tools")["tools"])) names.add(string(bare(tool)["name"]));
    } else names.add(string(bare(choice)["name"]));
  }
  if (isObject(body["function_call"])) names.add(string(body["function_call"]["name"]));
  for (const { name } of toolCallsOf(body)) names.add(name);
  for (const message of objects(body["messages"])) {
    const answers = message["role"] === "tool" || message["role"] === "function";
    if (answers && typeof message["name"] === "string") names.add(message["name"]);
  }
  return [...names];
}

export function attachmentsOf(body: JsonObject): readonly Attachment[] {
  const attachments: Attachment[] = [];
  for (const message of objects(body["messages"])) {
    for (const part of objects(message["content"])) {
      if (part["type"] === "image_url")
        attachments.push({ kind: "image", url: fetched(string(member(part, "image_url")["url"])) });
      else if (part["type"] === "input_audio") attachments.push({ kind: "audio", url: "" });
      else if (part["type"] === "file") attachments.push({ kind: "file", url: "" });
    }
  }
  return attachments;
}

function fetched(url: string): string {
  return url.slice(0, 5).toLowerCase() === "data:" ? "" : url;
}

/** Parameters whose value is text, or is given to the model as text by some engine's template. */
const TEXT_PARAMETERS = [
  "suffix",
  "chat_template",
  "chat_template_kwargs",
  "documents",
  "tools",
  "functions",
  "response_format",
  "json_schema",
  "guided_json",
  "guided_choice",
  "structured_outputs",
  "web_search_options",
];

/**
 * Every text that the engine would read, joined by a newline: no text of the body that can reach the model is left out. Some
 * templates join a message's parts by a newline and others by nothing, so parts are there in both readings.
 */
export function textOf(body: JsonObject, messages: readonly Message[]): string {
  const texts: string[] = [];
  for (const { name, content } of messages) {
    if (name !== "") texts.push(name);
    if (content !== "") texts.push(content);
  }
  for (const message of objects(body["messages"])) {
    pushUnbroken(message["content"], texts);
    // Some templates write ids out, and they are the caller's own words.
    if (typeof message["tool_call_id"] === "string") texts.push(message["tool_call_id"]);
    for (const call of objects(message["tool_calls"])) {
      if (typeof call["id"] === "string") texts.push(call["id"]);
      pushCall(bare(call), texts);
    }
    if (isObject(message["function_call"])) pushCall(message["function_call"], texts);
    for (const part of objects(message["content"])) {
      const file = member(part, "file");
      if (typeof file["filename"] === "string") texts.push(file["filename"]);
    }
  }
  for (const field of ["prompt", "input"]) pushStrings(body[field], texts);
  const { content: prediction } = member(body, "prediction");
  textsOf(prediction, texts);
  pushUnbroken(prediction, texts);
  for (const field of TEXT_PARAMETERS) pushStrings(body[field], texts);
  return texts.join("\n");
}

/** Several texts of one content as they read with nothing between them. */
function pushUnbroken(content: unknown, texts: string[]): void {
  if (!Array.isArray(content) || content.length < 2) return;
  const parts: string[] = [];
  textsOf(content, parts);
  if (parts.length > 1) texts.push(parts.join(""));
}

function pushCall(call: JsonObject, texts: string[]): void {
  texts.push(string(call["name"]));
  const text = string(call["arguments"] ?? call["input"]);
  if (text !== "") texts.push(text);
}

/** All strings in a value, keys included: a schema's property names and descriptions are read by the model too. */
function pushStrings(value: unknown, texts: string[]): void {
  if (typeof value === "string") texts.push(value);
  else if (Array.isArray(value)) for (const element of value) pushStrings(element, texts);
  else if (isObject(value)) {
    for (const key in value) {
      texts.push(key);
      pushStrings(value[key], texts);
    }
  }
}

const PROMPTS: ReadonlySet<string> = new Set(["messages", "prompt", "input"]);

export function paramsOf(body: JsonObject): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !PROMPTS.has(key)));
}
