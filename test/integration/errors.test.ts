/** Everything that can go wrong with a request: what the SDK raises, what is said in which words, what the audit keeps. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
} from "openai";
import { chat, connectTls, openaiClient, postJson, readAnswer, sendRaw, type Caller } from "../support/clients.ts";
import { startFaultyEngine, type Fault, type FaultyEngine } from "../support/faulty-engine.ts";
import { makeAuthority, readAuthority, type Credentials, type LeafOptions } from "../support/pki.ts";
import { startStandalone, type Standalone } from "../support/sallyport.ts";
import { residentBytes } from "../../bench/proxy/cpu.ts";
import { FILES } from "./resources.ts";
import fs from "node:fs";

const CHAT = "/v1/chat/completions";
const MAX_BODY = 1024 * 1024;
const FRONTEND = "spiffe://example.local/ns/apps/sa/chat-frontend";

let engine: FaultyEngine;
let sallyport: Standalone;
let frontend: Caller;

beforeAll(async () => {
  engine = await startFaultyEngine();
  const args = ["--engine-first-byte-seconds=1", "--engine-silent-seconds=1", `--max-body-bytes=${MAX_BODY}`];
  sallyport = await startStandalone({ files: FILES, engine: engine.url, args });
  frontend = sallyport.client("apps", "chat-frontend");
}, 60_000);
afterAll(async () => {
  await sallyport.stop();
  await engine.refuse();
});
beforeEach(() => {
  engine.fault = { kind: "none" };
  engine.received.length = 0;
});

interface ErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly code: string; readonly param: unknown };
}

type ErrorClass = new (...args: never[]) => Error;

/** The SDK's error for a chat, its request id checked against the audit. */
async function raised(caller: Caller, model = "tiny"): Promise<InstanceType<typeof APIError>> {
  const client = openaiClient(sallyport.url, caller);
  const asked = client.chat.completions.create({ model, messages: [{ role: "user", content: "hi" }] });
  const error: unknown = await asked.then(
    () => new Error("it was answered"),
    (error: unknown) => error,
  );
  if (!(error instanceof APIError)) throw error;
  return error;
}

async function expectDenied(requestId: string, status: number, code: string): Promise<void> {
  const [record] = await sallyport.auditOf(requestId, 1);
  expect(record).toMatchObject({ kind: "Denied", status, code });
  expect(engine.received).toEqual([]);
}

describe("who asks", () => {
  async function withIdentity(make: () => Promise<Credentials | undefined>, code: string): Promise<void> {
    const own = await make();
    const error = await raised({ ca: sallyport.ca, ...own });
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/[a-z]/u);
    await expectDenied(error.requestID ?? "", 401, code);
  }

  /** A chain that our own authority has signed, although it never would. */
  async function ownLeaf(options: LeafOptions): Promise<Credentials> {
    const { certificate, key } = sallyport.signing();
    const leaf = await (await readAuthority(certificate, key)).leaf(options);
    return { cert: leaf.cert + certificate, key: leaf.key };
  }

  test("nobody, without a certificate", async () => {
    await withIdentity(async () => undefined, "identity_missing");
  });

  test("a certificate that has expired", async () => {
    const notBefore = new Date(Date.now() - 7_200_000);
    const notAfter = new Date(Date.now() - 60_000);
    await withIdentity(async () => await ownLeaf({ uris: [FRONTEND], notBefore, notAfter }), "identity_expired");
  });

  test("a workload of a trust domain that nobody vouches for", async () => {
    const other = await makeAuthority("other.local");
    const make = async (): Promise<Credentials> =>
      await other.leaf({ uris: ["spiffe://other.local/ns/apps/sa/chat-frontend"] });
    await withIdentity(make, "trust_domain_unknown");
  });

  test("our own authority signs nobody by mistake: a leaf made with its key, for a workload it knows, is let in", async () => {
    // without this the refusals below could be those of a badly made chain
    const caller = { ca: sallyport.ca, ...(await ownLeaf({ uris: [FRONTEND] })) };
    expect((await sendRaw(sallyport.port, caller, postJson(CHAT, chat("tiny")))).status).toBe(200);
  });

  test("somebody with our trust domain's name from an authority that is not ours", async () => {
    const impostor = await makeAuthority("example.local");
    await withIdentity(async () => await impostor.leaf({ uris: [FRONTEND] }), "identity_untrusted");
  });

  test("a certificate of ours with two SPIFFE IDs", async () => {
    const uris = [FRONTEND, "spiffe://example.local/ns/apps/sa/other"];
    await withIdentity(async () => await ownLeaf({ uris }), "identity_invalid");
  });
});

