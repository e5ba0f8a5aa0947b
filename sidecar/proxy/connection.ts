/** One HTTP/1.1 connection from a client: requests in turn, each answered before the next is decided. */
import type { TLSSocket } from "node:tls";
import type { Caller } from "./caller.ts";
import { encodeChunk, LAST_CHUNK } from "./http1/chunked.ts";
import type { HttpProblem, RequestHead } from "./http1/head.ts";
import { RequestReader, type ReaderLimits, type RequestSink } from "./http1/request-reader.ts";
import type { MemoryBudget } from "./memory.ts";
import type { Handler, Reply, Responder } from "./reply.ts";
import { statusLine } from "./status.ts";

export interface ConnectionLimits extends ReaderLimits {
  /** Milliseconds from a request's first byte to its last. */
  readonly requestMs: number;
  /** Milliseconds between requests. */
  readonly idleMs: number;
  /** As idleMs, for callers without a good certificate. */
  readonly strangerMs: number;
  /** Milliseconds that a caller may leave an answer unread. */
  readonly stalledMs: number;
}

/** After a refusal that leaves a body unread: how long and how much is read and thrown away, so that the refusal arrives. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

type Phase = "idle" | "reading" | "answering" | "closing";

export class ClientConnection implements RequestSink, Reply {
  readonly #socket: TLSSocket;
  readonly #caller: Caller;
  readonly #handler: Handler;
  readonly #limits: ConnectionLimits;
  readonly #clock: () => number;
  readonly #reader: RequestReader;
  #responder: Responder | undefined;
  #phase: Phase = "idle";
  #since: number;
  #keepAlive = true;
  #headOnly = false;
  #draining = false;
  #lingered = 0;
  /** The next request waits until the caller has read its answers. */
  #blocked = false;
  #written = 0;

  constructor(
    socket: TLSSocket,
    caller: Caller,
    handler: Handler,
    memory: MemoryBudget,
    limits: ConnectionLimits,
    clock: () => number,
  ) {
    this.#socket = socket;
    this.#caller = caller;
    this.#handler = handler;
    this.#limits = limits;
    this.#clock = clock;
    this.#since = clock();
    this.#reader = new RequestReader(
      this,
      limits,
      memory.holder(() => caller.name),
    );
    socket.on("data", (chunk: Buffer) => this.#onBytes(chunk));
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onGone());
    socket.on("close", () => this.#onGone());
    socket.on("error", () => socket.destroy());
  }

  get busy(): boolean {
    return this.#phase === "answering";
  }

  /** The caller as this connection knows it; reads nothing of the network. */
  get caller(): Caller {
    return this.#caller;
  }

  /** No further request: closes once the answer under way is done, or at once. */
  drain(): void {
    this.#draining = true;
    if (this.#phase === "idle") this.#close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Holds the connection to its time limits; called a few times a second. */
  sweep(now: number): void {
    if (this.#socket.writableLength > 0 && this.#socket.bytesWritten !== this.#written) {
      // The caller is still reading what it was sent: time counts from its last read.
      this.#written = this.#socket.bytesWritten;
      this.#since = now;
    }
    const passed = now - this.#since;
    switch (this.#phase) {
      case "idle":
        if (passed >= this.#idleLimit()) this.#close();
        break;
      case "reading":
        if (passed >= this.#limits.requestMs) {
          this.#reader.close();
          this.onProblem({ status: 408, code: "request_timeout", message: "the request did not arrive in time" });
        }
        break;
      case "answering":
        if (this.#socket.writableLength > 0 && passed >= this.#limits.stalledMs) this.#socket.destroy();
        break;
      case "closing":
        if (passed >= LINGER_MS) this.#socket.destroy();
        break;
    }
  }

  #idleLimit(): number {
    if (this.#socket.writableLength > 0) return this.#limits.stalledMs;
    return this.#caller.known ? this.#limits.idleMs : this.#limits.strangerMs;
  }

  // Requests

  onHead(head: RequestHead): boolean {
    this.#keepAlive = head.keepAlive;
    this.#headOnly = head.method === "HEAD";
    if (this.#handler.refuseEarly(head, this.#caller, () => this.#refusing())) return false;
    if (head.expectsContinue) this.#socket.write(CONTINUE, "latin1");
    return true;
  }

  onRequest(head: RequestHead, body: Buffer): void {
    this.#enter("answering");
    const responder = this.#handler.handle({ head, body, caller: this.#caller }, this);
    // A handler that refuses at once has already answered.
    if (this.#phase === "answering") this.#responder = responder;
  }

  onProblem(problem: HttpProblem): void {
    this.#handler.refuseProtocol(problem.status, problem.code, problem.message, this.#caller, this.#refusing());
  }

  // Answers

  send(status: number, fields: string, body: Buffer): void {
    if (this.#phase !== "answering") return;
    const close = !this.#keepAlive || this.#draining;
    const head = `${statusLine(status)}${fields}${close ? "connection: close\r\n" : ""}content-length: ${body.length}\r\n\r\n`;
    if (this.#headOnly || body.length === 0) this.#socket.write(head, "latin1");
    else {
      const bytes = Buffer.allocUnsafe(head.length + body.length);
      bytes.write(head, 0, "latin1");
      bytes.set(body, head.length);
      this.#socket.write(bytes);
    }
    this.#done(close);
  }

  open(status: number, fields: string): void {
    if (this.#phase !== "answering") return;
    this.#enter("answering");
    this.#socket.write(
      `${statusLine(status)}${fields}${this.#keepAlive && !this.#draining ? "" : "connection: close\r\n"}transfer-encoding: chunked\r\n\r\n`,
      "latin1",
    );
  }

  write(buffer: Buffer, start: number, end: number): boolean {
    if (this.#phase !== "answering" || start === end) return true;
    this.#since = this.#clock();
    return this.#socket.write(encodeChunk(buffer, start, end));
  }

  end(): void {
    if (this.#phase !== "answering") return;
    this.#socket.write(LAST_CHUNK);
    this.#done(!this.#keepAlive || this.#draining);
  }

  cut(): void {
    if (this.#phase !== "answering") return;
    this.#responder = undefined;
    this.#socket.destroy();
  }

  #done(close: boolean): void {
    this.#responder = undefined;
    if (close) {
      this.#close();
      return;
    }
    this.#enter("idle");
    if (this.#socket.writableNeedDrain) {
      // Who does not read its answers gets no further ones: what waits for it stays bounded.
      this.#blocked = true;
      this.#socket.pause();
    } else this.#goOn();
  }

  /** On to what has come meanwhile. */
  #goOn(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#reader.next();
    if (this.#phase === "idle" && this.#reader.midRequest) this.#enter("reading");
  }

  /** A reply to what is not read to its end: it closes the connection. */
  #refusing(): Reply {
    this.#keepAlive = false;
    this.#enter("answering");
    return this;
  }

  // The socket

  #onBytes(chunk: Buffer): void {
    if (this.#phase === "closing") {
      this.#lingered += chunk.length;
      if (this.#lingered > LINGER_BYTES) this.#socket.destroy();
      return;
    }
    if (this.#phase === "idle") this.#enter("reading");
    this.#reader.push(chunk);
    if (this.#reader.full) this.#socket.pause();
  }

  #onDrain(): void {
    this.#since = this.#clock();
    this.#responder?.onDrain();
    if (!this.#blocked || this.#phase !== "idle") return;
    this.#blocked = false;
    this.#goOn();
  }

  #onGone(): void {
    this.#reader.close();
    const responder = this.#responder;
    this.#responder = undefined;
    if (this.#phase !== "closing") this.#enter("closing");
    responder?.onGone();
  }

  /** Says goodbye and reads on for a moment: closing with bytes unread would reset the connection under the answer. */
  #close(): void {
    this.#reader.close();
    this.#enter("closing");
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#socket.end();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#clock();
  }
}
