/** An application's own client, the openai SDK, through the sidecar: in front of a real engine, and of the scripted one. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { PermissionDeniedError, type OpenAI } from "openai";
import { setTimeout as sleep } from "node:timers/promises";
import { openaiClient } from "../support/clients.ts";
import { startEngine } from "../support/engine/engine.ts";
import { startStandalone, type Standalone } from "../support/sallyport.ts";
import { describeUnless } from "../support/skips.ts";
import { DENIAL, FILES, policy } from "./resources.ts";

const had = await startEngine();
const engine = had.ok ? had.value : undefined;
afterAll(async () => await engine?.stop());

const HELLO: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "Say hello to the world" }];

/** What must hold with every engine that speaks OpenAI's dialect. */
function anyEngine(model: string, start: () => Promise<Standalone>): void {
  let sallyport: Standalone;
  let client: OpenAI;
  beforeAll(async () => {
    sallyport = await start();
    client = openaiClient(sallyport.url, sallyport.client("apps", "chat-frontend"));
  }, 60_000);
  afterAll(async () => void (await sallyport.stop()));

  test("a chat is answered, and the audit has its begin and its end with the engine's token counts", async () => {
    const { data, response } = await client.chat.completions
      .create({ model, messages: HELLO, max_tokens: 8 })
      .withResponse();
    expect(data.choices[0]?.message.content).toMatch(/\S/u);
    const id = response.headers.get("x-request-id");
    expect(id).toMatch(/\S/u);
    const [begin, end] = await sallyport.auditOf(id ?? "", 2);
    expect(begin).toMatchObject({
      kind: "Begin",
      peer: "spiffe://example.local/ns/apps/sa/chat-frontend",
      operation: "Chat",
      model,
      policy: "inference/tiny-chat",
      rule: "frontend-chats",
    });
    expect(end).toMatchObject({
      kind: "End",
      outcome: "Completed",
      status: 200,
      promptTokens: data.usage?.prompt_tokens,
      completionTokens: data.usage?.completion_tokens,
    });
  });

  test("a stream arrives in pieces that make the whole, without the usage that was not asked for", async () => {
    const stream = await client.chat.completions.create({ model, messages: HELLO, max_tokens: 12, stream: true });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toMatch(/\S/u);
    expect(chunks.filter((chunk) => chunk.choices.length === 0)).toEqual([]);
    expect(
      chunks.some(
        (chunk) => chunk.choices[0]?.finish_reason === "length" || chunk.choices[0]?.finish_reason === "stop",
      ),
    ).toBe(true);
  });

  test("a stream whose caller asks for usage gets it, and the audit counts the same", async () => {
    const { data: stream, response } = await client.chat.completions
      .create({ model, messages: HELLO, max_tokens: 12, stream: true, stream_options: { include_usage: true } })
      .withResponse();
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) usage = chunk.usage ?? usage;
    expect(usage?.completion_tokens).toBeGreaterThan(0);
    const [, end] = await sallyport.auditOf(response.headers.get("x-request-id") ?? "", 2);
    expect(end).toMatchObject({
      outcome: "Completed",
      promptTokens: usage?.prompt_tokens,
      completionTokens: usage?.completion_tokens,
    });
  });

  test("two choices are two answers, whole and streamed", async () => {
    const whole = await client.chat.completions.create({ model, messages: HELLO, max_tokens: 6, n: 2 });
    expect(whole.choices.map((choice) => choice.index)).toEqual(expect.arrayContaining([0, 1]));
    const stream = await client.chat.completions.create({ model, messages: HELLO, max_tokens: 6, n: 2, stream: true });
    const finished = new Set<number>();
    for await (const chunk of stream) {
      for (const choice of chunk.choices) if (choice.finish_reason !== null) finished.add(choice.index);
    }
    expect(finished).toEqual(new Set([0, 1]));
  });

  test("completions and embeddings are answered too", async () => {
    const completion = await client.completions.create({ model, prompt: "Once upon", max_tokens: 6 });
    expect(completion.choices[0]?.text).toMatch(/\S/u);
    const embeddings = await client.embeddings.create({ model, input: ["one", "two"], encoding_format: "float" });
    expect(embeddings.data).toHaveLength(2);
    expect(embeddings.data[0]?.embedding.length).toBeGreaterThan(2);
  });

  test("the list of models shows a caller what it may use, and another caller nothing", async () => {
    const models = await client.models.list();
    expect(models.data.map((each) => each.id)).toEqual([model]);
    const other = openaiClient(sallyport.url, sallyport.client("apps", "batch-jobs"));
    await expect(other.models.list()).rejects.toBeInstanceOf(PermissionDeniedError);
  });

  test("a denial is raised as PermissionDeniedError with the rule's message, code and request id, and is not retried", async () => {
    const retrying = openaiClient(sallyport.url, sallyport.client("apps", "chat-frontend"), { retries: 2 });
    const asked = retrying.chat.completions.create({ model: "forbidden-once", messages: HELLO });
    const error: unknown = await asked.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(PermissionDeniedError);
    if (!(error instanceof PermissionDeniedError)) return;
    expect(error.message).toContain(DENIAL);
    expect(error.code).toBe("denied_by_rule");
    const [denied] = await sallyport.auditOf(error.requestID ?? "", 1);
    expect(denied).toMatchObject({ kind: "Denied", status: 403, policy: "inference/tiny-chat", rule: "not-these" });
    expect(sallyport.audit().filter((record) => record["model"] === "forbidden-once")).toHaveLength(1);
  });

  test("another workload is refused what the first may do, with default deny's code", async () => {
    const other = openaiClient(sallyport.url, sallyport.client("apps", "batch-jobs"));
    await expect(other.chat.completions.create({ model, messages: HELLO })).rejects.toMatchObject({
      status: 403,
      code: "no_rule_allows",
    });
  });
}

describe("with the scripted engine that comes with the product", () => {
  const model = "llama-3-8b";
  anyEngine(model, async () => await startStandalone({ files: { ...FILES, "policy.yaml": policy([model]) } }));
});

describeUnless(had.ok ? undefined : `no real engine: ${had.reason}`)("with a real engine", () => {
  const start = async (): Promise<Standalone> => await startStandalone({ files: FILES, engine: engine?.url ?? "" });
  anyEngine("tiny", start);

  describe("a caller that goes away", () => {
    let sallyport: Standalone;
    beforeAll(async () => {
      sallyport = await start();
    }, 60_000);
    afterAll(async () => void (await sallyport.stop()));

    test("cancels the engine's work", async () => {
      const client = openaiClient(sallyport.url, sallyport.client("apps", "chat-frontend"));
      const abort = new AbortController();
      const { data: stream, response } = await client.chat.completions
        .create({ model: "tiny", messages: HELLO, max_tokens: 1_900, stream: true }, { signal: abort.signal })
        .withResponse();
      let chunks = 0;
      // the SDK ends the loop of a stream that its own signal aborted
      for await (const _chunk of stream) if (++chunks === 3) abort.abort();
      expect(chunks).toBeLessThan(100);
      let busy = 1;
      for (let tries = 0; tries < 50 && busy > 0; tries++) {
        busy = (await engine?.busy()) ?? NaN;
        if (busy > 0) await sleep(20);
      }
      expect(busy).toBe(0);
      const [, end] = await sallyport.auditOf(response.headers.get("x-request-id") ?? "", 2);
      expect(end).toMatchObject({ kind: "End", outcome: "ClientGone" });
    });
  });
});
