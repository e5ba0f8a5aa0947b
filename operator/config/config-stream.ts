import type { ServerDuplexStream } from "@grpc/grpc-js";
import { Metadata, status } from "@grpc/grpc-js";
import type { VerifiedPeer } from "../../core/identity/index.ts";
import type { ConfigRequest, Hello, Verdict } from "../../proto/config.ts";
import type { ConnectedSidecar } from "./config-server.ts";
import type { Published } from "./published.ts";

/** A stream of snapshots; its messages are encoded before they come to it. */
export type ConfigCall = ServerDuplexStream<ConfigRequest, Buffer>;

export interface StreamEvents {
  readonly onHello: (stream: ConfigStream, hello: Hello) => void;
  /** `since` is when the message was sent, Unix milliseconds. */
  readonly onVerdict: (stream: ConfigStream, verdict: Verdict, kind: "ack" | "nack", since: number) => void;
  /** A verdict came: the stream can be sent another message. */
  readonly onIdle: (stream: ConfigStream) => void;
  /** Once, whoever ended it. */
  readonly onEnd: (stream: ConfigStream) => void;
}

interface UnderWay {
  readonly version: string;
  readonly nonce: number;
  readonly sent: number;
}

const MAX_NAME = 253;
const MAX_FEATURES = 256;
const MAX_REASON = 1024;

/** One sidecar's stream: which snapshot it has, and which is under way to it. */
export class ConfigStream {
  readonly #call: ConfigCall;
  readonly #peer: VerifiedPeer;
  readonly #events: StreamEvents;
  readonly #now: () => number;
  /** Unix milliseconds. */
  readonly began: number;
  #hello: Hello | undefined;
  #acked = "";
  /** The last version that was sent: a refused one is not sent again. */
  #sent = "";
  #nonce = 0;
  #underWay: UnderWay | undefined;
  #ended = false;

  constructor(call: ConfigCall, peer: VerifiedPeer, now: () => number, events: StreamEvents) {
    this.#call = call;
    this.#peer = peer;
    this.#events = events;
    this.#now = now;
    this.began = now();
    // Tells the sidecar that it is connected, also where there is nothing for it yet.
    call.sendMetadata(new Metadata());
    call.on("data", (request: ConfigRequest) => this.#receive(request));
    call.on("end", () => this.#finish(() => call.end()));
    call.on("cancelled", () => this.#finish());
    call.on("error", () => this.#finish());
  }

  get spiffeId(): string {
    return this.#peer.id.uri;
  }

  /** Undefined until it said who it is. */
  get sidecar(): ConnectedSidecar | undefined {
    if (this.#hello === undefined) return undefined;
    const { instance, build } = this.#hello;
    return { spiffeId: this.spiffeId, instance, build, ackedVersion: this.#acked };
  }

  /** Sends a snapshot, unless another is under way or this one was sent before. */
  offer(published: Published): void {
    if (this.#ended || this.#hello === undefined || this.#underWay !== undefined) return;
    const { version } = published;
    if (version === this.#sent) return;
    const nonce = this.#nonce + 1;
    this.#nonce = nonce;
    this.#sent = version;
    this.#underWay = { version, nonce, sent: this.#now() };
    this.#call.write(version === this.#acked ? published.confirmation(nonce) : published.message(nonce));
  }

  /** Ends the stream if its certificate did, or if it keeps the operator waiting. */
  sweep(now: number, verdictMs: number): void {
    if (now > this.#peer.notAfter)
      return this.end(status.UNAUTHENTICATED, "the certificate of this connection has ended");
    const since = this.#hello === undefined ? this.began : this.#underWay?.sent;
    if (since !== undefined && now - since > verdictMs) {
      const missing = this.#hello === undefined ? "hello" : "verdict";
      this.end(status.DEADLINE_EXCEEDED, `no ${missing} within ${String(verdictMs)} ms`);
    }
  }

  end(code: status, details: string): void {
    this.#finish(() => this.#call.emit("error", { code, details }));
  }

  #receive(request: ConfigRequest): void {
    if (this.#ended) return;
    switch (request.kind) {
      case "hello":
        if (this.#hello !== undefined) return this.end(status.INVALID_ARGUMENT, "a second hello");
        this.#hello = tidy(request);
        this.#acked = request.version;
        return this.#events.onHello(this, this.#hello);
      case "ack":
      case "nack":
        return this.#judge(request, request.kind);
      case "unknown":
        // Of a newer sidecar; what it says is not needed here.
        return;
    }
  }

  #judge(verdict: Verdict, kind: "ack" | "nack"): void {
    const underWay = this.#underWay;
    // A stale nonce speaks of what was replaced meanwhile.
    if (underWay === undefined || verdict.nonce !== underWay.nonce || verdict.version !== underWay.version) return;
    this.#underWay = undefined;
    if (kind === "ack") this.#acked = verdict.version;
    this.#events.onVerdict(this, { ...verdict, reason: printable(verdict.reason, MAX_REASON) }, kind, underWay.sent);
    this.#events.onIdle(this);
  }

  #finish(last?: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    last?.();
    this.#events.onEnd(this);
  }
}

function tidy({ build, features, version, instance }: Hello): Hello {
  return {
    build: printable(build, MAX_NAME),
    features: features.slice(0, MAX_FEATURES),
    version: printable(version, MAX_NAME),
    instance: printable(instance, MAX_NAME),
  };
}

/** What a sidecar says ends up in front of people: bounded, and without control characters. */
function printable(text: string, max: number): string {
  return text.slice(0, max).replaceAll(/\p{Cc}+/gu, " ");
}
