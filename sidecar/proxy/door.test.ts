/** The data path whole, over real sockets and real TLS: listener, connection, admission, engine, answer, audit. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import pino from "pino";
import { verifyChain } from "../../core/audit/record.ts";
import { certificatesFromPem } from "../../core/identity/index.ts";
import type { SnapshotRule } from "../../core/snapshot/types.ts";
import { FaultyEngine } from "../../test/support/faulty-engine.ts";
import { makeAuthority, type Authority, type Credentials } from "../../test/support/pki.ts";
import { Recorder } from "../audit/recorder.ts";
import { Spool, spoolFiles, type Series } from "../audit/spool.ts";
import { Configuration } from "../configuration.ts";
import { Metrics } from "../metrics.ts";
import { Admission } from "./admission.ts";
import { Callers } from "./caller.ts";
import { EnginePool } from "./engine.ts";
import { MemoryBudget } from "./memory.ts";
import { Listener } from "./listener.ts";

const TRUST_DOMAIN = "example.com";
const CLIENT = `spiffe://${TRUST_DOMAIN}/ns/apps/sa/chat`;
const SERVER = `spiffe://${TRUST_DOMAIN}/ns/inference/sa/llama`;

const engine = new FaultyEngine();
const MEMORY = 1_000_000;
const memory = new MemoryBudget(MEMORY);
const configuration = new Configuration();
let authority: Authority;
let client: Credentials;
let listener: Listener;
let pool: EnginePool;
let recorder: Recorder;
let sweeper: NodeJS.Timeout;
let directory = "";
let port = 0;

const ALLOW: SnapshotRule = {
  name: "chat",
  action: "Allow",
  from: [CLIENT],
  operations: ["Chat", "ListModels"],
  models: ["llama*"],
  features: ["Streaming"],
};

function configure(rules: readonly SnapshotRule[]): void {
  const applied = configuration.apply(
    {
      schema: 1,
      features: [],
      workload: { spiffeId: SERVER, namespace: "inference", serviceAccount: "llama", labels: {} },
      bundles: { [TRUST_DOMAIN]: certificatesFromPem(authority.pem).map((der) => der.toString("base64")) },
      identities: [],
      allowTier: "Team",
      policies: [
        {
          tier: "Team",
          namespace: "inference",
          name: "p",
          mode: "Enforce",
          variables: [],
          denials: { detail: "Code" },
          rules,
        },
      ],
    },
    "sha256:test",
  );
  if (!applied.ok) throw new Error(applied.reason);
}

beforeAll(async () => {
  await engine.listen();
  authority = await makeAuthority(TRUST_DOMAIN);
  client = await authority.leaf({ uris: [CLIENT] });
  const server = await authority.leaf({ uris: [SERVER], ipAddresses: ["127.0.0.1"] });
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "door-"));
  const spool = (series: Series): Spool => new Spool({ directory, series, workload: "w", now: Date.now });
  recorder = new Recorder(spool("audit"), spool("refused"));
  const clock = (): number => performance.now();
  const { port: enginePort } = new URL(engine.url);
  pool = new EnginePool({
    host: "127.0.0.1",
    port: Number(enginePort),
    maxConnections: 16,
    connectMs: 1000,
    firstByteMs: 500,
    silentMs: 500,
    answerMs: 60_000,
    idleMs: 4000,
    clock,
  });
  const metrics = new Metrics({
    connections: () => 0,
    exchanges: () => 0,
    engineConnections: () => 0,
    snapshotVersion: () => "",
    identityNotAfter: () => 0,
  });
  const admission = new Admission({
    configuration,
    recorder,
    engine: pool,
    notAfter: () => Infinity,
    metrics,
    log: pino({ enabled: false }),
    now: Date.now,
    clock,
    memory,
    maxExchanges: 100,
  });
  listener = new Listener({ key: server.key, chain: server.cert }, new Callers(configuration), admission, {
    host: "127.0.0.1",
    port: 0,
    maxConnections: 100,
    memory,
    now: Date.now,
    onError: () => undefined,
    limits: {
      headBytes: 16_384,
      bodyBytes: 65_536,
      aheadBytes: 65_536,
      requestMs: 500,
      idleMs: 60_000,
      strangerMs: 300,
      stalledMs: 1000,
    },
    clock,
  });
  port = await listener.listen();
  sweeper = setInterval(() => {
    listener.sweep(clock());
    pool.sweep(clock());
  }, 50);
});

afterAll(async () => {
  clearInterval(sweeper);
  const drained = listener.drain();
  listener.destroy();
  await drained;
  pool.close();
  recorder.close(0);
  fs.rmSync(directory, { recursive: true });
  await engine.refuse();
});

beforeEach(() => {
  engine.fault = { kind: "none" };
  engine.received.length = 0;
  configure([ALLOW]);
});

interface Session {
  readonly socket: tls.TLSSocket;
  /** All that has come so far. */
  readonly text: () => string;
  /** Resolves when what has come matches, or the connection has closed. */
  readonly until: (pattern: RegExp) => Promise<string>;
  readonly closed: () => boolean;
}

