/** SIGTERM: what is under way is finished, nothing new is begun, and the audit has its ends. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { openaiClient } from "../support/clients.ts";
import { startFaultyEngine, type FaultyEngine } from "../support/faulty-engine.ts";
import { startStandalone, type ClientIdentity, type Standalone } from "../support/sallyport.ts";
import { FILES } from "./resources.ts";

const HELLO = [{ role: "user" as const, content: "hi" }];
const EVENTS = 40;

let engine: FaultyEngine;
let sallyport: Standalone;
let frontend: ClientIdentity;
beforeAll(async () => {
  engine = await startFaultyEngine();
});
beforeEach(async () => {
  sallyport = await startStandalone({ files: FILES, engine: engine.url });
  frontend = sallyport.client("apps", "chat-frontend");
}, 60_000);
afterEach(async () => void (await sallyport.stop("SIGKILL")));
afterAll(async () => await engine.refuse());

/** Reads a stream to its end while the product is told to stop after the first event. */
async function streamThrough(stop: () => void): Promise<{ readonly contents: readonly string[]; readonly id: string }> {
  engine.fault = { kind: "stream", events: EVENTS, everyMs: 40 };
  const client = openaiClient(sallyport.url, frontend);
  const { data: stream, response } = await client.chat.completions
    .create({ model: "tiny", messages: HELLO, stream: true })
    .withResponse();
  const contents: string[] = [];
  for await (const chunk of stream) {
    if (contents.length === 0) stop();
    contents.push(chunk.choices[0]?.delta.content ?? "");
  }
  return { contents, id: response.headers.get("x-request-id") ?? "" };
}

test("the sidecar told to end finishes the open stream and refuses new connections meanwhile", async () => {
  const pid = sallyport.sidecarPid();
  const newcomer = (async () => {
    await sleep(600);
    const client = openaiClient(sallyport.url, frontend);
    return await client.chat.completions.create({ model: "tiny", messages: HELLO }).then(
      () => "answered",
      () => "refused",
    );
  })();
  const { contents, id } = await streamThrough(() => process.kill(pid, "SIGTERM"));
  expect(contents.filter((content) => content !== "")).toHaveLength(EVENTS);
  expect(await newcomer).toBe("refused");
  const [, end] = await sallyport.auditOf(id, 2);
  expect(end).toMatchObject({ kind: "End", outcome: "Completed" });
}, 30_000);

test("Ctrl-C drains the whole: the stream ends whole, and the command ends with 0", async () => {
  const { contents, id } = await streamThrough(() => sallyport.process.signal("SIGINT"));
  expect(contents.filter((content) => content !== "")).toHaveLength(EVENTS);
  const exit = await sallyport.process.exited;
  expect(exit).toEqual({ code: 0, signal: null });
  const [, end] = await sallyport.auditOf(id, 2);
  expect(end).toMatchObject({ kind: "End", outcome: "Completed" });
}, 30_000);

test("with nothing under way it ends at once", async () => {
  const before = Date.now();
  sallyport.process.signal("SIGTERM");
  expect((await sallyport.process.exited).code).toBe(0);
  expect(Date.now() - before).toBeLessThan(3_000);
});
