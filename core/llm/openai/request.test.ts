import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Route } from "../dialect.ts";
import type { Exchange, Feature, Operation, ReadingError } from "../exchange.ts";
import { FEATURES } from "../exchange.ts";
import { readRequest } from "./request.ts";
import { routeOf } from "./routes.ts";

const PATHS = {
  Chat: "/v1/chat/completions",
  Completions: "/v1/completions",
  Embeddings: "/v1/embeddings",
  ListModels: "/v1/models",
} as const satisfies Record<Operation, string>;

function route(operation: Operation): Route {
  const routing = routeOf(operation === "ListModels" ? "GET" : "POST", PATHS[operation], "application/json");
  if (!routing.ok) throw new Error(routing.error.message);
  return routing.route;
}

const BASES: Record<Operation, Record<string, unknown>> = {
  Chat: { model: "m", messages: [{ role: "user", content: "hi" }] },
  Completions: { model: "m", prompt: "hi" },
  Embeddings: { model: "m", input: "hi" },
  ListModels: {},
};

type Sent = Record<string, unknown>;

function read(operation: Operation, extra: Sent | string = {}): Exchange {
  const text = typeof extra === "string" ? extra : JSON.stringify({ ...BASES[operation], ...extra });
  const reading = readRequest(route(operation), Buffer.from(text));
  if (!reading.ok) throw new Error(`${reading.error.code} ${reading.error.param}: ${reading.error.message}`);
  return reading.exchange;
}

function refused(operation: Operation, extra: Sent | string): ReadingError {
  const text = typeof extra === "string" ? extra : JSON.stringify({ ...BASES[operation], ...extra });
  const reading = readRequest(route(operation), Buffer.from(text));
  if (reading.ok) throw new Error(`read: ${text}`);
  return reading.error;
}

function chat(...messages: unknown[]): Sent {
  return { messages };
}

function user(...content: unknown[]): Sent {
  return chat({ role: "user", content });
}

const TOOL = {
  type: "function",
  function: {
    name: "search",
    description: "Looks things up.",
    parameters: { type: "object", properties: { q: { type: "string" } } },
  },
};
const CALL = { id: "c1", type: "function", function: { name: "search", arguments: '{"q":"x"}' } };