async function connect(credentials: Credentials | undefined = client): Promise<Session> {
  const socket = tls.connect({ host: "127.0.0.1", port, ca: authority.pem, ...credentials });
  let text = "";
  const state = { closed: false };
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.on("error", () => socket.destroy());
  socket.on("close", () => (state.closed = true));
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return {
    socket,
    text: () => text,
    closed: () => state.closed,
    until: async (pattern) => {
      for (let i = 0; i < 300 && !pattern.test(text) && !state.closed; i++) await sleep(10);
      return text;
    },
  };
}

function post(body: unknown, target = "/v1/chat/completions", more = ""): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return `POST ${target} HTTP/1.1\r\nHost: llama\r\nContent-Type: application/json\r\n${more}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

const CHAT = { model: "llama", messages: [{ role: "user", content: "hello" }] };

/** One request on a connection of its own: what came back until the answer was whole. */
async function ask(request: string, credentials: Credentials | undefined = client): Promise<string> {
  const session = await connect(credentials);
  session.socket.write(request);
  const text = await session.until(request.startsWith("HEAD") ? /\r\n\r\n$/ : /\r\n\r\n.*(?:\}|0\r\n\r\n)$/s);
  session.socket.destroy();
  return text;
}

function linesOf(series: Series): string[] {
  return spoolFiles(directory, series).flatMap((file) =>
    fs.readFileSync(path.join(directory, file.name), "utf8").split("\n").slice(0, -1),
  );
}

/** Both series, in the order of time. */
function audit(): Record<string, unknown>[] {
  return [...linesOf("audit"), ...linesOf("refused")]
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .toSorted((a, b) => Date.parse(String(a["time"])) - Date.parse(String(b["time"])));
}

/** The last records, once they are written. */
async function lastRecords(count: number): Promise<Record<string, unknown>[]> {
  await sleep(30);
  return audit().slice(-count);
}

describe("an allowed request", () => {
  test("reaches the engine and comes back, with a Begin before and an End after", async () => {
    const text = await ask(post(CHAT));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(engine.received).toHaveLength(1);
    expect(await lastRecords(2)).toMatchObject([
      { kind: "Begin", peer: CLIENT, operation: "Chat", model: "llama", policy: "inference/p", rule: "chat" },
      { kind: "End", outcome: "Completed", status: 200 },
    ]);
  });

  test("is forwarded as it was read, and nothing of its head is", async () => {
    const body = '{"model":"llama", "messages":[{"role":"user","content":"h\\u00e4"}] ,"temperature":0.5}';
    await ask(
      post(body, "/v1/chat/completions", "Authorization: Bearer secret\r\nCookie: a=b\r\nX-Forwarded-For: 1.2.3.4\r\n"),
    );
    const [seen] = engine.received;
    expect(seen!.body).toBe(body);
    expect(Object.keys(seen!.headers).sort()).toEqual([
      "accept",
      "accept-encoding",
      "content-length",
      "content-type",
      "host",
      "x-request-id",
    ]);
  });

  test("has its ceiling written in", async () => {
    configure([{ ...ALLOW, maxOutputTokens: 7 }]);
    await ask(post(CHAT));
    await ask(post({ ...CHAT, max_tokens: 1000 }));
    await ask(post({ ...CHAT, max_tokens: 3 }));
    expect(
      engine.received
        .map(({ body }) => JSON.parse(body))
        .map(({ max_tokens: old, max_completion_tokens: now }) => old ?? now),
    ).toEqual([7, 7, 3]);
  });

  test("is streamed, its usage asked for and hidden again", async () => {
    const text = await ask(post({ ...CHAT, stream: true }));
    expect(text).toContain("content-type: text/event-stream");
    expect(text).toContain("data: [DONE]");
    expect(text).not.toMatch(/"usage":\{/);
    expect(JSON.parse(engine.received[0]!.body).stream_options).toEqual({ include_usage: true });
    expect((await lastRecords(1))[0]).toMatchObject({ kind: "End", outcome: "Completed" });
  });

  test("may follow another on the same connection, and be pipelined", async () => {
    const session = await connect();
    session.socket.write(post(CHAT) + post(CHAT) + post({ ...CHAT, model: "gpt" }) + post(CHAT));
    const text = await session.until(/(?:HTTP\/1\.1 .*){4}\}$/s);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 403", "HTTP/1.1 200"]);
    expect(engine.received).toHaveLength(3);
    session.socket.destroy();
  });

  test("is decided on the newest configuration, whatever the age of its connection", async () => {
    const session = await connect();
    session.socket.write(post(CHAT));
    await session.until(/200 OK.*\}$/s);
    configure([]);
    session.socket.write(post(CHAT));
    expect(await session.until(/403 Forbidden.*\}$/s)).toContain("no_rule_allows");
    expect(engine.received).toHaveLength(1);
    session.socket.destroy();
  });
});

describe("nothing reaches the engine", () => {
  test.each<[string, string, RegExp, string]>([
    ["a model that no rule names", post({ ...CHAT, model: "gpt" }), /^HTTP\/1\.1 403 /, "no_rule_allows"],
    ["an unknown path", post(CHAT, "/v1/other"), /^HTTP\/1\.1 404 /, "unknown_operation"],
    [
      "another method",
      "DELETE /v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\n",
      /^HTTP\/1\.1 405 /,
      "method_not_allowed",
    ],
    ["HEAD", "HEAD /v1/models HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 405 /, ""],
    ["malformed JSON", post('{"model": "llama",'), /^HTTP\/1\.1 400 /, "invalid_json"],
    [
      "a duplicate key",
      post('{"model":"llama","model":"gpt","messages":[{"role":"user","content":"x"}]}'),
      /^HTTP\/1\.1 400 /,
      "duplicate_key",
    ],
    [
      "a duplicate key with an escape",
      post('{"model":"llama","m\\u006fdel":"gpt","messages":[{"role":"user","content":"x"}]}'),
      /^HTTP\/1\.1 400 /,
      "duplicate_key",
    ],
    ["an unknown parameter", post({ ...CHAT, frobnicate: 1 }), /^HTTP\/1\.1 400 /, "unknown_parameter"],
    ["a feature that is not named", post({ ...CHAT, n: 2 }), /^HTTP\/1\.1 403 /, "no_rule_allows"],
    [
      "a body over the limit",
      post({ ...CHAT, messages: [{ role: "user", content: "x".repeat(70_000) }] }),
      /^HTTP\/1\.1 413 /,
      "body_too_large",
    ],
    [
      "a type that is not JSON",
      "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
      /^HTTP\/1\.1 415 /,
      "unsupported_media_type",
    ],
    [
      "an encoded body",
      post(CHAT, "/v1/chat/completions", "Content-Encoding: gzip\r\n"),
      /^HTTP\/1\.1 415 /,
      "unsupported_encoding",
    ],
    [
      "an upgrade",
      "GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      /^HTTP\/1\.1 501 /,
      "not_supported",
    ],
    [
      "conflicting lengths",
      "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1\.1 400 /,
      "conflicting_length",
    ],
  ])("for %s", async (_what, request, status, code) => {
    const text = await ask(request);
    expect(text).toMatch(status);
    expect(text).toMatch(/x-request-id: req_[0-9a-f]{24}/);
    if (code !== "") expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4)).error.code).toBe(code);
    expect(engine.received).toHaveLength(0);
    const [record] = await lastRecords(1);
    expect(record).toMatchObject({ kind: "Denied", peer: CLIENT, ...(code === "" ? {} : { code }) });
    expect(text).toContain(String(record!["id"]));
  });

  test("from a client without a certificate, of another authority, or that has expired", async () => {
    const other = await makeAuthority(TRUST_DOMAIN);
    const cases: [Credentials | undefined, string][] = [
      [await other.leaf({ uris: [CLIENT] }), "identity_untrusted"],
      [await authority.leaf({ uris: [CLIENT], notAfter: new Date(Date.now() - 1000) }), "identity_expired"],
      [await authority.leaf({ uris: ["spiffe://other.example/ns/a/sa/b"] }), "trust_domain_unknown"],
      [await authority.leaf({ uris: [CLIENT, SERVER] }), "identity_invalid"],
    ];
    for (const [credentials, code] of cases) {
      const text = await ask(post(CHAT), credentials);
      expect(text).toMatch(/^HTTP\/1\.1 401 /);
      expect(text).toContain(`"code":"${code}"`);
      expect((await lastRecords(1))[0]).toMatchObject({ kind: "Denied", code, peer: "" });
    }
    const session = await connect({} as Credentials);
    session.socket.write(post(CHAT));
    expect(await session.until(/\}$/)).toContain('"code":"identity_missing"');
    expect(engine.received).toHaveLength(0);
  });

  test("from a peer that no rule allows anything, whose body is not even read", async () => {
    const session = await connect(await authority.leaf({ uris: [`spiffe://${TRUST_DOMAIN}/ns/apps/sa/stranger`] }));
    session.socket.write(post({ ...CHAT, messages: [{ role: "user", content: "x".repeat(60_000) }] }).slice(0, 300));
    const text = await session.until(/\}$/);
    expect(text).toMatch(/^HTTP\/1\.1 403 .*connection: close.*"code":"no_rule_allows"/s);
    expect((await lastRecords(1))[0]).toMatchObject({
      kind: "Denied",
      peer: `spiffe://${TRUST_DOMAIN}/ns/apps/sa/stranger`,
      code: "no_rule_allows",
      reason: "no rule allows this peer anything",
      snapshot: "sha256:test",
    });
  });

  test("while a request arrives too slowly", async () => {
    const session = await connect();
    session.socket.write(post(CHAT).slice(0, -5));
    expect(await session.until(/\}$/)).toMatch(/^HTTP\/1\.1 408 .*request_timeout/s);
    expect(engine.received).toHaveLength(0);
  });
});

