import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { startScriptedEngine, type ScriptedEngine } from "./scripted-engine.ts";

let engine: ScriptedEngine;
beforeAll(async () => {
  engine = await startScriptedEngine({ tokenDelayMs: 0 });
});
afterAll(async () => {
  await engine.close();
});

const MESSAGES = [{ role: "user", content: "one two" }];

async function ask(route: string, body: object): Promise<Response> {
  return await fetch(`${engine.url}${route}`, { method: "POST", body: JSON.stringify(body) });
}

async function events(body: object): Promise<readonly unknown[]> {
  const text = await (await ask("/v1/chat/completions", { ...body, stream: true })).text();
  const lines = text.split("\n\n").filter((line) => line !== "");
  expect(lines.at(-1)).toBe("data: [DONE]");
  return lines.slice(0, -1).map((line) => JSON.parse(line.slice("data: ".length)) as unknown);
}

it("answers a chat, the same each time", async () => {
  const answers = await Promise.all(
    [0, 1].map(async () => await (await ask("/v1/chat/completions", { model: "m", messages: MESSAGES })).text()),
  );
  expect(answers[0]).toBe(answers[1]);
  expect(JSON.parse(answers[0] ?? "")).toMatchObject({
    object: "chat.completion",
    model: "m",
    choices: [{ index: 0, message: { content: "This engine is scripted. You said: one two" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 2, completion_tokens: 8, total_tokens: 10 },
  });
});

it("stops at the ceiling that it is given", async () => {
  for (const field of ["max_tokens", "max_completion_tokens"]) {
    const answer = await ask("/v1/chat/completions", { model: "m", messages: MESSAGES, [field]: 2 });
    expect(await answer.json()).toMatchObject({
      choices: [{ message: { content: "This engine" }, finish_reason: "length" }],
      usage: { completion_tokens: 2 },
    });
  }
});

it("streams the same text, several answers, and usage where it is asked for", async () => {
  const got = await events({ model: "m", messages: MESSAGES, n: 2, stream_options: { include_usage: true } });
  const text = (index: number): string =>
    got
      .flatMap((event) => (event as { choices: { index: number; delta: { content?: string } }[] }).choices)
      .filter((choice) => choice.index === index)
      .map(({ delta }) => delta.content ?? "")
      .join("");
  expect([text(0), text(1)]).toEqual(Array.from({ length: 2 }, () => "This engine is scripted. You said: one two"));
  expect(got.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 16 } });
  expect(await events({ model: "m", messages: MESSAGES })).toHaveLength(10);
});

it("completes text, embeds, and lists its models", async () => {
  expect(await (await ask("/v1/completions", { model: "m", prompt: "p" })).json()).toMatchObject({
    object: "text_completion",
    choices: [{ text: "This engine is scripted. You said: p" }],
  });
  const { data } = (await (await ask("/v1/embeddings", { model: "m", input: ["a", "b"] })).json()) as {
    data: { embedding: number[] }[];
  };
  expect(data.map(({ embedding }) => Math.hypot(...embedding).toFixed(6))).toEqual(["1.000000", "1.000000"]);
  expect(data[0]?.embedding).not.toEqual(data[1]?.embedding);
  expect(await (await fetch(`${engine.url}/v1/models`)).json()).toMatchObject({
    data: [{ id: "llama-3-8b" }, { id: "mistral-7b" }, { id: "llama-4-preview" }],
  });
});

it("refuses what it does not understand", async () => {
  expect((await ask("/v1/elsewhere", {})).status).toBe(404);
  expect((await ask("/v1/chat/completions", [])).status).toBe(400);
  expect((await fetch(`${engine.url}/v1/chat/completions`, { method: "POST", body: "{" })).status).toBe(400);
});