describe("features", () => {
  test.each<[Operation, Sent, Feature[]]>([
    ["Chat", {}, []],
    ["Chat", { stream: true }, ["Streaming"]],
    ["Chat", { stream: false }, []],
    ["Chat", { stream: null, n: null, tools: null, logprobs: null }, []],
    ["Chat", { stream: true, stream_options: { include_usage: true } }, ["Streaming"]],
    ["Chat", { tools: [TOOL] }, ["Tools"]],
    ["Chat", { tools: [] }, []],
    ["Chat", { tool_choice: "auto" }, ["Tools"]],
    ["Chat", { functions: [{ name: "f" }] }, ["Tools"]],
    ["Chat", { function_call: { name: "f" } }, ["Tools"]],
    ["Chat", chat({ role: "assistant", content: null, tool_calls: [CALL] }), ["Tools"]],
    ["Chat", chat({ role: "assistant", function_call: { name: "f", arguments: "" } }), ["Tools"]],
    ["Chat", chat({ role: "tool", tool_call_id: "c1", content: "found" }), ["Tools"]],
    ["Chat", chat({ role: "function", name: "f", content: null }), ["Tools"]],
    [
      "Chat",
      {
        tools: [
          {
            type: "custom",
            custom: { name: "c", format: { type: "grammar", grammar: { definition: "a", syntax: "lark" } } },
          },
        ],
      },
      ["Tools", "StructuredOutput"],
    ],
    ["Chat", { n: 1 }, []],
    ["Chat", { n: 2 }, ["MultipleChoices"]],
    ["Completions", { best_of: 3 }, ["MultipleChoices"]],
    ["Completions", { prompt: ["a", "b"] }, ["MultipleChoices"]],
    ["Completions", { prompt: ["a"] }, []],
    ["Embeddings", { input: ["a", "b"] }, []],
    ["Chat", { response_format: { type: "text" } }, []],
    ["Chat", { response_format: { type: "json_object" } }, ["StructuredOutput"]],
    [
      "Chat",
      { response_format: { type: "json_schema", json_schema: { name: "s", schema: {}, strict: true } } },
      ["StructuredOutput"],
    ],
    ["Chat", { guided_json: { type: "object" } }, ["StructuredOutput"]],
    ["Chat", { structured_outputs: { regex: "a+" } }, ["StructuredOutput"]],
    ["Chat", { grammar: 'root ::= "a"' }, ["StructuredOutput"]],
    ["Completions", { json_schema: {} }, ["StructuredOutput"]],
    ["Chat", { logprobs: true, top_logprobs: 3 }, ["Logprobs"]],
    ["Chat", { logprobs: false, top_logprobs: 0 }, []],
    ["Completions", { logprobs: 0 }, ["Logprobs"]],
    ["Chat", { prompt_logprobs: 0 }, ["Logprobs"]],
    ["Chat", { n_probs: 5 }, ["Logprobs"]],
    ["Chat", { logit_bias: { "50256": -100 } }, ["LogitBias"]],
    ["Chat", { logit_bias: {} }, []],
    ["Chat", { bad_words: ["x"] }, ["LogitBias"]],
    ["Completions", { prompt: [1, 2, 3] }, ["TokenArrays"]],
    ["Completions", { prompt: [[1, 2], [3]] }, ["MultipleChoices", "TokenArrays"]],
    ["Embeddings", { input: [1, 2, 3] }, ["TokenArrays"]],
    ["Chat", user({ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }), ["Images"]],
    ["Chat", user({ type: "image_url", image_url: { url: "DATA:image/png;base64,AA==" } }), ["Images"]],
    [
      "Chat",
      user({ type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } }),
      ["ImageUrls"],
    ],
    ["Chat", user({ type: "image_url", image_url: { url: "HTTP://169.254.169.254/" } }), ["ImageUrls"]],
    ["Chat", user({ type: "input_audio", input_audio: { data: "AA==", format: "wav" } }), ["Audio"]],
    ["Chat", { modalities: ["text"] }, []],
    ["Chat", { modalities: ["text", "audio"], audio: { format: "wav", voice: "ash" } }, ["Audio"]],
    ["Chat", user({ type: "file", file: { file_id: "f1" } }), ["Files"]],
    ["Chat", { store: true, metadata: { a: "b" } }, ["Storage"]],
    ["Chat", { store: false }, []],
    ["Chat", { web_search_options: {} }, ["WebSearch"]],
    ["Chat", { chat_template: "{{ messages }}" }, ["ChatTemplate"]],
    ["Chat", { chat_template_kwargs: { enable_thinking: false } }, ["ChatTemplate"]],
    ["Chat", { add_generation_prompt: false }, ["ChatTemplate"]],
    ["Chat", { continue_final_message: true }, ["ChatTemplate"]],
    ["Chat", { documents: [{ title: "t", text: "x" }] }, ["ChatTemplate"]],
    ["Chat", { truncate_prompt_tokens: 10 }, ["ChatTemplate"]],
    ["Chat", { top_k: 40 }, ["EngineSampling"]],
    ["Chat", { min_p: 0.05, repetition_penalty: 1.1 }, ["EngineSampling"]],
    ["Completions", { mirostat: 2, dry_multiplier: 0.8 }, ["EngineSampling"]],
    ["Chat", { echo: true }, ["Echo"]],
    ["Completions", { echo: false, suffix: "" }, []],
    ["Completions", { suffix: "end" }, ["Echo"]],
  ])("%s %j", (operation, extra, features) => {
    expect(read(operation, extra).features).toEqual(features);
  });

  test("stand in their order, each once, whatever the order in the body", () => {
    const extra = { top_k: 1, tools: [TOOL], stream: true, min_p: 0.1, n: 2, tool_choice: "auto" };
    const { features } = read("Chat", extra);
    expect(features).toEqual(
      FEATURES.filter((feature) => ["Streaming", "Tools", "MultipleChoices", "EngineSampling"].includes(feature)),
    );
  });
});

