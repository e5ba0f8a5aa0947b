/**
 * The engine's answer on its way to the caller. A whole answer is read in full and then sent; a stream goes on event by
 * event. Whatever goes wrong, the caller gets an error in its dialect and never a clean end of something that was cut, and
 * the audit gets its End.
 */
import type { Logger } from "pino";
import type { Outcome } from "../../core/audit/record.ts";
import type { Reservation } from "../../core/ledger/reservation.ts";
import type { Exchange, Usage } from "../../core/llm/exchange.ts";
import { filterModel, filterModels, readError, readPassing, StreamReader } from "../../core/llm/openai/index.ts";
import type { Recorder } from "../audit/recorder.ts";
import type { Metrics } from "../metrics.ts";
import type { EngineCall, EngineFailure, EngineSink } from "./engine.ts";
import { field, type ResponseHead } from "./http1/head.ts";
import { refusal, type Refusal } from "./refusal.ts";
import type { Holder } from "./memory.ts";
import type { Reply, Responder } from "./reply.ts";

/** Bytes of a list of models. */
const MAX_MODELS_BYTES = 1024 * 1024;
/** Bytes of an answer that is read in full. */
const MAX_WHOLE_ANSWER = 64 * 1024 * 1024;

const NO_USAGE: Usage = { promptTokens: 0, completionTokens: 0 };

export interface AnswerParts {
  readonly recorder: Recorder;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
  readonly clock: () => number;
}

export interface AnswerOptions {
  readonly id: string;
  readonly exchange: Exchange;
  readonly reply: Reply;
  /** When the request was complete, on the parts' clock. */
  readonly started: number;
  readonly parts: AnswerParts;
  /** What a whole answer's bytes are taken of. */
  readonly memory: Holder;
  /** Whether the caller may know of a model. */
  readonly visible: (model: string) => boolean;
  /** Called once, after the End. */
  readonly done: () => void;
}

type Phase = "begin" | "waiting" | "whole" | "stream" | "done";

