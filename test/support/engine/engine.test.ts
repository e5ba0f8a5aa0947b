import { afterAll, expect, test } from "@jest/globals";
import { describeUnless } from "../skips.ts";
import { ENGINE_MODEL, startEngine } from "./engine.ts";
import { tinyModel } from "./tiny-model.ts";

const had = await startEngine();

test("the tiny model is the same bytes each time", () => {
  expect(tinyModel().equals(tinyModel())).toBe(true);
});

describeUnless(had.ok ? undefined : `no real engine: ${had.reason}`)("the real engine", () => {
  const engine = had.ok ? had.value : { url: "", busy: async () => NaN, stop: async () => {} };
  afterAll(async () => await engine.stop());

  test("answers a chat with words and counts its tokens", async () => {
    const answer = await fetch(`${engine.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: ENGINE_MODEL, messages: [{ role: "user", content: "hello" }], max_tokens: 8 }),
    });
    const body = (await answer.json()) as {
      readonly choices: readonly { readonly message: { readonly content: string } }[];
      readonly usage: { readonly completion_tokens: number };
    };
    expect(answer.status).toBe(200);
    expect(body.choices[0]?.message.content).toMatch(/[a-z]{2}/u);
    expect(body.usage.completion_tokens).toBeGreaterThan(0);
    expect(body.usage.completion_tokens).toBeLessThanOrEqual(8);
    expect(await engine.busy()).toBe(0);
  });
});