describe("what is refused", () => {
  test.each<[Operation, Sent | string, string, string]>([
    ["Chat", "[]", "invalid_parameter", ""],
    ["Chat", "{}", "missing_parameter", "model"],
    ["Chat", '{"model":null,"messages":[]}', "missing_parameter", "model"],
    ["Chat", '{"model":"m"}', "missing_parameter", "messages"],
    ["Chat", '{"model":"m","messages":[{"role":"user","content":"a"}],"model":"n"}', "duplicate_key", ""],
    ["Chat", '{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}', "duplicate_key", ""],
    ["Chat", { Model: "other" }, "unknown_parameter", "Model"],
    ["Chat", { mod: 1 }, "unknown_parameter", "mod"],
    ["Chat", { "a\nb": 1 }, "unknown_parameter", '"a\\nb"'],
    ["Chat", { prompt: "other text" }, "unknown_parameter", "prompt"],
    ["Completions", { messages: [] }, "unknown_parameter", "messages"],
    ["Embeddings", { messages: [] }, "unknown_parameter", "messages"],
    ["Embeddings", { stream: true }, "unknown_parameter", "stream"],
    ["Chat", { model: "" }, "invalid_parameter", "model"],
    ["Chat", { model: "a\u0000b" }, "invalid_parameter", "model"],
    ["Chat", { model: ["m"] }, "invalid_parameter", "model"],
    ["Chat", { messages: [] }, "invalid_parameter", "messages"],
    ["Chat", { messages: "hi" }, "invalid_parameter", "messages"],
    ["Chat", chat("hi"), "invalid_parameter", "messages[0]"],
    ["Chat", chat({ content: "hi" }), "missing_parameter", "messages[0].role"],
    ["Chat", chat({ role: "root", content: "hi" }), "invalid_parameter", "messages[0].role"],
    ["Chat", chat({ role: "__proto__", content: "hi" }), "invalid_parameter", "messages[0].role"],
    ["Chat", chat({ role: "user" }), "missing_parameter", "messages[0].content"],
    ["Chat", chat({ role: "user", content: null }), "missing_parameter", "messages[0].content"],
    ["Chat", chat({ role: "user", content: 1 }), "invalid_parameter", "messages[0].content"],
    ["Chat", chat({ role: "user", content: "a", tool_calls: [CALL] }), "unknown_parameter", "messages[0].tool_calls"],
    ["Chat", chat({ role: "user", content: "a", uuid: "x" }), "unknown_parameter", "messages[0].uuid"],
    ["Chat", chat({ role: "tool", content: "a" }), "missing_parameter", "messages[0].tool_call_id"],
    ["Chat", user("text"), "invalid_parameter", "messages[0].content[0]"],
    ["Chat", user({ text: "a" }), "invalid_parameter", "messages[0].content[0].type"],
    ["Chat", user({ type: "text" }), "missing_parameter", "messages[0].content[0].text"],
    [
      "Chat",
      user({ type: "text", text: "a", image_url: { url: "file:///etc/passwd" } }),
      "unknown_parameter",
      "messages[0].content[0].image_url",
    ],
    ["Chat", user({ type: "text", text: "a", uuid: "1" }), "unknown_parameter", "messages[0].content[0].uuid"],
    [
      "Chat",
      user({ type: "image_url", image_url: { url: "file:///etc/passwd" } }),
      "invalid_parameter",
      "messages[0].content[0].image_url.url",
    ],
    [
      "Chat",
      user({ type: "image_url", image_url: { url: " https://x" } }),
      "invalid_parameter",
      "messages[0].content[0].image_url.url",
    ],
    [
      "Chat",
      user({ type: "image_url", image_url: "https://x" }),
      "invalid_parameter",
      "messages[0].content[0].image_url",
    ],
    [
      "Chat",
      user({ type: "video_url", video_url: { url: "https://x" } }),
      "invalid_parameter",
      "messages[0].content[0].type",
    ],
    ["Chat", user({ type: "refusal", refusal: "no" }), "invalid_parameter", "messages[0].content[0].type"],
    [
      "Chat",
      chat({ role: "system", content: [{ type: "image_url", image_url: { url: "data:," } }] }),
      "invalid_parameter",
      "messages[0].content[0].type",
    ],
    ["Chat", { tools: [{ type: "mcp", server_url: "https://x" }] }, "invalid_parameter", "tools[0].type"],
    ["Chat", { tools: [{ type: "function", function: {} }] }, "missing_parameter", "tools[0].function.name"],
    [
      "Chat",
      { tools: [{ type: "function", function: { name: "f", url: "x" } }] },
      "unknown_parameter",
      "tools[0].function.url",
    ],
    ["Chat", { tool_choice: "maybe" }, "invalid_parameter", "tool_choice"],
    [
      "Chat",
      chat({ role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: {} } }] }),
      "invalid_parameter",
      "messages[0].tool_calls[0].function.arguments",
    ],
    ["Chat", { response_format: { type: "python" } }, "invalid_parameter", "response_format.type"],
    ["Chat", { response_format: { type: "text", schema: {} } }, "unknown_parameter", "response_format.schema"],
    ["Chat", { stream_options: { include_usage: true } }, "invalid_parameter", "stream_options"],
    ["Chat", { stream: true, stream_options: { other: true } }, "unknown_parameter", "stream_options.other"],
    ["Chat", { stream: "true" }, "invalid_parameter", "stream"],
    ["Chat", { stream: 1 }, "invalid_parameter", "stream"],
    ["Chat", { max_tokens: 0 }, "invalid_parameter", "max_tokens"],
    ["Chat", { max_tokens: -1 }, "invalid_parameter", "max_tokens"],
    ["Chat", { max_tokens: 1.5 }, "invalid_parameter", "max_tokens"],
    ["Chat", { max_tokens: 2 ** 31 }, "invalid_parameter", "max_tokens"],
    ["Chat", { max_tokens: "16" }, "invalid_parameter", "max_tokens"],
    ["Chat", { max_tokens: 5, max_completion_tokens: 6 }, "invalid_parameter", "max_completion_tokens"],
    [
      "Chat",
      '{"model":"m","messages":[{"role":"user","content":"a"}],"temperature":1e999}',
      "invalid_parameter",
      "temperature",
    ],
    ["Chat", { temperature: 2.1 }, "invalid_parameter", "temperature"],
    ["Chat", { n: 0 }, "invalid_parameter", "n"],
    ["Chat", { n: 129 }, "invalid_parameter", "n"],
    ["Completions", { n: 3, best_of: 2 }, "invalid_parameter", "best_of"],
    ["Chat", { logit_bias: { a: 101 } }, "invalid_parameter", "logit_bias"],
    ["Chat", { stop: [1] }, "invalid_parameter", "stop"],
    ["Completions", { prompt: [] }, "invalid_parameter", "prompt"],
    ["Completions", { prompt: ["a", 1] }, "invalid_parameter", "prompt[1]"],
    ["Completions", { prompt: [1, "a"] }, "invalid_parameter", "prompt[1]"],
    ["Completions", { prompt: [[1], "a"] }, "invalid_parameter", "prompt[1]"],
    ["Completions", { prompt: [[1, -1]] }, "invalid_parameter", "prompt[0][1]"],
    ["Completions", { prompt: { prompt_string: "a", multimodal_data: [] } }, "invalid_parameter", "prompt"],
    ["Embeddings", { encoding_format: "hex" }, "invalid_parameter", "encoding_format"],
  ])("%s %j", (operation, extra, code, param) => {
    expect(refused(operation, extra)).toMatchObject({ status: 400, code, param });
  });

  test.each([
    "ignore_eos",
    "lora",
    "id_slot",
    "cache_prompt",
    "n_predict",
    "priority",
    "request_id",
    "cache_salt",
    "kv_transfer_params",
    "vllm_xargs",
    "logits_processors",
    "prompt_embeds",
    "return_token_ids",
    "speculative.n_max",
    "t_max_predict_ms",
    "chat_parser",
    "response_fields",
    "_debug_render_only",
  ])("%s is never passed on, and the caller learns why", (name) => {
    for (const operation of ["Chat", "Completions"] as const) {
      const error = refused(operation, { [name]: 1 });
      expect(error).toMatchObject({ code: "unsupported_parameter", param: name });
      expect(error.message).toMatch(/is not passed on: \w+/);
    }
  });

  const UNSEEN = [
    "\u0000",
    "\u0085",
    "\u00ad",
    "\u200b",
    "\u202e",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ue000",
    "\u{e0041}",
  ];
  const named: readonly [string, (name: string) => Sent][] = [
    ["model", (name) => ({ model: name })],
    ["messages[0].name", (name) => chat({ role: "user", content: "a", name })],
    ["messages[0].name", (name) => chat({ role: "function", content: "a", name })],
    ["tools[0].function.name", (name) => ({ tools: [{ type: "function", function: { name } }] })],
    ["tools[0].custom.name", (name) => ({ tools: [{ type: "custom", custom: { name } }] })],
    ["tool_choice.function.name", (name) => ({ tool_choice: { type: "function", function: { name } } })],
    ["functions[0].name", (name) => ({ functions: [{ name }] })],
    ["function_call.name", (name) => ({ function_call: { name } })],
    [
      "messages[0].tool_calls[0].function.name",
      (name) =>
        chat({ role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name, arguments: "" } }] }),
    ],
    ["messages[0].function_call.name", (name) => chat({ role: "assistant", function_call: { name, arguments: "" } })],
  ];

  test.each(named)("a name at %s that looks like another", (param, extra) => {
    for (const unseen of UNSEEN) {
      for (const name of [`${unseen}llama`, `lla${unseen}ma`, `llama${unseen}`]) {
        expect(refused("Chat", extra(name))).toMatchObject({
          code: "invalid_parameter",
          param,
          message: `${param} must not have control characters or others that cannot be seen`,
        });
      }
    }
    for (const blank of [" ", "\u00a0", "\u2003", "\u3000"]) {
      for (const name of [`${blank}llama`, `llama${blank}`, blank]) {
        expect(refused("Chat", extra(name))).toMatchObject({
          code: "invalid_parameter",
          param,
          message: `${param} must not begin or end with a blank`,
        });
      }
    }
    for (const name of ["llama 3", "meta-llama/Llama-3.1-8B:fp8", "модель", "模型", "lama\u0301", "🦙"]) {
      expect(read("Chat", extra(name)).operation).toBe("Chat");
    }
  });

  test("a body that is too long is 413, and a model list takes none", () => {
    const reading = readRequest(route("Chat"), Buffer.from(JSON.stringify(BASES.Chat)), {
      maxBytes: 10,
      maxDepth: 64,
      maxNodes: 100,
    });
    expect(reading).toMatchObject({ ok: false, error: { status: 413, code: "too_large" } });
    expect(refused("ListModels", "{}")).toMatchObject({ status: 400, code: "unexpected_body" });
  });

  test("messages never show what the caller has written, but for a parameter's name", () => {
    const secret = "sk-secret";
    for (const extra of [
      { stop: { [secret]: secret } },
      { logit_bias: { [secret]: secret } },
      { temperature: secret },
      chat({ role: secret, content: "" }),
      user({ type: secret }),
    ]) {
      expect(refused("Chat", extra).message).not.toContain(secret);
    }
  });
});

