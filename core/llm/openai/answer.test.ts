import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { filterModel, filterModels, readAnswer } from "./answer.ts";

function recorded(name: string): Buffer {
  return fs.readFileSync(path.join(import.meta.dirname, "recorded", name));
}

describe("llama.cpp's answers as they were recorded", () => {
  test.each([
    [
      "llamacpp-chat.json",
      { usage: { promptTokens: 23, completionTokens: 6 }, model: "tiny", finish: "length", choices: 1 },
    ],
    ["llamacpp-chat-n2.json", { usage: { promptTokens: 23, completionTokens: 6 }, choices: 2 }],
    ["llamacpp-completion.json", { model: "tiny", finish: "length", choices: 1 }],
    ["llamacpp-embedding.json", { model: "tiny", finish: "", choices: 0 }],
  ])("%s", (name, expected) => {
    const answer = readAnswer(recorded(name));
    expect(answer).toMatchObject({ ok: true, ...expected });
    expect(answer.ok && answer.usage.promptTokens).toBeGreaterThan(0);
  });
});

test("an answer that says nothing of usage counts nothing", () => {
  expect(readAnswer(Buffer.from("{}"))).toEqual({
    ok: true,
    usage: { promptTokens: 0, completionTokens: 0 },
    model: "",
    finish: "",
    choices: 0,
  });
  expect(readAnswer(Buffer.from('{"usage":{"prompt_tokens":1e99,"completion_tokens":-3}}'))).toMatchObject({
    usage: { promptTokens: 0, completionTokens: 0 },
  });
});

test.each(["", "[]", "null", "{", "<html></html>", '{"a":1} x'])("%j is no answer", (text) => {
  expect(readAnswer(Buffer.from(text)).ok).toBe(false);
});

test("bytes that are not UTF-8 are no answer", () => {
  expect(readAnswer(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))).toEqual({
    ok: false,
    message: "the answer is not valid UTF-8",
  });
});

describe("a list of models", () => {
  const entry = (id: string): object => ({
    id,
    object: "model",
    created: 1,
    owned_by: "vllm",
    root: "/models/secret",
    parent: "hidden-base",
    max_model_len: 4096,
    permission: [],
  });
  const list = Buffer.from(
    JSON.stringify({
      object: "list",
      data: [entry("a"), entry("b"), { object: "model" }, { id: 7 }, "c"],
      models: [{ name: "b" }],
    }),
  );

  test("shows what is allowed, and of it no other model's name", () => {
    const shown = filterModels(list, (id) => id === "a");
    expect(JSON.parse(String(shown))).toEqual({
      object: "list",
      data: [{ id: "a", object: "model", created: 1, owned_by: "vllm", max_model_len: 4096 }],
    });
  });

  test("llama.cpp names its models twice; both are filtered", () => {
    const bytes = recorded("llamacpp-models.json");
    expect(String(filterModels(bytes, () => false))).toBe('{"object":"list","data":[]}');
    expect(JSON.parse(String(filterModels(bytes, (id) => id === "tiny")))).toMatchObject({ data: [{ id: "tiny" }] });
  });

  test.each(["", "[]", "{}", '{"data":{}}', '{"data":[],"data":[{"id":"b"}]}'])(
    "%j cannot be read, so nothing is shown",
    (text) => {
      expect(filterModels(Buffer.from(text), () => true)).toBeUndefined();
    },
  );

  test("of more than a mebibyte is not read", () => {
    const long = Buffer.from(JSON.stringify({ data: [{ id: "a", root: "x".repeat(1024 * 1024) }] }));
    expect(filterModels(long, () => true)).toBeUndefined();
  });

  test("one model is shown by the same members, and only when it is the one asked for", () => {
    const bytes = Buffer.from(JSON.stringify(entry("a")));
    expect(JSON.parse(String(filterModel(bytes, "a")))).toEqual({
      id: "a",
      object: "model",
      created: 1,
      owned_by: "vllm",
      max_model_len: 4096,
    });
    expect(filterModel(bytes, "A")).toBeUndefined();
    expect(filterModel(bytes, "")).toBeUndefined();
  });

  test("nothing is shown inside a member either", () => {
    const bytes = Buffer.from('{"id":"a","owned_by":{"root":"/models/secret"},"created":["hidden"],"object":null}');
    expect(String(filterModel(bytes, "a"))).toBe('{"id":"a"}');
  });

  test.each(["", "[]", '"a"', '{"id":"b"}', '{"id":["a"]}', '{"id":"b","id":"a"}', '{"data":[{"id":"a"}]}'])(
    "%j is not the model a",
    (text) => {
      expect(filterModel(Buffer.from(text), "a")).toBeUndefined();
    },
  );
});
