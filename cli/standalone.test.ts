/** The command as a person runs it: its lines, the curl commands it prints, reloads, endings. */
import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { build } from "../tools/build.ts";
import { freePorts } from "../test/support/ports.ts";
import { start, type Running } from "../test/support/processes.ts";
import { startScriptedEngine } from "./scripted-engine.ts";

const ROOT = path.join(import.meta.dirname, "..");
const QUICKSTART = path.join(ROOT, "examples", "quickstart");
const hasCurl = spawnSync("curl", ["--version"]).status === 0;
const run = promisify(execFile);

/** This Node, and an older one where the machine has it: bin/ then starts a Node of its own below itself. */
const NODES: readonly { readonly name: string; readonly node: string }[] = [
  { name: "one process and its sidecar", node: process.execPath },
  ...(process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, "node"))
    .filter((node) => {
      const { status, stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
      return status === 0 && /^v(?:18|2[0-3])\./u.test(stdout);
    })
    .slice(0, 1)
    .map((node) => ({ name: "below an older Node", node })),
];

let base = "";
let running: Running[] = [];

beforeAll(async () => {
  await build();
});

afterEach(async () => {
  await Promise.all(running.map(async (process) => await process.stop("SIGKILL")));
  running = [];
  if (base !== "") rmSync(base, { recursive: true });
  base = "";
});

interface Started {
  readonly process: Running;
  readonly folder: string;
  readonly state: string;
  readonly port: number;
}

/** Starts it over a copy of the quickstart, or over other files. */
async function standalone(files?: Readonly<Record<string, string>>, ...flags: readonly string[]): Promise<Started> {
  return await standaloneOn(process.execPath, files, ...flags);
}

/** As `standalone`, on another Node. */
async function standaloneOn(
  node: string,
  files?: Readonly<Record<string, string>>,
  ...flags: readonly string[]
): Promise<Started> {
  if (base === "") base = mkdtempSync(path.join(tmpdir(), "sallyport-cli-"));
  const folder = path.join(base, "resources");
  if (files === undefined) cpSync(QUICKSTART, folder, { recursive: true });
  else mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files ?? {})) writeFileSync(path.join(folder, file), text);
  const [port = 0, admin = 0] = await freePorts(2);
  const listen = [`--listen=127.0.0.1:${String(port)}`, `--admin=127.0.0.1:${String(admin)}`];
  const command = [
    path.join(ROOT, "bin", "sallyport.mjs"),
    "standalone",
    "resources",
    "--state=state",
    ...listen,
    ...flags,
  ];
  const started = start(node, command, { cwd: base });
  running.push(started);
  return { process: started, folder, state: path.join(base, "state"), port };
}

/** Changes a file of the folder and returns what is printed from then on, up to the pattern. */
async function edit(
  { process, folder }: Started,
  file: string,
  from: string,
  to: string,
  until: RegExp,
): Promise<string> {
  const printed = process.stdout.length;
  const place = path.join(folder, file);
  const text = readFileSync(place, "utf8");
  expect(text).toContain(from);
  writeFileSync(place, text.replace(from, to));
  await process.waitFor(until, 10_000, printed);
  return process.stdout.slice(printed);
}

/** The curl lines, by the comment above each. */
function samples(printed: string): ReadonlyMap<string, string> {
  const lines = printed.split("\n");
  return new Map(lines.flatMap((line, i) => (line.startsWith("curl ") ? [[lines[i - 1] ?? "", line] as const] : [])));
}

async function shell(command: string): Promise<string> {
  const { stdout } = await run("sh", ["-c", command], { cwd: base, timeout: 10_000 });
  return stdout;
}

