/** Closed is the state that everything falls back to: no policy, no operator, no identity, no configuration that can be read. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chat, openaiClient, postJson, sendRaw } from "../support/clients.ts";
import { startFaultyEngine, type FaultyEngine } from "../support/faulty-engine.ts";
import { start, type Running } from "../support/processes.ts";
import { startStandalone, type ClientIdentity, type Standalone } from "../support/sallyport.ts";
import { describeUnless } from "../support/skips.ts";
import { FILES, NAMESPACES, policy } from "./resources.ts";

const CHAT = "/v1/chat/completions";

let engine: FaultyEngine;
beforeAll(async () => {
  engine = await startFaultyEngine();
});
afterAll(async () => await engine.refuse());

async function status(port: number, caller: ClientIdentity, model = "tiny"): Promise<number> {
  return (await sendRaw(port, caller, postJson(CHAT, chat(model)))).status;
}

describe("with nothing in the folder", () => {
  let sallyport: Standalone;
  beforeAll(async () => {
    sallyport = await startStandalone({ files: {}, engine: engine.url });
  }, 60_000);
  afterAll(async () => void (await sallyport.stop()));

  test("a sidecar starts, is ready, and answers nobody", async () => {
    expect((await sallyport.admin("/readyz")).status).toBe(200);
    const answer = await sendRaw(sallyport.port, { ca: sallyport.ca }, postJson(CHAT, chat("tiny")));
    expect(answer.status).toBe(401);
    expect(engine.received).toEqual([]);
  });

  test("an identity without a policy is refused by default", async () => {
    sallyport.write("identities.yaml", `${NAMESPACES}\n---\n${FILES["identities.yaml"] ?? ""}`);
    const file = path.join(sallyport.state, "clients", "apps-chat-frontend", "tls.crt");
    for (let tries = 0; tries < 200 && !fs.existsSync(file); tries++) await sleep(25);
    const client = openaiClient(sallyport.url, sallyport.client("apps", "chat-frontend"));
    const asked = client.chat.completions.create({ model: "tiny", messages: [{ role: "user", content: "hi" }] });
    await expect(asked).rejects.toMatchObject({ status: 403, code: "no_rule_allows" });
    expect(engine.received).toEqual([]);
  });
});

/** The sidecar's own command line, with what cannot be inherited replaced. */
function commandOf(pid: number): readonly string[] {
  return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
}

/** The value of a flag, spelt `--name value` or `--name=value`. */
function flag(args: readonly string[], name: string): string {
  const at = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  const arg = args[at] ?? "";
  const value = arg.includes("=") ? arg.slice(arg.indexOf("=") + 1) : args[at + 1];
  if (at < 0 || value === undefined) throw new Error(`no --${name} in ${args.join(" ")}`);
  return value;
}

/** The same command with another token source: the one-time token has been used, and its descriptor is not ours. */
function withTokenFile(args: readonly string[], file: string): readonly string[] {
  const at = args.findIndex((arg) => arg.startsWith("--token-fd"));
  const joined = args[at]?.includes("=") === true;
  return [...args.slice(0, at), `--token-file=${file}`, ...args.slice(at + (joined ? 1 : 2))];
}

const procfs = fs.existsSync("/proc/self/cmdline")
  ? undefined
  : "a sidecar started again by its own command line: no /proc";

describeUnless(procfs)("when the operator is killed", () => {
  let sallyport: Standalone;
  let restarted: Running | undefined;
  let command: readonly string[];
  let frontend: ClientIdentity;
  let other: ClientIdentity;

  beforeAll(async () => {
    sallyport = await startStandalone({ files: FILES, engine: engine.url });
    frontend = sallyport.client("apps", "chat-frontend");
    other = sallyport.client("apps", "batch-jobs");
    const pid = sallyport.sidecarPid();
    command = commandOf(pid);
    sallyport.process.signal("SIGKILL");
    for (
      let tries = 0;
      tries < 100 && fs.existsSync(`/proc/${sallyport.process.pid}/stat`) && !sallyport.process.ended;
      tries++
    ) {
      await sleep(20);
    }
  }, 60_000);
  afterAll(async () => {
    await restarted?.stop();
    await sallyport.stop("SIGKILL");
  });

  test("the sidecar goes on deciding by what it has: allowed is allowed, denied is denied", async () => {
    await sleep(500);
    expect(await status(sallyport.port, frontend)).toBe(200);
    expect(await status(sallyport.port, other)).toBe(403);
    expect(await status(sallyport.port, frontend, "forbidden-model")).toBe(403);
  });

  test("a sidecar that is restarted meanwhile has no identity: it stays unready and closed, whatever lies in its cache", async () => {
    sallyport.process.killGroup();
    await sleep(300);
    expect(fs.readdirSync(flag(command, "cache"), { recursive: true }).length).toBeGreaterThan(0);
    const token = path.join(sallyport.folder, "..", "token");
    fs.writeFileSync(token, "a-token-that-nobody-can-check");
    const [program = "", ...args] = withTokenFile(command, token);
    engine.received.length = 0;
    restarted = start(program, args);
    await sleep(2_000);
    expect(restarted.ended).toBe(false);
    expect(await sallyport.isReady()).toBe(false);
    await expect(status(sallyport.port, frontend)).rejects.toThrow(/ECONNREFUSED|handshake|closed|reset/iu);
    expect(engine.received).toEqual([]);
  }, 30_000);
});

describeUnless(procfs)("with a snapshot on disk that is not what was sent", () => {
  const damages: readonly (readonly [string, (bytes: Buffer) => Buffer | string])[] = [
    ["cut short", (bytes) => bytes.subarray(0, bytes.length / 2)],
    ["not JSON at all", () => "\u0000\u0001 not a snapshot"],
    ["widened by hand", (bytes) => bytes.toString("utf8").replaceAll('"tiny"', '"*"')],
  ];

  test.each(damages)(
    "%s, the sidecar ignores it and takes the operator's",
    async (_name, damage) => {
      const first = await startStandalone({ files: FILES, engine: engine.url });
      const cache = flag(commandOf(first.sidecarPid()), "cache");
      await first.stop();
      const files = fs.readdirSync(cache, { recursive: true, encoding: "utf8" }).map((file) => path.join(cache, file));
      const snapshots = files.filter((file) => fs.statSync(file).isFile());
      expect(snapshots.length).toBeGreaterThan(0);
      for (const file of snapshots) fs.writeFileSync(file, damage(fs.readFileSync(file)));
      engine.received.length = 0;
      const second = await startStandalone({
        files: { ...FILES, "policy.yaml": policy(["other"]) },
        engine: engine.url,
        state: first.state,
      });
      try {
        const frontend = second.client("apps", "chat-frontend");
        expect(await status(second.port, frontend, "tiny")).toBe(403);
        expect(engine.received).toEqual([]);
        expect(await status(second.port, frontend, "other")).toBe(200);
      } finally {
        await second.stop();
      }
    },
    60_000,
  );
});
