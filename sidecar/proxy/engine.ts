/**
 * Connections to the engine. Sends what comes with a Permit, one request at a time on each connection, and hands the answer
 * to the exchange that asked. A request is never sent twice.
 */
import net from "node:net";
import type { ResponseHead } from "./http1/head.ts";
import { ResponseReader } from "./http1/response-reader.ts";
import type { Permit } from "./permit.ts";

export type EngineFailure = "engine_unreachable" | "engine_busy" | "engine_failed" | "engine_timeout";

/** Who asked. The buffer given to onData is only good until it returns. */
export interface EngineSink {
  onHead(head: ResponseHead): void;
  onData(buffer: Buffer, start: number, end: number): void;
  onEnd(): void;
  onFailed(failure: EngineFailure, message: string): void;
}

/** A request under way. */
export interface EngineCall {
  /** Closes the connection, which cancels the engine's work. Nothing more is told to the sink. */
  abort(): void;
  pause(): void;
  resume(): void;
  /** The sink has all that it wants: nothing more is told to it, and what the answer still has is read and dropped. */
  release(): void;
}

export interface EngineOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  /** Milliseconds until a connection must stand. */
  readonly connectMs: number;
  /** Milliseconds until an answer must begin. */
  readonly firstByteMs: number;
  /** Milliseconds that an answer may take in all. */
  readonly answerMs: number;
  /** Milliseconds within an answer without a byte. */
  readonly silentMs: number;
  /** A connection unused for so many milliseconds is not used again: shorter than any engine's own keep-alive. */
  readonly idleMs: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

const NOTHING = (): void => undefined;

/** How long a released answer may take to end before its connection is dropped. */
const RELEASED_MS = 1_000;

/** Bytes of one read. One buffer serves every connection: each read is handled before the next begins. */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

export class EnginePool {
  readonly options: EngineOptions;
  readonly #idle: EngineConnection[] = [];
  readonly #all = new Set<EngineConnection>();
  readonly #hostField: string;
  #closed = false;

  constructor(options: EngineOptions) {
    this.options = options;
    this.#hostField = `host: ${options.host.includes(":") ? `[${options.host}]` : options.host}:${options.port}\r\n`;
  }

  get connections(): number {
    return this.#all.size;
  }

  /** Sends the permit's request. Failures come through the sink, never at once. */
  send(permit: Permit, sink: EngineSink): EngineCall {
    const connection = this.#take();
    if (connection === undefined) {
      const busy = setImmediate(() => sink.onFailed("engine_busy", "all connections to the engine are in use"));
      return { abort: () => clearImmediate(busy), pause: NOTHING, resume: NOTHING, release: NOTHING };
    }
    const request = permit.use();
    const head = `${request.method} ${request.path} HTTP/1.1\r\n${this.#hostField}${request.fields}content-length: ${request.body.length}\r\n\r\n`;
    const bytes = Buffer.allocUnsafe(head.length + request.body.length);
    bytes.write(head, 0, "latin1");
    bytes.set(request.body, head.length);
    connection.start(bytes, sink);
    return connection;
  }

  /** Ends the requests whose time is over and drops what is idle too long; called a few times a second. */
  sweep(now: number): void {
    for (const connection of this.#all) connection.sweep(now);
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#all) connection.abort();
  }

  #take(): EngineConnection | undefined {
    const now = this.options.clock();
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) break;
      if (connection.usable(now)) return connection;
      connection.abort();
    }
    if (this.#closed || this.#all.size >= this.options.maxConnections) return undefined;
    const connection = new EngineConnection(this.options, {
      idle: (c) => void this.#idle.push(c),
      gone: (c) => {
        this.#all.delete(c);
        const at = this.#idle.indexOf(c);
        if (at >= 0) this.#idle.splice(at, 1);
      },
    });
    this.#all.add(connection);
    return connection;
  }
}

interface Keeper {
  idle(connection: EngineConnection): void;
  gone(connection: EngineConnection): void;
}

type Phase = "connecting" | "waiting" | "answering" | "released" | "idle" | "closed";

