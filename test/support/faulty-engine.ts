/**
 * An engine that misbehaves on demand, over real sockets: what a sidecar must survive from the server behind it. It also
 * remembers what reached it, so that a test can show that nothing did.
 */
import net from "node:net";

/** What the engine does with the next requests. */
export type Fault =
  /** Answers as an OpenAI-compatible engine would, streamed if asked. */
  | { readonly kind: "none" }
  /** Reads the request and says nothing. */
  | { readonly kind: "silent" }
  /** Closes (FIN) or resets (RST) at a point of the answer. */
  | {
      readonly kind: "dies";
      readonly where: "before-head" | "in-head" | "in-body" | "in-stream";
      readonly how: "end" | "reset";
    }
  /** A stream whose framing ends as it should but without the `[DONE]` that says it is whole. */
  | { readonly kind: "unfinished-stream" }
  /** Bytes written as they are, then the connection is closed. */
  | { readonly kind: "raw"; readonly bytes: string | Buffer }
  /** A whole answer with this body. */
  | { readonly kind: "answer"; readonly status: number; readonly type: string; readonly body: string | Buffer }
  /** An answer whose body never ends before `bytes`. */
  | { readonly kind: "huge"; readonly bytes: number }
  /** The answer a byte at a time. */
  | { readonly kind: "slow"; readonly everyMs: number }
  /** A stream of this many events. */
  | { readonly kind: "stream"; readonly events: number; readonly everyMs: number };

export interface Received {
  readonly method: string;
  readonly path: string;
  /** Lower-case names; a repeated one is joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether the other side closed before the answer was written whole. */
  aborted: boolean;
}

export class FaultyEngine {
  fault: Fault = { kind: "none" };
  /** When set it is asked for each request, instead of `fault`. */
  choose: ((request: Received) => Fault) | undefined;
  readonly received: Received[] = [];
  readonly #sockets = new Set<net.Socket>();
  #server: net.Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Listens; after `refuse` on the same port as before. */
  async listen(): Promise<void> {
    const server = net.createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as net.AddressInfo).port;
    this.#server = server;
  }

  /** From now on nobody can connect, and who was connected is cut off. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise((closed) => server.close(closed));
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.setMaxListeners(0); // each request of a connection watches for its end
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    let held = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      for (;;) {
        const read = readRequest(held);
        if (read === undefined) return;
        held = held.subarray(read.length);
        this.received.push(read.request);
        this.#answer(socket, read.request);
      }
    });
  }

  #answer(socket: net.Socket, request: Received): void {
    const fault = this.choose?.(request) ?? this.fault;
    let whole = false;
    const finish = (bytes: string | Buffer): void => {
      whole = true;
      socket.write(bytes);
    };
    socket.once("close", () => (request.aborted = !whole));
    const die = (bytes: string, how: "end" | "reset"): void => {
      whole = true;
      if (bytes === "") end(socket, how);
      else socket.write(bytes, () => setTimeout(() => end(socket, how), 20));
    };
    const streaming = /"stream"\s*:\s*true/u.test(request.body);
    switch (fault.kind) {
      case "none":
        finish(streaming ? wholeStream(3) : head(200, "application/json", CHAT.length) + CHAT);
        return;
      case "silent":
        return;
      case "dies":
        die(DYING[fault.where], fault.how);
        return;
      case "unfinished-stream":
        finish(streamHead() + chunk(event("one")) + chunk(event("two")) + LAST_CHUNK);
        return;
      case "raw":
        whole = true;
        socket.end(fault.bytes);
        return;
      case "answer":
        finish(
          Buffer.concat([Buffer.from(head(fault.status, fault.type, fault.body.length)), Buffer.from(fault.body)]),
        );
        return;
      case "huge":
        void this.#pour(socket, fault.bytes).then(() => (whole = true));
        return;
      case "slow":
        this.#drip(socket, head(200, "application/json", CHAT.length) + CHAT, fault.everyMs, () => (whole = true));
        return;
      case "stream":
        this.#stream(socket, fault.events, fault.everyMs, () => (whole = true));
    }
  }

  async #pour(socket: net.Socket, bytes: number): Promise<void> {
    socket.write(head(200, "application/json", bytes));
    const block = Buffer.alloc(65_536, " ");
    for (let left = bytes; left > 0 && !socket.destroyed; left -= block.length) {
      if (socket.write(left < block.length ? block.subarray(0, left) : block)) continue;
      await new Promise((resolve) => {
        socket.once("drain", resolve);
        socket.once("close", resolve);
      });
    }
  }

  #drip(socket: net.Socket, text: string, everyMs: number, done: () => void): void {
    let at = 0;
    const timer = setInterval(() => {
      socket.write(text.slice(at, ++at));
      if (at < text.length) return;
      clearInterval(timer);
      done();
    }, everyMs);
    socket.once("close", () => clearInterval(timer));
  }

  #stream(socket: net.Socket, events: number, everyMs: number, done: () => void): void {
    socket.write(streamHead());
    let sent = 0;
    const timer = setInterval(() => {
      if (sent < events) {
        socket.write(chunk(event(`token ${sent++}`)));
        return;
      }
      clearInterval(timer);
      done();
      socket.write(chunk(FINISH) + chunk(DONE) + LAST_CHUNK);
    }, everyMs);
    socket.once("close", () => clearInterval(timer));
  }
}

/** A listening engine that behaves until told otherwise. */
export async function startFaultyEngine(): Promise<FaultyEngine> {
  const engine = new FaultyEngine();
  await engine.listen();
  return engine;
}