describe("what is asked", () => {
  async function refused(bytes: Buffer | string, status: number, code: string): Promise<ErrorBody["error"]> {
    const answer = await sendRaw(sallyport.port, frontend, bytes);
    expect(answer.status).toBe(status);
    const { error } = JSON.parse(answer.body) as ErrorBody;
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/[a-z]/u);
    await expectDenied(answer.headers["x-request-id"] ?? "", status, code);
    return error;
  }

  test("a model that no rule allows", async () => {
    const error = await raised(frontend, "gpt-unheard-of");
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error.code).toBe("no_rule_allows");
    await expectDenied(error.requestID ?? "", 403, "no_rule_allows");
  });

  test("a path that is no operation", async () => {
    const client = openaiClient(sallyport.url, frontend);
    const error: unknown = await client.post("/slots/0", { body: {} }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(NotFoundError);
    await refused(postJson("/metrics", "{}"), 404, "unknown_operation");
    await refused(postJson(`${CHAT}/../../slots`, "{}"), 404, "unknown_operation");
  });

  test("JSON that is none", async () => {
    const error = await refused(postJson(CHAT, '{"model": "tiny", "messages": ['), 400, "invalid_json");
    expect(error.type).toBe("invalid_request_error");
  });

  test("JSON that says the same thing twice: the engine must not read the other one", async () => {
    const body = '{"model":"tiny","model":"forbidden-model","messages":[{"role":"user","content":"hi"}]}';
    const error = await refused(postJson(CHAT, body), 400, "duplicate_key");
    expect(error.message).toContain("model");
    const nested = '{"model":"tiny","messages":[{"role":"user","content":"a","content":"b"}]}';
    await refused(postJson(CHAT, nested), 400, "duplicate_key");
  });

  test("a parameter that nobody has looked at", async () => {
    const error = await refused(postJson(CHAT, chat("tiny", { frobnicate: 3 })), 400, "unknown_parameter");
    expect(error.param).toBe("frobnicate");
  });

  test("more than the sidecar takes: refused on its head, before the body is sent", async () => {
    const answer = await sendRaw(
      sallyport.port,
      frontend,
      `POST ${CHAT} HTTP/1.1\r\nhost: engine\r\ncontent-type: application/json\r\ncontent-length: ${MAX_BODY + 1}\r\n\r\n`,
    );
    expect(answer.status).toBe(413);
    const { error } = JSON.parse(answer.body) as ErrorBody;
    await expectDenied(answer.headers["x-request-id"] ?? "", 413, error.code);
  });

  test("the SDK raises its typed errors for what its own types would not let it send", async () => {
    const client = openaiClient(sallyport.url, frontend);
    const post = async (body: string): Promise<unknown> =>
      await client
        .post("/chat/completions", { body: Buffer.from(body), headers: { "content-type": "application/json" } })
        .catch((error: unknown) => error);
    const cases: readonly (readonly [string, ErrorClass, number])[] = [
      ["{", BadRequestError, 400],
      ['{"model":"tiny","model":"tiny"}', BadRequestError, 400],
      [`{"model":"${"x".repeat(MAX_BODY)}"}`, APIError, 413],
    ];
    for (const [body, type, status] of cases) {
      const error = await post(body);
      expect(error).toBeInstanceOf(type);
      expect(error).toMatchObject({ status });
    }
  });

  test("two requests in one breath are decided one by one", async () => {
    const socket = await connectTls(sallyport.port, frontend);
    socket.write(Buffer.concat([postJson(CHAT, chat("tiny")), postJson(CHAT, chat("forbidden-model"))]));
    const first = await readAnswer(socket);
    const rest = first.body.slice(Number(first.headers["content-length"]));
    const second = rest === "" ? (await readAnswer(socket)).status : Number(rest.slice(9, 12));
    socket.destroy();
    expect([first.status, second]).toEqual([200, 403]);
    expect(engine.received.map(({ body }) => (JSON.parse(body) as { readonly model: string }).model)).toEqual(["tiny"]);
  });
});