describe("what an exchange says", () => {
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "developer", content: [{ type: "text", text: "No jokes." }] },
    {
      role: "user",
      name: "ann",
      content: [
        { type: "text", text: "Look:" },
        { type: "image_url", image_url: { url: "https://x/a.png" } },
        { type: "text", text: "what?" },
      ],
    },
    {
      role: "assistant",
      content: null,
      reasoning_content: "hm",
      tool_calls: [CALL, { id: "c2", type: "custom", custom: { name: "shell", input: "not {json" } }],
    },
    { role: "tool", tool_call_id: "c1", content: "found" },
  ];
  const exchange = read("Chat", {
    messages,
    tools: [TOOL, { type: "custom", custom: { name: "shell", description: "Runs." } }],
    tool_choice: {
      type: "allowed_tools",
      allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "other" } }] },
    },
    max_completion_tokens: 100,
    n: 3,
    stream: true,
    stream_options: { include_usage: true },
    response_format: {
      type: "json_schema",
      json_schema: { name: "s", schema: { properties: { hidden_key: { description: "a hidden text" } } } },
    },
  });

  test("messages and the system's text", () => {
    expect(exchange.messages).toEqual([
      { role: "system", content: "Be brief.", name: "" },
      { role: "developer", content: "No jokes.", name: "" },
      { role: "user", content: "Look:\nwhat?", name: "ann" },
      { role: "assistant", content: "hm", name: "" },
      { role: "tool", content: "found", name: "" },
    ]);
    expect(exchange.system).toBe("Be brief.\nNo jokes.");
  });

  test("tools: those offered, forced, called, by name", () => {
    expect(exchange.tools).toEqual([
      { name: "search", description: "Looks things up." },
      { name: "shell", description: "Runs." },
    ]);
    expect(exchange.toolNames).toEqual(["search", "shell", "other"]);
    expect(exchange.toolCalls).toEqual([
      { name: "search", arguments: { q: "x" } },
      { name: "shell", arguments: "not {json" },
    ]);
  });

  test("a call's arguments that could be read in two ways, or are too deep, stay text", () => {
    for (const text of ['{"q":1,"q":2}', "[".repeat(100_000) + "]".repeat(100_000), "{", ""]) {
      const call = { id: "c1", type: "function", function: { name: "f", arguments: text } };
      expect(read("Chat", chat({ role: "assistant", tool_calls: [call] })).toolCalls).toEqual([
        { name: "f", arguments: text },
      ]);
    }
  });

  test("attachments, and the data of one that is inside the request is not its address", () => {
    expect(exchange.attachments).toEqual([{ kind: "image", url: "https://x/a.png" }]);
    const inside = read("Chat", user({ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }));
    expect(inside.attachments).toEqual([{ kind: "image", url: "" }]);
  });

  test("numbers", () => {
    expect(exchange).toMatchObject({
      dialect: "openai",
      operation: "Chat",
      model: "m",
      streaming: true,
      usageAsked: true,
      maxTokens: 100,
      choices: 3,
    });
    expect(read("Completions", { prompt: ["a", "b"], n: 2, best_of: 3 }).choices).toBe(6);
    expect(read("Chat").tokensEstimate).toBe(Math.ceil(JSON.stringify(BASES.Chat).length / 4));
    expect(read("Embeddings", { input: Array.from({ length: 500 }, () => 7) }).tokensEstimate).toBe(500);
    expect(read("Chat", { max_tokens: 7 }).maxTokens).toBe(7);
    expect(read("Chat").maxTokens).toBe(0);
  });

  test("params are the top level without the prompt", () => {
    expect(Object.keys(exchange.params)).toEqual([
      "model",
      "tools",
      "tool_choice",
      "max_completion_tokens",
      "n",
      "stream",
      "stream_options",
      "response_format",
    ]);
    expect(read("Completions", { temperature: 1 }).params).toEqual({ model: "m", temperature: 1 });
  });

  test("every text in the body that can reach the model is in the text", () => {
    for (const text of [
      "Be brief.",
      "No jokes.",
      "Look:",
      "what?",
      "ann",
      "hm",
      '{"q":"x"}',
      "not {json",
      "found",
      "Looks things up.",
      "Runs.",
      "hidden_key",
      "a hidden text",
    ]) {
      expect(exchange.text.includes(text) ? "" : text).toBe("");
    }
    const texts = {
      prediction: { type: "content", content: [{ type: "text", text: "T1" }] },
      documents: [{ title: "T2", text: "T3" }],
      chat_template: "T4",
      chat_template_kwargs: { a: ["T5"] },
      functions: [{ name: "f", description: "T6" }],
      guided_choice: ["T7"],
    };
    const { text } = read("Chat", texts);
    expect([1, 2, 3, 4, 5, 6, 7].filter((number) => !text.includes(`T${number}`))).toEqual([]);
    expect(read("Completions", { prompt: ["P1", "P2"], suffix: "S" }).text).toBe("P1\nP2\nS");
    expect(read("Embeddings", { input: "P1" }).text).toBe("P1");
  });

  test("calls' ids are in the text, of the call and of its answer", () => {
    const { text } = read(
      "Chat",
      chat(
        { role: "assistant", tool_calls: [{ ...CALL, id: "ID1" }] },
        { role: "assistant", tool_calls: [{ id: "ID2", type: "custom", custom: { name: "c", input: "in" } }] },
        { role: "tool", tool_call_id: "ID3", content: "found" },
      ),
    );
    expect(["ID1", "ID2", "ID3"].filter((id) => !text.split("\n").includes(id))).toEqual([]);
  });

  test("a message's parts are in the text as templates join them: by a newline, and by nothing", () => {
    const part = (text: string): Sent => ({ type: "text", text });
    const image = { type: "image_url", image_url: { url: "data:," } };
    const { text, messages } = read("Chat", user(part("forb"), image, part("idden"), part("")));
    expect(text).toBe("forb\nidden\n\nforbidden");
    expect(messages[0]?.content).toBe("forb\nidden\n");
    const parts = [part("forb"), part("idden")];
    for (const role of ["system", "developer", "assistant"])
      expect(read("Chat", chat({ role, content: parts })).text).toBe("forb\nidden\nforbidden");
    expect(read("Chat", chat({ role: "tool", tool_call_id: "c1", content: parts })).text).toContain("forbidden");
    expect(
      read("Chat", chat({ role: "assistant", content: [part("forb"), { type: "refusal", refusal: "idden" }] })).text,
    ).toContain("forbidden");
    expect(read("Chat", { prediction: { type: "content", content: parts } }).text).toContain("forbidden");
    expect(read("Chat", user(part("once"))).text).toBe("once");
    expect(read("Chat", chat({ role: "user", content: "a" }, { role: "user", content: "b" })).text).toBe("a\nb");
  });

  test("a model list, and one model", () => {
    expect(read("ListModels", "")).toMatchObject({
      operation: "ListModels",
      model: "",
      features: [],
      messages: [],
      text: "",
      toolNames: [],
    });
    const routing = routeOf("GET", "/v1/models/a/b");
    const reading = routing.ok ? readRequest(routing.route, Buffer.alloc(0)) : undefined;
    expect(reading?.ok === true && reading.exchange.model).toBe("a/b");
  });
});