const ID = "chatcmpl-test";
const CHAT = JSON.stringify({
  id: ID,
  object: "chat.completion",
  created: 1,
  model: "tiny",
  choices: [{ index: 0, message: { role: "assistant", content: "hello there" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});
const FINISH = `data: ${JSON.stringify({ id: ID, object: "chat.completion.chunk", created: 1, model: "tiny", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`;
const DONE = "data: [DONE]\n\n";
const LAST_CHUNK = "0\r\n\r\n";

const DYING: Readonly<Record<"before-head" | "in-head" | "in-body" | "in-stream", string>> = {
  "before-head": "",
  "in-head": "HTTP/1.1 200 OK\r\ncontent-type: applicat",
  "in-body": head(200, "application/json", CHAT.length) + CHAT.slice(0, 20),
  "in-stream": streamHead() + chunk(event("one")) + chunk(event("two")),
};

function head(status: number, type: string, length: number): string {
  return `HTTP/1.1 ${status} Said\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`;
}

function streamHead(): string {
  return "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
}

function event(content: string): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  return `data: ${JSON.stringify({ id: ID, object: "chat.completion.chunk", created: 1, model: "tiny", choices })}\n\n`;
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function wholeStream(events: number): string {
  const texts = Array.from({ length: events }, (_, i) => chunk(event(`token ${i}`)));
  return streamHead() + texts.join("") + chunk(FINISH) + chunk(DONE) + LAST_CHUNK;
}

function end(socket: net.Socket, how: "end" | "reset"): void {
  if (how === "end") socket.end();
  else socket.resetAndDestroy();
}

/** One request off the front; undefined while it is not whole. A test's peer is our own sidecar: well-formed or a failure. */
function readRequest(bytes: Buffer): { readonly request: Received; readonly length: number } | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const start = headEnd + 4;
  const body = headers["transfer-encoding"] === "chunked" ? dechunk(bytes, start) : sized(bytes, start, headers);
  if (body === undefined) return undefined;
  return { request: { method, path, headers, body: body.text, aborted: false }, length: body.end };
}

function sized(bytes: Buffer, start: number, headers: Readonly<Record<string, string>>): Body | undefined {
  const end = start + Number(headers["content-length"] ?? 0);
  return bytes.length < end ? undefined : { text: bytes.toString("utf8", start, end), end };
}

interface Body {
  readonly text: string;
  readonly end: number;
}

function dechunk(bytes: Buffer, start: number): Body | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return { text: Buffer.concat(parts).toString("utf8"), end: next };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}