export class Answer implements EngineSink, Responder {
  readonly #options: AnswerOptions;
  #phase: Phase = "begin";
  #call: EngineCall | undefined;
  #reservation: Reservation | undefined;
  #status = 0;
  #contentType = "";
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes taken of the shared memory. */
  #taken = 0;
  #stream: StreamReader | undefined;
  #usage: Usage = NO_USAGE;
  #gone = false;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  /** Whether the caller left before the request was sent; if so its End is written. */
  abandoned(): boolean {
    if (!this.#gone) return false;
    this.#finish("ClientGone", 0, "");
    return true;
  }

  /** The request is on its way. */
  start(call: EngineCall, reservation: Reservation): void {
    this.#phase = "waiting";
    this.#call = call;
    this.#reservation = reservation;
  }

  /** Nothing was sent, and nothing will be. */
  refuse(refused: Refusal): void {
    refused.sendTo(this.#options.reply, this.#options.id);
    this.#finish("EngineFailed", refused.status, refused.code);
  }

  // The engine

  onHead(head: ResponseHead): void {
    const coding = field(head.fields, "content-encoding");
    if (coding !== "" && coding !== "identity")
      return this.#broken("engine_failed", "the engine encoded its answer unasked");
    if (head.status !== 200 && head.status < 400)
      return this.#broken("engine_failed", `the engine answered with status ${head.status}`);
    this.#status = head.status;
    this.#contentType = field(head.fields, "content-type");
    if (head.status === 200 && this.#contentType.startsWith("text/event-stream")) this.#openStream();
    else this.#phase = "whole";
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (this.#phase === "whole") {
      const length = end - start;
      if (!this.#options.memory.take(length)) return this.#broken("engine_busy", "too many answers are held");
      this.#taken += length;
      this.#bytes += length;
      if (this.#bytes > MAX_WHOLE_ANSWER) return this.#broken("engine_failed", "the engine's answer is over 64 MiB");
      this.#chunks.push(Buffer.from(buffer.subarray(start, end)));
    } else if (this.#phase === "stream") {
      const stream = this.#stream!;
      const problem = stream.push(buffer, start, end);
      if (problem !== undefined) this.#broken("engine_failed", problem);
      else if (stream.terminal !== "cut") this.#endStream();
    }
  }

  onEnd(): void {
    if (this.#phase === "whole") this.#sendWhole();
    else if (this.#phase === "stream") this.#endStream();
  }

  onFailed(failure: EngineFailure, message: string): void {
    this.#options.parts.log.warn({ id: this.#options.id, failure, reason: message }, "engine failed");
    this.#broken(failure, message);
  }

  // The caller

  onDrain(): void {
    this.#call?.resume();
  }

  onGone(): void {
    if (this.#phase === "done") return;
    this.#gone = true;
    // Before the Begin is on disk there is nothing to cancel; abandoned() writes the End then.
    if (this.#phase === "begin") return;
    this.#call?.abort();
    if (this.#phase !== "stream") return this.#finish("ClientGone", 0, "");
    const stream = this.#stream!;
    this.#usage = stream.usage;
    // Clients leave as soon as they have read the last event, before the framing has ended: they have their answer.
    if (stream.terminal === "cut") this.#finish("ClientGone", this.#status, "");
    else this.#finish("Completed", this.#status, stream.terminal === "error" ? "engine_refused" : "");
  }

  // Whole answers

  #sendWhole(): void {
    const { exchange, reply, id } = this.#options;
    const received = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    if (this.#status !== 200) return this.#passRefusal(received);
    let body = received;
    if (exchange.operation === "ListModels") {
      if (received.length > MAX_MODELS_BYTES)
        return this.#broken("engine_failed", "the engine's list of models is over 1 MiB");
      const shown =
        exchange.model === "" ? filterModels(received, this.#options.visible) : filterModel(received, exchange.model);
      if (shown === undefined)
        return this.#broken("engine_failed", "what the engine says of its models cannot be read");
      body = shown;
    } else {
      const read = readPassing(received);
      if (!read.ok) return this.#broken("engine_failed", read.message);
      this.#usage = read.usage;
    }
    reply.send(200, `content-type: application/json\r\nx-request-id: ${id}\r\n`, body);
    this.#finish("Completed", 200, "");
  }

  /** The engine's own refusal: its status and, of a caller's fault, its words; nothing else of its body, which may tell of its insides. */
  #passRefusal(body: Buffer): void {
    const status = this.#status;
    const told = status < 500 ? readError(body) : undefined;
    const words = told?.message ?? `the engine refused the request with status ${status}`;
    const refused = refusal(
      status,
      told?.code === undefined || told.code === "" ? "engine_refused" : told.code,
      words,
      told?.param ?? "",
    );
    refused.sendTo(this.#options.reply, this.#options.id);
    this.#finish("Completed", status, "engine_refused");
  }

  // Streams

  #openStream(): void {
    const { reply, id, exchange } = this.#options;
    if (!exchange.streaming) return this.#broken("engine_failed", "the engine streamed unasked");
    this.#phase = "stream";
    reply.open(200, `content-type: text/event-stream\r\ncache-control: no-cache\r\nx-request-id: ${id}\r\n`);
    this.#stream = new StreamReader({
      hideUsage: !exchange.usageAsked,
      emit: (buffer, start, end) => {
        this.#bytes += end - start;
        if (!reply.write(buffer, start, end)) this.#call?.pause();
      },
    });
  }

  #endStream(): void {
    const stream = this.#stream!;
    const problem = stream.end();
    this.#usage = stream.usage;
    if (problem !== undefined) return this.#broken("engine_failed", problem);
    if (stream.terminal === "cut")
      return this.#broken("engine_failed", "the engine ended its stream without its last event");
    this.#options.reply.end();
    // Behind the last event nothing counts: the framing may end, soon, or the connection goes.
    this.#call?.release();
    this.#finish("Completed", 200, stream.terminal === "error" ? "engine_refused" : "");
  }

  // Ends

  #broken(code: EngineFailure, message: string): void {
    if (this.#phase === "done") return;
    this.#call?.abort();
    const refused = refusal(STATUS[code], code, `${WORDS[code]}: ${message}`);
    const { reply, id } = this.#options;
    if (this.#phase === "stream") {
      // Events are passed on whole, so the error stands as an event of its own, which every SDK raises.
      const event = refused.event();
      reply.write(event, 0, event.length);
      reply.end();
      this.#usage = this.#stream!.usage;
      this.#finish("EngineFailed", this.#status, code);
    } else {
      refused.sendTo(reply, id);
      this.#finish("EngineFailed", refused.status, code);
    }
  }

  #finish(outcome: Outcome, status: number, code: string): void {
    if (this.#phase === "done") return;
    this.#phase = "done";
    const { id, parts, started, exchange } = this.#options;
    const milliseconds = Math.round(parts.clock() - started);
    this.#reservation?.settle(this.#usage);
    parts.recorder.end({
      kind: "End",
      id,
      time: parts.now(),
      outcome,
      status,
      code,
      promptTokens: this.#usage.promptTokens,
      completionTokens: this.#usage.completionTokens,
      answerBytes: this.#bytes,
      milliseconds,
    });
    parts.metrics.request(exchange.operation, status, outcome === "ClientGone" ? "client_gone" : code, milliseconds);
    parts.metrics.tokens(this.#usage.promptTokens, this.#usage.completionTokens);
    this.#chunks = [];
    // The connection to the engine may be another exchange's from here on.
    this.#call = undefined;
    this.#options.memory.give(this.#taken);
    this.#options.done();
  }
}

const STATUS: Readonly<Record<EngineFailure, number>> = {
  engine_unreachable: 502,
  engine_busy: 503,
  engine_failed: 502,
  engine_timeout: 504,
};

const WORDS: Readonly<Record<EngineFailure, string>> = {
  engine_unreachable: "the engine cannot be reached",
  engine_busy: "the engine is busy",
  engine_failed: "the engine failed",
  engine_timeout: "the engine took too long",
};