describe("what the engine does", () => {
  /** A whole answer's error: status, code, Begin and End. */
  async function failed(status: number, code: string): Promise<void> {
    const error = await raised(frontend);
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error).toMatchObject({ status, code });
    const [begin, end] = await sallyport.auditOf(error.requestID ?? "", 2);
    expect(begin).toMatchObject({ kind: "Begin" });
    expect(end).toMatchObject({ kind: "End", outcome: "EngineFailed", status, code });
  }

  test("it is down, and then up again", async () => {
    await engine.refuse();
    await failed(502, "engine_unreachable");
    await engine.listen();
    const client = openaiClient(sallyport.url, frontend);
    const answer = await client.chat.completions.create({ model: "tiny", messages: [{ role: "user", content: "hi" }] });
    expect(answer.choices[0]?.message.content).toBe("hello there");
  });

  test("it never answers", async () => {
    engine.fault = { kind: "silent" };
    await failed(504, "engine_timeout");
  });

  const broken: readonly (readonly [string, Fault])[] = [
    ["it closes before its head", { kind: "dies", where: "before-head", how: "end" }],
    ["it dies within its head", { kind: "dies", where: "in-head", how: "reset" }],
    ["it dies within its body", { kind: "dies", where: "in-body", how: "end" }],
    ["it resets within its body", { kind: "dies", where: "in-body", how: "reset" }],
    ["it speaks something else", { kind: "raw", bytes: "220 mail.example.com ESMTP\r\n" }],
    [
      "it says two lengths",
      { kind: "raw", bytes: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 4\r\n\r\n{}{}" },
    ],
    [
      "it says a length and chunks",
      {
        kind: "raw",
        bytes: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
      },
    ],
    [
      "it redirects",
      { kind: "raw", bytes: "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n" },
    ],
    ["its head never ends", { kind: "raw", bytes: `HTTP/1.1 200 OK\r\nx-padding: ${"x".repeat(2_000_000)}` }],
  ];
  test.each(broken)("%s", async (_name, fault) => {
    engine.fault = fault;
    await failed(502, "engine_failed");
  });

  const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
  const event = 'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"one"}}]}\n\n';
  const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
  const garbage: readonly (readonly [string, string])[] = [
    ["an event that is not JSON", `${chunked(event)}${chunked("data: {]\n\n")}0\r\n\r\n`],
    ["an event that never ends", `${chunked(event)}${chunked(`data: ${"x".repeat(3_000_000)}`)}`],
    ["a chunk whose size is no number", `${chunked(event)}zz\r\nxx\r\n`],
    ["a chunk that is longer than it says", `${chunked(event)}2\r\nabcdef\r\n0\r\n\r\n`],
    [
      "bytes that are not UTF-8 where JSON should be",
      `${chunked(event)}${chunked('data: {"choices":[{"delta":{"content":"\xff\xfe')}`,
    ],
  ];
  test.each(garbage)("a stream with %s is cut with an error, after what was good", async (_name, body) => {
    engine.fault = { kind: "raw", bytes: Buffer.from(head + body, "latin1") };
    const client = openaiClient(sallyport.url, frontend);
    const stream = await client.chat.completions.create({
      model: "tiny",
      messages: [{ role: "user", content: "hi" }],
      stream: true,
    });
    let seen = "";
    const reading = (async () => {
      for await (const chunk of stream) seen += chunk.choices[0]?.delta.content ?? "";
    })();
    await expect(reading).rejects.toMatchObject({ code: "engine_failed" });
    expect(seen).toBe("one");
  });

  test("an answer that is larger than any answer is refused, and its bytes do not pile up", async () => {
    engine.fault = { kind: "huge", bytes: 400_000_000 };
    const error = await raised(frontend);
    expect(error).toBeInstanceOf(InternalServerError);
    expect(["engine_failed", "engine_busy"]).toContain(error.code);
    const [, end] = await sallyport.auditOf(error.requestID ?? "", 2);
    expect(end).toMatchObject({ kind: "End", outcome: "EngineFailed", code: error.code });
    if (fs.existsSync("/proc/self/status")) expect(residentBytes(sallyport.sidecarPid())).toBeLessThan(400_000_000);
  });

  test("its own refusal reaches the caller as it is", async () => {
    const body = JSON.stringify({
      error: { message: "the context is full", type: "invalid_request_error", code: null },
    });
    engine.fault = { kind: "answer", status: 400, type: "application/json", body };
    const error = await raised(frontend);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.message).toContain("the context is full");
  });

  test("a slow answer arrives whole", async () => {
    engine.fault = { kind: "slow", everyMs: 2 };
    const client = openaiClient(sallyport.url, frontend);
    const answer = await client.chat.completions.create({ model: "tiny", messages: [{ role: "user", content: "hi" }] });
    expect(answer.choices[0]?.message.content).toBe("hello there");
  });

  const cuts: readonly (readonly [string, Fault])[] = [
    ["closes", { kind: "dies", where: "in-stream", how: "end" }],
    ["resets", { kind: "dies", where: "in-stream", how: "reset" }],
    ["ends as if nothing were missing", { kind: "unfinished-stream" }],
  ];
  test.each(cuts)(
    "a stream that it %s half-way raises an error after what came, and is never taken as whole",
    async (_how, fault) => {
      engine.fault = fault;
      const client = openaiClient(sallyport.url, frontend);
      const { data: stream, response } = await client.chat.completions
        .create({ model: "tiny", messages: [{ role: "user", content: "hi" }], stream: true })
        .withResponse();
      const seen: string[] = [];
      const reading = (async () => {
        for await (const chunk of stream) seen.push(chunk.choices[0]?.delta.content ?? "");
      })();
      const error: unknown = await reading.then(
        () => new Error("the stream ended as if it were whole"),
        (error: unknown) => error,
      );
      expect(error).toBeInstanceOf(APIError);
      expect(error).toMatchObject({ code: "engine_failed" });
      expect(seen).toEqual(["one", "two"]);
      const [, end] = await sallyport.auditOf(response.headers.get("x-request-id") ?? "", 2);
      expect(end).toMatchObject({ kind: "End", outcome: "EngineFailed", code: "engine_failed" });
    },
  );

  test("a stream that stops is cut with an error once its silence is too long", async () => {
    engine.fault = { kind: "stream", events: 2, everyMs: 1_500 };
    const client = openaiClient(sallyport.url, frontend);
    const stream = await client.chat.completions.create({
      model: "tiny",
      messages: [{ role: "user", content: "hi" }],
      stream: true,
    });
    const reading = (async () => {
      for await (const chunk of stream) expect(chunk.choices).toHaveLength(1);
    })();
    await expect(reading).rejects.toMatchObject({ code: "engine_timeout" });
  });

  test("a caller that leaves takes the engine's request with it", async () => {
    engine.fault = { kind: "stream", events: 10_000, everyMs: 5 };
    const client = openaiClient(sallyport.url, frontend);
    const abort = new AbortController();
    const stream = await client.chat.completions.create(
      { model: "tiny", messages: [{ role: "user", content: "hi" }], stream: true },
      { signal: abort.signal },
    );
    for await (const chunk of stream) {
      expect(chunk.object).toBe("chat.completion.chunk");
      break;
    }
    abort.abort();
    for (let tries = 0; tries < 100 && engine.received[0]?.aborted !== true; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(engine.received[0]?.aborted).toBe(true);
  });
});

test("what reaches the engine is what was inspected, without the caller's credentials", async () => {
  const body = chat("tiny", { temperature: 0.5 });
  await sendRaw(
    sallyport.port,
    frontend,
    postJson(CHAT, body, { authorization: "Bearer secret", cookie: "a=b", "x-foo": "1" }),
  );
  const [request] = engine.received;
  expect(request?.body).toBe(body);
  expect(Object.keys(request?.headers ?? {}).sort()).toEqual(
    ["accept", "accept-encoding", "content-length", "content-type", "host", "x-request-id"].sort(),
  );
});
