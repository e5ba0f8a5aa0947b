import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { startFaultyEngine, type FaultyEngine } from "./faulty-engine.ts";

let engine: FaultyEngine;
beforeEach(async () => {
  engine = await startFaultyEngine();
});
afterEach(async () => await engine.refuse());

async function ask(stream = false, signal?: AbortSignal): Promise<Response> {
  return await fetch(`${engine.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "tiny", stream }),
    ...(signal === undefined ? {} : { signal }),
  });
}

test("without a fault it answers, whole and streamed, and remembers what was asked", async () => {
  expect(await (await ask()).json()).toMatchObject({ choices: [{ message: { content: "hello there" } }] });
  expect(await (await ask(true)).text()).toMatch(/token 2[^]*\[DONE\]/u);
  expect(engine.received.map(({ method, path }) => `${method} ${path}`)).toEqual(
    Array.from({ length: 2 }, () => "POST /v1/chat/completions"),
  );
});

test("it dies where it was told to", async () => {
  for (const where of ["before-head", "in-head"] as const) {
    engine.fault = { kind: "dies", where, how: "end" };
    await expect(ask()).rejects.toThrow("fetch failed");
  }
  for (const where of ["in-body", "in-stream"] as const) {
    engine.fault = { kind: "dies", where, how: "reset" };
    const answer = await ask();
    await expect(answer.text()).rejects.toThrow("terminated");
  }
});

test("it refuses connections, and takes them again on the same port", async () => {
  const { url } = engine;
  await engine.refuse();
  await expect(ask()).rejects.toThrow("fetch failed");
  await engine.listen();
  expect(engine.url).toBe(url);
  expect((await ask()).status).toBe(200);
});

test("it pours as many bytes as it was told, and drips when told so", async () => {
  engine.fault = { kind: "huge", bytes: 3_000_000 };
  expect((await (await ask()).arrayBuffer()).byteLength).toBe(3_000_000);
  engine.fault = { kind: "slow", everyMs: 1 };
  expect((await ask()).status).toBe(200);
});

test("it sees that a client went away before the answer was whole", async () => {
  engine.fault = { kind: "stream", events: 1_000, everyMs: 5 };
  const abort = new AbortController();
  await ask(true, abort.signal);
  expect(engine.received[0]?.aborted).toBe(false);
  abort.abort();
  for (let tries = 0; tries < 100 && engine.received[0]?.aborted === false; tries++) await sleep(10);
  expect(engine.received[0]?.aborted).toBe(true);
});
