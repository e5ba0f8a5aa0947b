/** The two sides of one exchange on a connection from a client, whatever the version of HTTP. */
import type { RequestHead } from "./http1/head.ts";
import type { Caller } from "./caller.ts";

/** A whole request. */
export interface Inbound {
  readonly head: RequestHead;
  readonly body: Buffer;
  readonly caller: Caller;
}

/** Takes the answer to one request. After send, end or cut, and once the caller has gone, nothing is taken any more. */
export interface Reply {
  /** A whole answer. `fields`: field lines, each ending in CRLF, without framing. */
  send(status: number, fields: string, body: Buffer): void;
  /** The head of an answer whose length is not known. */
  open(status: number, fields: string): void;
  /** A part of an opened answer, copied. False: the caller reads slowly; wait for onDrain. */
  write(buffer: Buffer, start: number, end: number): boolean;
  /** The opened answer is complete. */
  end(): void;
  /** The opened answer will never be complete: the caller sees the connection break. */
  cut(): void;
}

/** Is told what becomes of the caller until its answer is done. */
export interface Responder {
  onDrain(): void;
  /** The caller has closed the connection. */
  onGone(): void;
}

export interface Handler {
  /** Whether such a request is refused without reading its body; `reply` is for that case only, and closes the connection. */
  refuseEarly(head: RequestHead, caller: Caller, reply: () => Reply): boolean;
  handle(inbound: Inbound, reply: Reply): Responder;
  /** What came was no request that can be understood; the reply closes the connection. */
  refuseProtocol(status: number, code: string, message: string, caller: Caller, reply: Reply): void;
}