class EngineConnection implements EngineCall {
  readonly #options: EngineOptions;
  readonly #keeper: Keeper;
  readonly #socket: net.Socket;
  readonly #reader = new ResponseReader();
  #sink: EngineSink | undefined;
  #phase: Phase = "connecting";
  #since: number;
  #answeringSince = 0;
  #paused = false;
  #connected = false;
  #error = "";

  constructor(options: EngineOptions, keeper: Keeper) {
    this.#options = options;
    this.#keeper = keeper;
    this.#since = options.clock();
    this.#socket = net.connect({
      host: options.host,
      port: options.port,
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (length, buffer) => this.#onRead(length, buffer as Buffer) },
    });
    this.#socket.on("connect", () => {
      this.#connected = true;
      if (this.#phase === "connecting") this.#enter("waiting");
    });
    this.#socket.on("end", () => this.#socket.destroy());
    // The code and not the message: that names addresses, which are no caller's business.
    this.#socket.on("error", (error: NodeJS.ErrnoException) => (this.#error = error.code ?? "the connection failed"));
    this.#socket.on("close", () => this.#onClose());
  }

  usable(now: number): boolean {
    return this.#phase === "idle" && !this.#socket.destroyed && now - this.#since < this.#options.idleMs;
  }

  start(bytes: Buffer, sink: EngineSink): void {
    this.#sink = sink;
    this.#enter(this.#connected ? "waiting" : "connecting");
    this.#reader.expect({
      onHead: (head) => {
        this.#enter("answering");
        this.#answeringSince = this.#since;
        sink.onHead(head);
      },
      onData: (buffer, start, end) => this.#sink?.onData(buffer, start, end),
      onEnd: (reusable) => {
        const told = this.#sink;
        this.#sink = undefined;
        if (reusable && !this.#socket.destroyed) {
          // A caller that read slowly may have paused it within this very read: the next one starts afresh.
          this.resume();
          this.#enter("idle");
          this.#keeper.idle(this);
        } else this.#socket.destroy();
        told?.onEnd();
      },
      onBroken: (message) => this.#fail("engine_failed", message),
    });
    this.#socket.write(bytes);
  }

  release(): void {
    if (this.#phase !== "answering") return;
    this.#sink = undefined;
    this.resume();
    this.#enter("released");
  }

  abort(): void {
    this.#sink = undefined;
    this.#reader.abandon();
    this.#socket.destroy();
  }

  pause(): void {
    if (this.#sink === undefined) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#since = this.#options.clock();
    this.#socket.resume();
  }

  sweep(now: number): void {
    const silent = now - this.#since;
    switch (this.#phase) {
      case "connecting":
        if (silent >= this.#options.connectMs)
          this.#fail("engine_unreachable", "the engine did not accept a connection in time");
        break;
      case "waiting":
        if (silent >= this.#options.firstByteMs)
          this.#fail("engine_timeout", "the engine did not begin to answer in time");
        break;
      case "answering":
        // A paused connection waits for the caller, whose own limits hold.
        if (!this.#paused && silent >= this.#options.silentMs)
          this.#fail("engine_timeout", "the engine fell silent within its answer");
        else if (now - this.#answeringSince >= this.#options.answerMs)
          this.#fail("engine_timeout", "the engine's answer took too long in all");
        break;
      case "released":
        if (silent >= RELEASED_MS) this.abort();
        break;
      case "idle":
        if (silent >= this.#options.idleMs) this.#socket.destroy();
        break;
      case "closed":
        break;
    }
  }

  #onRead(length: number, buffer: Buffer): boolean {
    if (this.#phase === "answering") this.#since = this.#options.clock();
    if (!this.#reader.push(buffer, length)) this.#socket.destroy();
    return !this.#paused;
  }

  #onClose(): void {
    const phase = this.#phase;
    this.#phase = "closed";
    this.#keeper.gone(this);
    if (this.#sink === undefined) return;
    if (phase === "connecting") this.#fail("engine_unreachable", this.#error || "the engine closed the connection");
    else if (this.#error !== "") this.#fail("engine_failed", this.#error);
    else this.#reader.ended();
  }

  #fail(failure: EngineFailure, message: string): void {
    const sink = this.#sink;
    this.abort();
    sink?.onFailed(failure, message);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#options.clock();
  }
}