describe("an engine that fails", () => {
  test.each<[string, FaultyEngine["fault"], RegExp, string]>([
    [
      "closes without an answer",
      { kind: "dies", where: "before-head", how: "end" },
      /^HTTP\/1\.1 502 /,
      "engine_failed",
    ],
    [
      "resets without an answer",
      { kind: "dies", where: "before-head", how: "reset" },
      /^HTTP\/1\.1 502 /,
      "engine_failed",
    ],
    ["dies within its head", { kind: "dies", where: "in-head", how: "end" }, /^HTTP\/1\.1 502 /, "engine_failed"],
    ["dies within its body", { kind: "dies", where: "in-body", how: "end" }, /^HTTP\/1\.1 502 /, "engine_failed"],
    ["says nothing", { kind: "silent" }, /^HTTP\/1\.1 504 /, "engine_timeout"],
    ["sends garbage", { kind: "raw", bytes: "garbage\r\n\r\n" }, /^HTTP\/1\.1 502 /, "engine_failed"],
    [
      "answers with no JSON",
      { kind: "answer", status: 200, type: "application/json", body: "{" },
      /^HTTP\/1\.1 502 /,
      "engine_failed",
    ],
  ])("and %s is answered with an error of its own", async (_what, fault, status, code) => {
    engine.fault = fault;
    const text = await ask(post(CHAT));
    expect(text).toMatch(status);
    expect(text).toContain(`"code":"${code}"`);
    expect((await lastRecords(1))[0]).toMatchObject({ kind: "End", outcome: "EngineFailed", code });
  });

  test.each<[string, FaultyEngine["fault"]]>([
    ["dies within its stream", { kind: "dies", where: "in-stream", how: "end" }],
    ["resets within its stream", { kind: "dies", where: "in-stream", how: "reset" }],
    ["ends its stream without the last event", { kind: "unfinished-stream" }],
  ])("and %s ends the stream with an error event", async (_what, fault) => {
    engine.fault = fault;
    const text = await ask(post({ ...CHAT, stream: true }));
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toMatch(/data: \{"error":\{.*"code":"engine_failed"/s);
    expect(text).not.toContain("[DONE]");
    expect((await lastRecords(1))[0]).toMatchObject({ kind: "End", outcome: "EngineFailed", code: "engine_failed" });
  });

  test("with an error of its own has it passed on", async () => {
    engine.fault = {
      kind: "answer",
      status: 400,
      type: "application/json",
      body: '{"error":{"message":"context too long"}}',
    };
    const text = await ask(post(CHAT));
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain("context too long");
    expect((await lastRecords(1))[0]).toMatchObject({
      kind: "End",
      outcome: "Completed",
      status: 400,
      code: "engine_refused",
    });
  });
});

test("a client that leaves cancels the engine's work", async () => {
  engine.fault = { kind: "stream", events: 1000, everyMs: 10 };
  const session = await connect();
  session.socket.write(post({ ...CHAT, stream: true }));
  await session.until(/data: /);
  session.socket.destroy();
  for (let i = 0; i < 100 && engine.received[0]?.aborted !== true; i++) await sleep(10);
  expect(engine.received[0]!.aborted).toBe(true);
  expect((await lastRecords(1))[0]).toMatchObject({ kind: "End", outcome: "ClientGone" });
});

test("a burst that a caller takes slowly leaves the engine's connection fit for the next", async () => {
  engine.fault = { kind: "stream", events: 2000, everyMs: 0 };
  const slow = await connect();
  slow.socket.write(post({ ...CHAT, stream: true }));
  expect(await slow.until(/0\r\n\r\n$/)).toContain("[DONE]");
  slow.socket.destroy();
  engine.fault = { kind: "none" };
  for (let i = 0; i < 4; i++) expect(await ask(post(CHAT))).toMatch(/^HTTP\/1\.1 200 /);
});

test("a caller that never reads its answers is answered no further", async () => {
  const session = await connect();
  session.socket.pause();
  const before = audit().length;
  const request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
  for (let i = 0; i < 60 && !session.socket.closed; i++) {
    session.socket.write(request);
    await sleep(20);
  }
  // 60,000 were asked; what a socket's buffers take of the answers, about 300 bytes each, is a small part of that.
  expect(audit().length - before).toBeLessThan(20_000);
  session.socket.destroy();
});

describe("callers without a certificate", () => {
  test("are not kept waiting for", async () => {
    const stranger = await connect({} as Credentials);
    const friend = await connect();
    for (let i = 0; i < 200 && !stranger.closed(); i++) await sleep(10);
    expect(stranger.closed()).toBe(true);
    expect(friend.closed()).toBe(false);
    friend.socket.destroy();
  });

  test("take a quarter of the connections at most", async () => {
    const strangers = await Promise.all(Array.from({ length: 40 }, async () => await connect({} as Credentials)));
    await sleep(50);
    expect(strangers.filter((stranger) => !stranger.closed())).toHaveLength(25);
    expect(await ask(post(CHAT))).toMatch(/^HTTP\/1\.1 200 /);
    for (const stranger of strangers) stranger.socket.destroy();
  });
});

test("an engine that goes on behind the last event holds nobody", async () => {
  const events = 'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\ndata: [DONE]\n\n';
  const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  engine.fault = { kind: "raw", bytes: `${head}${events.length.toString(16)}\r\n${events}\r\n1\r\n:\r\n` };
  const text = await ask(post({ ...CHAT, stream: true }));
  expect(text).toMatch(/\[DONE\]\n\n\r\n0\r\n\r\n$/);
  expect((await lastRecords(1))[0]).toMatchObject({ kind: "End", outcome: "Completed", code: "" });
});

describe("what is not an answer of 200", () => {
  test.each([
    [
      "a trace of the engine's own",
      500,
      "text/html",
      "Traceback /opt/secret.py",
      500,
      "the engine refused the request with status 500",
    ],
    [
      "words that are no error",
      404,
      "application/json",
      '{"data":[{"id":"hidden"}]}',
      404,
      "the engine refused the request with status 404",
    ],
  ])("is told without %s", async (_what, status, type, body, seen, words) => {
    engine.fault = { kind: "answer", status, type, body };
    const text = await ask(post(CHAT));
    expect(text.startsWith(`HTTP/1.1 ${seen} `)).toBe(true);
    expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4)).error).toMatchObject({
      message: words,
      code: "engine_refused",
    });
  });

  test("is none where it claims to be a success", async () => {
    engine.fault = { kind: "answer", status: 206, type: "application/json", body: '{"data":[{"id":"hidden"}]}' };
    const text = await ask("GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
    expect(text).not.toContain("hidden");
  });
});

test("every Begin has one End, and the audit is one chain", async () => {
  await sleep(50);
  const records = audit();
  const begun = records.filter(({ kind }) => kind === "Begin").map(({ id }) => id);
  const ended = records.filter(({ kind }) => kind === "End").map(({ id }) => id);
  expect(begun.length).toBeGreaterThan(10);
  expect(new Set(ended)).toEqual(new Set(begun));
  expect(ended).toHaveLength(begun.length);
  expect(memory.left).toBe(MEMORY);
  for (const series of ["audit", "refused"] as const) {
    const lines = linesOf(series);
    expect(verifyChain(lines, "").records).toBe(lines.length);
  }
});