describe("standalone", () => {
  (hasCurl ? it : it.skip)("prints curl commands that do what they say, as they stand", async () => {
    const { process } = await standalone();
    await process.waitFor(/^curl[^]*Ctrl-C ends it\.\n/mu);
    const commands = samples(process.stdout);
    expect([...commands.keys()]).toEqual([
      "# apps/chat-frontend may chat with llama-3-8b",
      "# the same as a stream",
      "# apps/chat-frontend may not use llama-4-preview (denied_by_rule)",
      "# apps/batch-jobs is known, and not allowed (no_rule_allows)",
      "# nobody comes in without a certificate",
    ]);
    const answers: string[] = [];
    for (const command of commands.values()) answers.push(await shell(command));
    const [allowed = "", streamed = "", model = "", identity = "", nobody = ""] = answers;
    expect(JSON.parse(allowed)).toMatchObject({
      model: "llama-3-8b",
      choices: [{ message: { content: "This engine is scripted. You said: Hello" } }],
    });
    expect(streamed).toContain('"content":" Hello"');
    expect(streamed.trimEnd().endsWith("data: [DONE]")).toBe(true);
    expect(JSON.parse(model)).toMatchObject({
      error: { code: "denied_by_rule", message: expect.stringContaining("Preview models are not open") },
    });
    expect(JSON.parse(identity)).toMatchObject({ error: { code: "no_rule_allows", type: "permission_error" } });
    expect(JSON.parse(nobody)).toMatchObject({ error: { code: "identity_missing", type: "authentication_error" } });
  });

  it("tells which sidecar took a change and how fast, and keeps the last good state over a broken one", async () => {
    const started = await standalone();
    await started.process.waitFor(/^curl[^]*Ctrl-C ends it\.\n/mu);
    const changed = await edit(started, "3-policy.yaml", "maxOutputTokens: 512", "maxOutputTokens: 5", /^ACK.*$/mu);
    expect(changed).toMatch(
      /^changed +6 resources: 1 sidecar to tell\nACK +inference\/llama took sha256:[0-9a-f]{12} in \d+ ms\n$/u,
    );

    const broken = await edit(started, "3-policy.yaml", "variables.firstTurn", "variables.firstTrun", /^refused.*\n/mu);
    expect(broken.split("\n").slice(0, 3)).toEqual([
      "resources/3-policy.yaml:26:21: spec.rules[1].when: Variables has no field 'firstTrun', did you mean 'firstTurn'?",
      "        when: variables.firstTrun",
      "                        ^~~~~~~~~",
    ]);
    expect(broken).toMatch(/^refused +the change is not taken: the last good state goes on\n/mu);
    if (hasCurl) {
      const [command = ""] = samples(started.process.stdout).values();
      expect(JSON.parse(await shell(command))).toMatchObject({ usage: { completion_tokens: 5 } });
    }
  });

  it("denies everything over an empty folder, and says so", async () => {
    const { process, state } = await standalone({});
    await process.waitFor(/^note +no policy selects default\/engine: every request is denied$/mu);
    await process.waitFor(/^curl[^]*Ctrl-C ends it\.\n/mu);
    expect([...samples(process.stdout).keys()]).toEqual(["# nobody comes in without a certificate"]);
    expect(readdirSync(path.join(state, "clients"))).toEqual([]);
  });

  it("writes a certificate for each identity that has no pod, and takes it away with the identity", async () => {
    const started = await standalone();
    await started.process.waitFor(/^curl[^]*Ctrl-C ends it\.\n/mu);
    const clients = path.join(started.state, "clients");
    expect(readdirSync(clients).sort()).toEqual(["apps-batch-jobs", "apps-chat-frontend"]);
    expect(statSync(path.join(clients, "apps-batch-jobs", "tls.key")).mode & 0o777).toBe(0o600);
    expect(statSync(started.state).mode & 0o777).toBe(0o700);
    const file = path.join(started.folder, "2-identities.yaml");
    const [front = ""] = readFileSync(file, "utf8").split("---");
    const printed = started.process.stdout.length;
    writeFileSync(file, front);
    await started.process.waitFor(/^changed/mu, 10_000, printed);
    expect(readdirSync(clients)).toEqual(["apps-chat-frontend"]);
  });

  it("says which resources went, and that a sidecar ended whose Pod did", async () => {
    const started = await standalone();
    await started.process.waitFor(/^curl[^]*Ctrl-C ends it\.\n/mu);
    const printed = started.process.stdout.length;
    writeFileSync(path.join(started.folder, "1-world.yaml"), "");
    await started.process.waitFor(/^stopped +inference\/llama: no longer in the folder$/mu, 10_000, printed);
    const lines = started.process.stdout.slice(printed);
    expect(lines).toMatch(/^waiting +the change takes away .*Pod inference\/llama.*: taken if nothing more .* 2 s$/mu);
    expect(lines).toMatch(/^gone +.*Pod inference\/llama/mu);
  });

  it("gives the sidecar its secret where nobody else can read it", async () => {
    const { process } = await standalone();
    await process.waitFor(/^ready/mu);
    const pid = sidecarOf(process.pid);
    const words = readFileSync(`/proc/${String(pid)}/cmdline`, "utf8").split("\0");
    expect(words).toContain("--token-fd=3");
    // A token is 32 bytes in base64url; a path or a flag may be as long, but is none.
    const seen = `${words.join("\n")}\n${readFileSync(`/proc/${String(pid)}/environ`, "utf8")}`;
    expect(seen.match(/(?<![\w/.-])[A-Za-z0-9_-]{43}(?![\w/.-])/gu) ?? []).toEqual([]);
  });

  it("starts a sidecar again that died, and says so", async () => {
    const { process: command } = await standalone();
    await command.waitFor(/^ACK/mu);
    const printed = command.stdout.length;
    process.kill(sidecarOf(command.pid), "SIGKILL");
    await command.waitFor(
      /^died +inference\/llama: SIGKILL; starting it again in 250 ms\n(?:.*\n)*ready/mu,
      10_000,
      printed,
    );
  });

  it("tells machines the same as one JSON object a line", async () => {
    const { process } = await standalone(undefined, "--json");
    await process.waitFor(/"event":"try".*\n/u);
    const lines = process.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["starting", "engine", "resources", "ready", "ack", "try"]),
    );
    for (const { time } of lines) expect(typeof time).toBe("number");
  });
});

