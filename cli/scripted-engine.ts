/**
 * A small OpenAI-compatible engine whose answers are made up, always the same for the same request: the quickstart and tests
 * work without a model. It understands what the sidecar sends it, and nothing about policy.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { completion, embeddings, models, streamOf, type EngineRequest } from "./scripted-answers.ts";

const MAX_BODY_BYTES = 16 * 1024 * 1024;

export interface ScriptedEngine {
  /** Base URL, without a path. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ScriptedOptions {
  readonly host?: string;
  /** 0 for any free one. */
  readonly port?: number;
  /** Between the events of a stream. */
  readonly tokenDelayMs?: number;
}

/** Starts the engine on the loopback interface. */
export async function startScriptedEngine(options: ScriptedOptions = {}): Promise<ScriptedEngine> {
  const { host = "127.0.0.1", port = 0, tokenDelayMs = 20 } = options;
  const server = createServer((request, response) => {
    answer(request, response, tokenDelayMs).catch((error: unknown) => {
      if (!response.headersSent) fail(response, 500, error instanceof Error ? error.message : String(error));
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  // A listening TCP server has such an address.
  const address = server.address() as AddressInfo;
  return { url: `http://${host}:${String(address.port)}`, close: async () => await close(server) };
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

async function answer(request: IncomingMessage, response: ServerResponse, tokenDelayMs: number): Promise<void> {
  const route = `${request.method ?? ""} ${request.url ?? ""}`;
  if (route === "GET /v1/models") return json(response, 200, models());
  if (request.method !== "POST") return fail(response, 404, `no such route: ${route}`);
  const body = await readJson(request);
  if (body === undefined) return fail(response, 400, "the body is not a JSON object of at most 16 MiB");
  switch (request.url ?? "") {
    case "/v1/chat/completions":
    case "/v1/completions": {
      const chat = request.url === "/v1/chat/completions";
      return body["stream"] === true
        ? await stream(response, streamOf(body, chat), tokenDelayMs)
        : json(response, 200, completion(body, chat));
    }
    case "/v1/embeddings":
      return json(response, 200, embeddings(body));
    default:
      return fail(response, 404, `no such route: ${route}`);
  }
}

async function readJson(request: IncomingMessage): Promise<EngineRequest | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) return undefined;
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is EngineRequest {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function stream(response: ServerResponse, events: readonly string[], delayMs: number): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  for (const event of events) {
    if (gone.signal.aborted) return;
    response.write(`data: ${event}\n\n`);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
  response.end();
}

function json(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function fail(response: ServerResponse, status: number, message: string): void {
  json(response, status, { error: { message, type: "invalid_request_error", param: null, code: null } });
}