describe("mutated requests", () => {
  const seeds: [Operation, string][] = [
    [
      "Chat",
      JSON.stringify({
        ...BASES.Chat,
        messages: [
          { role: "system", content: "a" },
          {
            role: "user",
            content: [
              { type: "text", text: "b" },
              { type: "image_url", image_url: { url: "data:," } },
            ],
          },
          { role: "assistant", content: null, tool_calls: [CALL] },
          { role: "tool", tool_call_id: "c1", content: "d" },
        ],
        tools: [TOOL],
        tool_choice: "auto",
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 5,
        response_format: { type: "json_object" },
      }),
    ],
    [
      "Completions",
      JSON.stringify({ ...BASES.Completions, prompt: ["a", "b"], logprobs: 1, stop: ["x"], suffix: "s" }),
    ],
    ["Embeddings", JSON.stringify({ ...BASES.Embeddings, input: [[1, 2], [3]], encoding_format: "base64" })],
  ];
  const values = fc.oneof(
    fc.constantFrom(
      "null",
      "[]",
      "{}",
      '""',
      '"a"',
      "0",
      "-1",
      "1e99",
      "true",
      '{"role":"user"}',
      '{"type":"text","text":"x"}',
      '"file:///a"',
    ),
    fc.json({ maxDepth: 2 }),
  );

  /** Replaces one value in the tree, chosen by a number. */
  function mutate(text: string, place: number, value: string): string {
    const spans = [...text.matchAll(/(?<=[:[,])("(?:[^"\\]|\\.)*"|true|false|null|-?\d+|\{\}|\[\])(?=[,\]}])/g)];
    const span = spans[place % spans.length];
    return span === undefined ? text : text.slice(0, span.index) + value + text.slice(span.index + span[0].length);
  }

  test("never throw, and what is read can be asked for everything", () => {
    const property = fc.property(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(1000), values), { minLength: 1, maxLength: 3 }),
      ([operation, seed], changes) => {
        const text = changes.reduce((text, [place, value]) => mutate(text, place, value), seed);
        const bytes = Buffer.from(text);
        const reading = readRequest(route(operation), bytes);
        if (!reading.ok) {
          expect(reading.error.message).not.toBe("");
          return;
        }
        const { exchange, body } = reading;
        expect(body.bytes).toBe(bytes);
        const sent = JSON.parse(text) as { model: string; messages?: { role: string }[] };
        expect(exchange.model).toBe(sent.model);
        expect(exchange.messages.map(({ role }) => role)).toEqual((sent.messages ?? []).map(({ role }) => role));
        expect(typeof exchange.text + typeof exchange.system).toBe("stringstring");
        for (const { name } of exchange.toolCalls) expect(exchange.toolNames).toContain(name);
        expect(exchange.attachments.length).toBeLessThan(10);
        expect("messages" in exchange.params).toBe(false);
      },
    );
    fc.assert(property, { numRuns: 5000 });
  });

  test("a name that no list has is refused at every level that reaches the model", () => {
    const [operation, seed] = seeds[0] ?? ["Chat", ""];
    const closed = [...seed.matchAll(/\{(?=")/g)].map(({ index }) => index);
    // A tool's JSON schema is the caller's own: "parameters", "properties" and each property.
    const open = [...seed.matchAll(/"(?:parameters|properties|q)":\{/g)].map(
      ({ index, 0: { length } }) => index + length - 1,
    );
    // The arguments of a call are a string with an object in it.
    const inText = [seed.indexOf('{\\"q')];
    const levels = closed.filter((index) => !open.includes(index) && !inText.includes(index));
    expect(levels.length).toBeGreaterThan(10);
    for (const index of levels) {
      const text = `${seed.slice(0, index + 1)}"x_unknown":1,${seed.slice(index + 1)}`;
      expect(refused(operation, text)).toMatchObject({
        code: "unknown_parameter",
        param: expect.stringMatching(/x_unknown$/),
      });
    }
  });
});