describe("standalone ends", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("with 0 on %s, its sidecar with it", async (signal) => {
    const { process: command } = await standalone();
    await command.waitFor(/^ready/mu);
    const sidecar = sidecarOf(command.pid);
    expect(await command.stop(signal)).toEqual({ code: 0, signal: null });
    expect(command.stdout).toMatch(/^draining .*\n(?:.*\n)*stopped/mu);
    expect(() => process.kill(sidecar, 0)).toThrow(/ESRCH/u);
  });

  it("after what is under way, or with 130 at a second signal that does not want to wait", async () => {
    const silent = createServer((socket) => void socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const engine = silent.address();
    const enginePort = typeof engine === "object" && engine !== null ? engine.port : 0;
    const {
      process: command,
      state,
      port,
    } = await standalone(undefined, `--engine=http://127.0.0.1:${String(enginePort)}`);
    await command.waitFor(/^curl[^]*Ctrl-C ends it\.\n/mu);
    const sidecar = sidecarOf(command.pid);
    const asked = ask(port, state).catch((error: unknown) => String(error));
    await once(silent, "connection");
    command.signal("SIGINT");
    await command.waitFor(/^draining/mu);
    // A terminal's Ctrl-C may arrive twice at once; that is one.
    command.signal("SIGINT");
    await sleep(600);
    expect(command.ended).toBe(false);
    command.signal("SIGINT");
    expect(await command.exited).toEqual({ code: 130, signal: null });
    expect(await asked).toMatch(/socket hang up|ECONNRESET/u);
    expect(() => process.kill(sidecar, 0)).toThrow(/ESRCH/u);
    await new Promise((resolve) => silent.close(resolve));
  });

  it.each(NODES)("after its open streams when a terminal interrupts all of its processes ($name)", async ({ node }) => {
    const engine = await startScriptedEngine({ tokenDelayMs: 250 });
    try {
      const { process: command, state, port } = await standaloneOn(node, undefined, `--engine=${engine.url}`);
      await command.waitFor(/^curl[^]*Ctrl-C ends it\.\n/mu);
      const begun = Promise.withResolvers<undefined>();
      const streamed = askStream(port, state, () => begun.resolve(undefined));
      await begun.promise;
      process.kill(-command.pid, "SIGINT");
      expect(await streamed).toMatch(/data: \[DONE\]\n\n$/u);
      expect(await command.exited).toEqual({ code: 0, signal: null });
      expect(command.stdout).not.toMatch(/^died/mu);
    } finally {
      await engine.close();
    }
  });

  it.each(NODES)("with 130 at a terminal's second Ctrl-C ($name)", async ({ node }) => {
    const engine = await startScriptedEngine({ tokenDelayMs: 2_000 });
    try {
      const { process: command, state, port } = await standaloneOn(node, undefined, `--engine=${engine.url}`);
      await command.waitFor(/^curl[^]*Ctrl-C ends it\.\n/mu);
      const begun = Promise.withResolvers<undefined>();
      const streamed = askStream(port, state, () => begun.resolve(undefined)).catch((error: unknown) => String(error));
      await begun.promise;
      process.kill(-command.pid, "SIGINT");
      await command.waitFor(/^draining/mu);
      await sleep(600);
      expect(command.ended).toBe(false);
      process.kill(-command.pid, "SIGINT");
      expect(await command.exited).toEqual({ code: 130, signal: null });
      expect(await streamed).not.toContain("[DONE]");
    } finally {
      await engine.close();
    }
  });

  it("with 1 over wrong resources, which it prints with their places", async () => {
    const { process } = await standalone({ "a.yaml": "apiVersion: sallyport.dev/v1alpha1\nkind: LlmPolice\n" });
    expect(await process.exited).toEqual({ code: 1, signal: null });
    expect(process.stdout).toMatch(
      /^resources\/a\.yaml:2:7: kind: "LlmPolice" is not a kind .*did you mean "LlmPolicy"\?\n/mu,
    );
  });

  it("with 2 for a flag that is wrong, which it names", async () => {
    const { process } = await standalone(undefined, "--engine=https://example.org");
    expect(await process.exited).toEqual({ code: 2, signal: null });
    expect(process.stderr).toContain("--engine must be http://HOST:PORT without a path");
  });

  it("with 3 where a port is taken, naming the flag", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { process } = await standalone(undefined, `--admin=127.0.0.1:${String(port)}`);
    expect(await process.exited).toEqual({ code: 3, signal: null });
    expect(process.stderr).toBe(
      `sallyport: 127.0.0.1:${String(port)} is taken by another process: give another with --admin HOST:PORT\n`,
    );
    await new Promise((resolve) => server.close(resolve));
  });

  it("with 3 where another one has its state folder", async () => {
    const first = await standalone();
    await first.process.waitFor(/^ready/mu);
    const second = await standalone();
    expect(await second.process.exited).toEqual({ code: 3, signal: null });
    expect(second.process.stderr).toMatch(/state folder state is used by another sallyport \(process \d+\)/u);
  });
});

