/**
 * The load generator, as a process of its own, so that its work is not in anybody else's figures. It gets a Job by IPC,
 * warms up, says `begin`, works for the window, says `end` with what it counted.
 */
import type net from "node:net";
import { AnswerReader, connect, type Answer, type Destination } from "./connection.ts";
import { ANSWER, CHAT_PATH, chatBody, monotonicMicros, requestBytes } from "./wire.ts";

export type Job = {
  readonly to: Destination;
  readonly warmUpMs: number;
  readonly windowMs: number;
} & (
  | { readonly kind: "closed"; readonly connections: number }
  | { readonly kind: "paced"; readonly connections: number; readonly perSecond: number }
  | { readonly kind: "streams"; readonly streams: number; readonly tokens: number }
);

export interface Counted {
  readonly event: "end";
  /** Answers (closed, paced) or tokens (streams) inside the window. */
  readonly count: number;
  readonly errors: readonly string[];
  /** Microseconds: of a request, or of a token from its sending to its arrival. */
  readonly p50: number;
  readonly p99: number;
  /** Streams only: microseconds from the request to the first byte of its answer. */
  readonly firstByteP50?: number;
}

export type Message = { readonly event: "begin" } | Counted;

const PLAIN = requestBytes("bench", CHAT_PATH, chatBody(false));
const STREAMED = requestBytes("bench", CHAT_PATH, chatBody(true));

class Tally {
  open = false;
  readonly micros: number[] = [];
  readonly errors: string[] = [];

  take(micros: number): void {
    if (this.open) this.micros.push(micros);
  }

  fail(message: string): void {
    if (this.errors.length < 10) this.errors.push(message);
  }

  counted(): Counted {
    this.micros.sort((a, b) => a - b);
    const { errors, micros } = this;
    return { event: "end", count: micros.length, errors, p50: quantile(micros, 0.5), p99: quantile(micros, 0.99) };
  }
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
}

function check(answer: Answer, tally: Tally): void {
  if (answer.status !== 200 || answer.bodyBytes !== ANSWER.length) {
    tally.fail(`status ${answer.status} with ${answer.bodyBytes} bytes`);
  }
}

function watch(socket: net.Socket, tally: Tally, stopping: () => boolean): void {
  socket.on("error", (error) => tally.fail(error.message));
  socket.on("close", () => {
    if (!stopping()) tally.fail("the connection was closed");
  });
}

function send(message: Message): void {
  process.send?.(message);
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function window(job: Job, tally: Tally): Promise<void> {
  await sleep(job.warmUpMs);
  send({ event: "begin" });
  tally.open = true;
  await sleep(job.windowMs);
  tally.open = false;
}

/** Each connection sends its next request as soon as it has an answer. */
async function closedLoop(job: Job & { kind: "closed" }): Promise<Counted> {
  const tally = new Tally();
  let stopping = false;
  for (let i = 0; i < job.connections; i++) {
    const socket = await connect(job.to);
    let sent = 0;
    const next = (): void => {
      sent = monotonicMicros();
      socket.write(PLAIN);
    };
    const reader = new AnswerReader((answer) => {
      tally.take(monotonicMicros() - sent);
      check(answer, tally);
      if (!stopping) next();
    });
    watch(socket, tally, () => stopping);
    socket.on("data", (bytes: Buffer) => reader.push(bytes));
    next();
  }
  await window(job, tally);
  stopping = true;
  return tally.counted();
}

/** Requests at a fixed rate, whatever the answers do; one that finds no free connection is an error. */
async function paced(job: Job & { kind: "paced" }): Promise<Counted> {
  const tally = new Tally();
  let stopping = false;
  const idle: { readonly socket: net.Socket; sent: number }[] = [];
  for (let i = 0; i < job.connections; i++) {
    const connection = { socket: await connect(job.to), sent: 0 };
    const reader = new AnswerReader((answer) => {
      tally.take(monotonicMicros() - connection.sent);
      check(answer, tally);
      idle.push(connection);
    });
    watch(connection.socket, tally, () => stopping);
    connection.socket.on("data", (bytes: Buffer) => reader.push(bytes));
    idle.push(connection);
  }
  const everyMicros = 1_000_000 / job.perSecond;
  let due = monotonicMicros();
  const timer = setInterval(() => {
    for (; due <= monotonicMicros(); due += everyMicros) {
      const connection = idle.shift();
      if (connection === undefined) {
        tally.fail("no free connection");
        continue;
      }
      connection.sent = monotonicMicros();
      connection.socket.write(PLAIN);
    }
  }, 1);
  await window(job, tally);
  stopping = true;
  clearInterval(timer);
  return tally.counted();
}

/** Streams one after another on each connection; every token must come, in order, and the stream end as it should. */
async function streams(job: Job & { kind: "streams" }): Promise<Counted> {
  const tally = new Tally();
  const firstBytes: number[] = [];
  let stopping = false;
  for (let i = 0; i < job.streams; i++) {
    const socket = await connect(job.to);
    let sent = 0;
    let text = "";
    let expected = 0;
    let asked = false;
    const next = (): void => {
      text = "";
      expected = 0;
      asked = true;
      sent = monotonicMicros();
      socket.write(STREAMED);
    };
    const reader = new AnswerReader(
      () => {
        if (expected !== job.tokens) tally.fail(`a stream had ${expected} tokens`);
        if (!text.endsWith("data: [DONE]\n\n")) tally.fail("a stream had no end");
        if (!stopping) next();
      },
      (body) => {
        const now = monotonicMicros();
        text += body;
        for (const match of text.matchAll(/#(\d+)@(\d+);/gu)) {
          if (Number(match[1]) !== expected++) tally.fail(`token ${match[1]} came out of order`);
          tally.take(now - Number(match[2]));
        }
        // what is left is the beginning of the next token, or the end
        text = text.slice(text.lastIndexOf(";") + 1);
      },
    );
    watch(socket, tally, () => stopping);
    socket.on("data", (bytes: Buffer) => {
      if (asked && tally.open) firstBytes.push(monotonicMicros() - sent);
      asked = false;
      reader.push(bytes);
    });
    next();
  }
  await window(job, tally);
  stopping = true;
  firstBytes.sort((a, b) => a - b);
  return { ...tally.counted(), firstByteP50: quantile(firstBytes, 0.5) };
}

async function work(job: Job): Promise<Counted> {
  switch (job.kind) {
    case "closed":
      return await closedLoop(job);
    case "paced":
      return await paced(job);
    case "streams":
      return await streams(job);
  }
}

process.once("message", (job) => {
  work(job as Job).then(
    (counted) => {
      send(counted);
      process.disconnect();
      process.exit();
    },
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
