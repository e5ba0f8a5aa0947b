/** What must not leak: prompts and answers into what is kept and printed, keys and tokens out of the processes that own them. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fs from "node:fs";
import path from "node:path";
import { chat, openaiClient, postJson, sendRaw } from "../support/clients.ts";
import { startFaultyEngine, type FaultyEngine } from "../support/faulty-engine.ts";
import { startStandalone, type Standalone } from "../support/sallyport.ts";
import { testUnless } from "../support/skips.ts";
import { FILES } from "./resources.ts";

const ASKED = "the-patient-in-room-7-asked-this";
const ANSWERED = "the-patient-in-room-7-was-told-that";
const CREDENTIAL = "sk-this-belongs-to-the-caller-alone";

let engine: FaultyEngine;
let sallyport: Standalone;
beforeAll(async () => {
  engine = await startFaultyEngine();
  const files = FILES;
  sallyport = await startStandalone({ files, engine: engine.url, args: ["--log-level=trace"] });
  const caller = sallyport.client("apps", "chat-frontend");
  const message = { role: "assistant", content: ANSWERED };
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  const body = JSON.stringify({ id: "1", object: "chat.completion", created: 1, model: "tiny", choices });
  const messages = [{ role: "user" as const, content: ASKED }];
  engine.fault = { kind: "answer", status: 200, type: "application/json", body };
  const client = openaiClient(sallyport.url, caller);
  await client.chat.completions.create(
    { model: "tiny", messages },
    { headers: { authorization: `Bearer ${CREDENTIAL}` } },
  );
  // one that is allowed, one that is denied, one that cannot be read, one that the engine breaks, one that it refuses
  const headers = { authorization: `Bearer ${CREDENTIAL}` };
  const send = async (text: string): Promise<void> =>
    void (await sendRaw(sallyport.port, caller, postJson("/v1/chat/completions", text, headers)));
  await send(chat("forbidden-model", { messages }));
  await send(`{"model": "tiny", "messages": ["${ASKED}`);
  await send(JSON.stringify({ model: "tiny", messages: [{ role: "user", content: ASKED, unheardOf: 1 }] }));
  engine.fault = { kind: "raw", bytes: `HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"${ANSWERED}` };
  await send(chat("tiny", { messages }));
  engine.fault = { kind: "answer", status: 400, type: "application/json", body: `{"error":{"message":"${ANSWERED}"}}` };
  await send(chat("tiny", { messages }));
}, 60_000);
afterAll(async () => {
  await sallyport.stop();
  await engine.refuse();
});

/** Everything that the product has written by now, by where it stands. */
async function written(): Promise<ReadonlyMap<string, string>> {
  const all = new Map([
    ["stdout", sallyport.process.stdout],
    ["stderr", sallyport.process.stderr],
    ["metrics", (await sallyport.admin("/metrics")).text],
  ]);
  for (const file of fs.readdirSync(sallyport.state, { recursive: true, encoding: "utf8" })) {
    const absolute = path.join(sallyport.state, file);
    if (fs.statSync(absolute).isFile()) all.set(file, fs.readFileSync(absolute, "latin1"));
  }
  return all;
}

async function placesOf(text: string): Promise<readonly string[]> {
  return [...(await written())].filter(([, content]) => content.includes(text)).map(([place]) => place);
}

test("the requests did reach the engine, and their records the disk", async () => {
  expect(engine.received.filter(({ body }) => body.includes(ASKED)).length).toBeGreaterThanOrEqual(3);
  expect(sallyport.audit().filter(({ kind }) => kind === "Denied").length).toBeGreaterThanOrEqual(2);
});

test("prompts, answers and credentials are in no log, no metric, no file and no audit record", async () => {
  expect(await placesOf(ASKED)).toEqual([]);
  expect(await placesOf(ANSWERED)).toEqual([]);
  expect(await placesOf(CREDENTIAL)).toEqual([]);
});

test("the engine does not see the caller's credentials", () => {
  for (const { headers } of engine.received) expect(JSON.stringify(headers)).not.toContain(CREDENTIAL);
});

test("keys are in files that only their owner can read, and nowhere else", async () => {
  const places = await placesOf("PRIVATE KEY");
  expect(places.length).toBeGreaterThan(0);
  for (const place of places) {
    expect(place).toMatch(/(tls\.key|ca\.json)$/u);
    expect(fs.statSync(path.join(sallyport.state, place)).mode & 0o077).toBe(0);
  }
});

test("the state folder is closed to others, the audit too", () => {
  const audits = fs
    .readdirSync(sallyport.state, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".jsonl"))
    .map((file) => fs.statSync(path.join(sallyport.state, file)).mode & 0o077);
  expect(audits.length).toBeGreaterThan(0);
  expect(new Set([fs.statSync(sallyport.state).mode & 0o077, ...audits])).toEqual(new Set([0]));
});

const procfs = fs.existsSync("/proc/self/environ") ? undefined : "a sidecar's arguments and environment: no /proc";

testUnless(procfs)("the sidecar's one-time token is in neither its arguments nor its environment", () => {
  const pid = sallyport.sidecarPid();
  const read = (file: string): readonly string[] => fs.readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0");
  expect(read("cmdline").some((argument) => argument.startsWith("--token-fd"))).toBe(true);
  const own = new Set(Object.values(process.env));
  const suspicious = [...read("cmdline"), ...read("environ").map((line) => line.slice(line.indexOf("=") + 1))]
    .filter((value) => !own.has(value))
    .filter((value) => /^[A-Za-z0-9_-]{22,}$/u.test(value));
  expect(suspicious).toEqual([]);
});
