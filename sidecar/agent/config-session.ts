/** One stream of snapshots from the operator, under one identity. */
import type { ConfigResponse, Hello, Verdict } from "../../proto/config.ts";
import type { ConfigCall, OperatorChannel } from "./channel.ts";

export type SnapshotVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface SessionEvents {
  /** The operator took the stream. */
  readonly onConnected: () => void;
  /** Its result is sent back as ACK or NACK. */
  readonly onMessage: (message: ConfigResponse) => SnapshotVerdict;
  /** Once, unless the sidecar itself ended it; `lastedMs` is how long it was connected. */
  readonly onEnd: (error: Error, lastedMs: number) => void;
}

const CONNECT_MS = 5_000;
const MAX_REASON = 1024;

export class ConfigSession {
  readonly #channel: OperatorChannel;
  readonly #call: ConfigCall;
  readonly #connecting: NodeJS.Timeout;
  #connectedAt: number | undefined;
  #ended = false;

  constructor(channel: OperatorChannel, hello: Hello, events: SessionEvents) {
    this.#channel = channel;
    this.#call = channel.stream();
    const finish = (error: Error): void => {
      if (this.#ended) return;
      const lasted = this.#connectedAt === undefined ? 0 : performance.now() - this.#connectedAt;
      this.end();
      events.onEnd(channel.explain(error), lasted);
    };
    this.#connecting = setTimeout(() => finish(new Error(`no answer within ${String(CONNECT_MS)} ms`)), CONNECT_MS);
    this.#call.on("metadata", () => {
      if (this.#ended) return;
      clearTimeout(this.#connecting);
      this.#connectedAt = performance.now();
      events.onConnected();
    });
    this.#call.on("data", (message: ConfigResponse) => {
      if (!this.#ended) this.#answer(message, events.onMessage(message));
    });
    this.#call.on("error", finish);
    this.#call.on("end", () => finish(new Error("the operator ended the stream")));
    this.#call.write({ kind: "hello", ...hello });
  }

  get connected(): boolean {
    return !this.#ended && this.#connectedAt !== undefined;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#connecting);
    this.#call.cancel();
    this.#channel.close();
  }

  #answer({ version, nonce }: ConfigResponse, result: SnapshotVerdict): void {
    if (this.#ended) return;
    const verdict: Verdict = { version, nonce, reason: result.ok ? "" : result.reason.slice(0, MAX_REASON) };
    this.#call.write({ kind: result.ok ? "ack" : "nack", ...verdict });
  }
}
