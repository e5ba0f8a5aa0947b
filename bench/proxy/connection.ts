/** A client connection of the load generator: raw bytes out, answers framed, checked and timed as they come in. */
import net from "node:net";
import tls from "node:tls";

export interface Destination {
  readonly port: number;
  /** Absent: plain HTTP. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

export async function connect(to: Destination): Promise<net.Socket> {
  const socket =
    to.tls === undefined
      ? net.connect({ port: to.port, host: "127.0.0.1" })
      : tls.connect({
          port: to.port,
          host: "127.0.0.1",
          ...to.tls,
          minVersion: "TLSv1.3",
          ALPNProtocols: ["http/1.1"],
          // servers are known by their SPIFFE ID here, which no client library checks; the chain is checked
          checkServerIdentity: () => undefined,
        });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once(to.tls === undefined ? "connect" : "secureConnect", resolve);
  });
  socket.setNoDelay(true);
  return socket;
}

export interface Answer {
  readonly status: number;
  readonly bodyBytes: number;
}

/** Frames answers by content-length or chunks. `onBody` sees the body's bytes, chunk framing taken off. */
export class AnswerReader {
  readonly #onAnswer: (answer: Answer) => void;
  readonly #onBody: ((text: string) => void) | undefined;
  #held: Buffer = Buffer.alloc(0);
  #status = 0;
  #bodyBytes = 0;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  #state: "head" | "sized" | "chunk-size" | "chunk" | "chunk-end" | "last" = "head";

  constructor(onAnswer: (answer: Answer) => void, onBody?: (text: string) => void) {
    this.#onAnswer = onAnswer;
    this.#onBody = onBody;
  }

  push(bytes: Buffer): void {
    let buffer = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (;;) {
      const used = this.#step(buffer);
      if (used < 0) break;
      buffer = buffer.subarray(used);
    }
    this.#held = buffer;
  }

  /** How many bytes it took; -1 when it needs more. */
  #step(buffer: Buffer): number {
    switch (this.#state) {
      case "head":
        return this.#head(buffer);
      case "sized":
      case "chunk":
        return this.#body(buffer);
      case "chunk-size": {
        const end = buffer.indexOf("\r\n");
        if (end < 0) return -1;
        this.#left = Number.parseInt(buffer.toString("latin1", 0, end), 16);
        this.#state = this.#left === 0 ? "last" : "chunk";
        return end + 2;
      }
      case "chunk-end":
        if (buffer.length < 2) return -1;
        this.#state = "chunk-size";
        return 2;
      case "last":
        if (buffer.length < 2) return -1;
        this.#finish();
        return 2;
    }
  }

  #head(buffer: Buffer): number {
    const end = buffer.indexOf("\r\n\r\n");
    if (end < 0) return -1;
    const head = buffer.toString("latin1", 0, end);
    this.#status = Number(head.slice(9, 12));
    this.#bodyBytes = 0;
    const length = /\r\ncontent-length: *(\d+)/iu.exec(head);
    this.#left = length === null ? 0 : Number(length[1]);
    this.#state = length === null ? "chunk-size" : "sized";
    if (length !== null && this.#left === 0) this.#finish();
    return end + 4;
  }

  #body(buffer: Buffer): number {
    if (buffer.length === 0) return -1;
    const taken = Math.min(this.#left, buffer.length);
    this.#left -= taken;
    this.#bodyBytes += taken;
    this.#onBody?.(buffer.toString("latin1", 0, taken));
    if (this.#left === 0) {
      if (this.#state === "chunk") this.#state = "chunk-end";
      else this.#finish();
    }
    return taken;
  }

  #finish(): void {
    this.#state = "head";
    this.#onAnswer({ status: this.#status, bodyBytes: this.#bodyBytes });
  }
}