describe("what is kept", () => {
  it("is the authority: a second run goes on with the first one's", async () => {
    const first = await standalone();
    await first.process.waitFor(/^ready/mu);
    const root = readFileSync(path.join(first.state, "ca.crt"), "utf8");
    await first.process.stop("SIGKILL");
    running = [];
    const second = await standalone();
    await second.process.waitFor(/^ready/mu);
    expect(readFileSync(path.join(second.state, "ca.crt"), "utf8")).toBe(root);
  });
});

/** A chat of the frontend's; resolves with the status. */
async function ask(port: number, state: string): Promise<number> {
  return await send(port, state, false, (response) => {
    response.resume();
    return Promise.resolve(response.statusCode ?? 0);
  });
}

/** The same as a stream; resolves with all of it. */
async function askStream(port: number, state: string, onFirst: () => void): Promise<string> {
  return await send(port, state, true, async (response) => {
    let text = "";
    for await (const piece of response.setEncoding("utf8")) {
      text += String(piece);
      onFirst();
    }
    return text;
  });
}

async function send<T>(
  port: number,
  state: string,
  stream: boolean,
  read: (response: IncomingMessage) => Promise<T>,
): Promise<T> {
  const client = path.join(state, "clients", "apps-chat-frontend");
  const body = JSON.stringify({ model: "llama-3-8b", messages: [{ role: "user", content: "Hello" }], stream });
  return await new Promise((resolve, reject) => {
    const sent = request(
      {
        port,
        method: "POST",
        path: "/v1/chat/completions",
        agent: false,
        headers: { "content-type": "application/json", "content-length": body.length },
        ca: readFileSync(path.join(state, "ca.crt")),
        cert: readFileSync(path.join(client, "tls.crt")),
        key: readFileSync(path.join(client, "tls.key")),
      },
      (response) => void read(response).then(resolve, reject),
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The one child whose program is the sidecar. */
function sidecarOf(parent: number): number {
  const children = readFileSync(`/proc/${String(parent)}/task/${String(parent)}/children`, "utf8")
    .trim()
    .split(" ");
  const found = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("sidecar.js"));
  if (found === undefined) throw new Error(`no sidecar among ${children.join(", ")}`);
  return Number(found);
}

afterAll(() => {
  if (!hasCurl) process.stderr.write("curl is not on this machine: its commands were not run\n");
});
