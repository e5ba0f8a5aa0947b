/** A change of a file reaches the sidecar, and says so; a broken one is told by its place and changes nothing. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { chat, postJson, sendRaw } from "../support/clients.ts";
import { startFaultyEngine, type FaultyEngine } from "../support/faulty-engine.ts";
import { startStandalone, type ClientIdentity, type Standalone } from "../support/sallyport.ts";
import { FILES, policy } from "./resources.ts";

let engine: FaultyEngine;
let sallyport: Standalone;
let frontend: ClientIdentity;
beforeAll(async () => {
  engine = await startFaultyEngine();
  sallyport = await startStandalone({ files: FILES, engine: engine.url });
  frontend = sallyport.client("apps", "chat-frontend");
}, 60_000);
afterAll(async () => {
  await sallyport.stop();
  await engine.refuse();
});

async function status(model: string): Promise<number> {
  return (await sendRaw(sallyport.port, frontend, postJson("/v1/chat/completions", chat(model)))).status;
}

async function until(model: string, wanted: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await status(model)) === wanted) return;
    await sleep(25);
  }
  throw new Error(`the sidecar did not come to answer ${model} with ${wanted}\n${sallyport.process.tail()}`);
}

/** Waits for a line in what is printed from now on. */
async function printed(act: () => void, pattern: RegExp): Promise<RegExpExecArray> {
  const from = sallyport.process.stdout.length;
  act();
  return await sallyport.process.waitFor(pattern, 10_000, from);
}

test("a change is in force, and it is printed which sidecar took which version in how long", async () => {
  expect(await status("new-model")).toBe(403);
  const line = await printed(() => sallyport.write("policy.yaml", policy(["tiny", "new-model"])), /^.*\back.*$/imu);
  expect(line[0]).toMatch(/sha256:[0-9a-f]{6,}/u);
  expect(line[0]).toMatch(/\d+(\.\d+)? ?ms/u);
  expect(line[0]).toMatch(/tiny-0|engine/u);
  await until("new-model", 200);
  expect(await status("tiny")).toBe(200);
});

const mistakes: readonly (readonly [string, string, RegExp])[] = [
  ["YAML that is none", policy().replace("rules:", "rules: ]["), /policy\.yaml:7:10:/u],
  [
    "an unknown field",
    policy().replace("operations:", "operation:"),
    /policy\.yaml:16:5: spec\.rules\[1\]\.operation: .*"operations"/u,
  ],
  [
    "an unknown operation",
    policy().replace("Embeddings", "Embedings"),
    /policy\.yaml:16:37: spec\.rules\[1\]\.operations\[2\]: .*Embeddings/u,
  ],
  [
    "an expression that names what does not exist",
    policy().replace(
      'models: ["forbidden-*"]',
      'models: ["forbidden-*"]\n    when: source.identity.namespce == "apps"',
    ),
    /policy\.yaml:11:27: spec\.rules\[0\]\.when: .*'namespace'/u,
  ],
  [
    "a field that a later version will enforce",
    policy().replace("  rules:", "  limits: []\n  rules:"),
    /policy\.yaml:7:3: spec\.limits: /u,
  ],
];

test.each(mistakes)(
  "%s is told by file, line and column; the old configuration goes on",
  async (_name, text, pattern) => {
    sallyport.write("policy.yaml", policy(["tiny", "kept"]));
    await until("kept", 200);
    await printed(() => sallyport.write("policy.yaml", text), pattern);
    await sleep(200);
    expect(await status("kept")).toBe(200);
    expect(await status("forbidden-model")).toBe(403);
    expect((await sallyport.admin("/readyz")).status).toBe(200);
  },
);

test("after a mistake is mended the new configuration is taken", async () => {
  sallyport.write("policy.yaml", policy(["mended"]));
  await until("mended", 200);
  expect(await status("kept")).toBe(403);
});

test("a policy that is deleted allows nothing any more", async () => {
  sallyport.write("policy.yaml", "");
  await until("mended", 403);
});
