/**
 * What a dialect is to the proxy: from a request line to an operation, from bytes to an exchange, and back from errors and
 * answers to what the dialect's clients understand. A dialect is values and functions: no state, no sockets.
 */
import type { DialectName, Operation, Reading, ReadingError, Usage } from "./exchange.ts";
import type { JsonLimits } from "./json.ts";
import type { EventSink } from "./sse.ts";

/** What a request line names in some dialect. */
export interface Route {
  readonly operation: Operation;
  readonly method: "GET" | "POST";
  /** As it came, which is as it is forwarded. */
  readonly path: string;
  /** The model that the path names; else "". */
  readonly model: string;
}

export type Routing =
  { readonly ok: true; readonly route: Route } | { readonly ok: false; readonly error: ReadingError };

/** How a stream ended: with its terminator, with an error event, or with neither, which no caller may take for success. */
export type Terminal = "done" | "error" | "cut";

export interface StreamReaderOptions {
  /** Usage was asked for on the caller's behalf only: chunks that hold nothing else are left out. */
  readonly hideUsage: boolean;
  /** Gets each event that goes on to the caller; the bytes are its own only until it returns. */
  readonly emit: EventSink;
  /** 1 MiB when absent. */
  readonly maxEventBytes?: number;
}

/** Reads a streamed answer as it passes. The same bytes give the same outcome however they are cut into chunks. */
export interface AnswerStream {
  /** Takes the bytes from start to end; returns what is wrong with the stream, from then on always. */
  push(chunk: Buffer, start?: number, end?: number): string | undefined;
  /** The engine has ended the stream. */
  end(): string | undefined;
  /** As the engine counted at last; zeros while it has not. */
  readonly usage: Usage;
  readonly terminal: Terminal;
  /** Why the answer ended, in the dialect's words; "" while it has not said. */
  readonly finish: string;
  /** Events that carried a part of the answer: about as many as its tokens, where an engine does not say. */
  readonly deltas: number;
}

export type WholeAnswer =
  | {
      readonly ok: true;
      readonly usage: Usage;
      /** As the engine names it; "" when it does not. */
      readonly model: string;
      /** Why the last choice ended; "" when there is none. */
      readonly finish: string;
      readonly choices: number;
    }
  | { readonly ok: false; readonly message: string };

export interface Dialect {
  readonly name: DialectName;
  /** Header values are "" where there is none. The target is in origin form. */
  routeOf(method: string, target: string, contentType: string, contentEncoding: string): Routing;
  /** Never throws. What it lets through has been checked wherever it could reach the model. */
  readRequest(route: Route, bytes: Buffer, limits?: JsonLimits): Reading;
  /** The body of an answer with the status, which the dialect's SDKs raise as their typed error. */
  errorBody(status: number, code: string, message: string, param?: string): string;
  /** What ends a stream that has begun so that the SDKs raise it: never a clean end. It stands at an event's boundary. */
  errorEvent(status: number, code: string, message: string, param?: string): Buffer;
  openStream(options: StreamReaderOptions): AnswerStream;
  /** Reads a successful answer of any operation; never throws. */
  readAnswer(bytes: Buffer): WholeAnswer;
  /** A list of models with those that are allowed; undefined when it cannot be read. */
  filterModels(bytes: Buffer, allowed: (model: string) => boolean): Buffer | undefined;
}
