/**
 * A real inference server: llama.cpp's, from a prebuilt wheel, with the tiny model. It answers chat completions,
 * completions and embeddings with random words and true token counts. Ready in about a third of a second.
 */
import fs from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder, once } from "../cache.ts";
import { freePort } from "../ports.ts";
import { start, type Running } from "../processes.ts";
import { pythonWith, type Had } from "../python.ts";
import { tinyModel } from "./tiny-model.ts";

/** The name that the server gives its model. */
export const ENGINE_MODEL = "tiny";
/** Changed with tiny-model.ts, so that a cache never serves yesterday's model. */
const MODEL_VERSION = "1";

export interface Engine {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly process: Running;
  /** Requests that are being generated at this moment, as the engine's own metrics say. */
  busy(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts it on a free port; or says in one line why it is not to be had on this machine. */
export async function startEngine(): Promise<Had<Engine>> {
  const python = await pythonWith("engine");
  if (!python.ok) return python;
  const model = await once(cacheFolder(`tiny-model-${MODEL_VERSION}`), async (folder) => {
    await fs.writeFile(path.join(folder, "tiny.gguf"), tinyModel());
  });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const script = path.join(import.meta.dirname, "serve.py");
  const running = start(path.join(python.value, "python"), [script, path.join(model, "tiny.gguf"), String(port)]);
  await running.waitFor(/^listening/mu, 30_000);
  await healthy(url);
  const engine: Engine = {
    url,
    process: running,
    busy: async () => await metric(url, "llamacpp:requests_processing"),
    stop: async () => void (await running.stop("SIGKILL")),
  };
  return { ok: true, value: engine };
}

async function healthy(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(50);
  }
  throw new Error(`the engine at ${url} did not become healthy`);
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  if (line === undefined) throw new Error(`the engine has no metric ${name}`);
  return Number(line.slice(name.length + 1));
}
