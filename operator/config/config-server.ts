/**
 * Snapshots for sidecars. Each stream belongs to the identity of its connection, and sees that identity's snapshot and no
 * other. One message at a time is under way on a stream: what is published meanwhile replaces what waits, so that a slow
 * sidecar gets the newest and not the queue.
 */
import { status } from "@grpc/grpc-js";
import type { VerifiedPeer } from "../../core/identity/index.ts";
import { versionOf } from "../../core/snapshot/index.ts";
import { ConfigStream, type ConfigCall, type StreamEvents } from "./config-stream.ts";
import { Published } from "./published.ts";

/** What a sidecar said about a snapshot. */
export interface SnapshotVerdict {
  readonly spiffeId: string;
  readonly instance: string;
  readonly version: string;
  readonly verdict: "ack" | "nack";
  /** Of a NACK. */
  readonly reason: string;
  /** Since it was published, or since the stream began if that was later. */
  readonly elapsedMs: number;
}

/** One sidecar that is connected. */
export interface ConnectedSidecar {
  readonly spiffeId: string;
  readonly instance: string;
  readonly build: string;
  /** The last version that it took into force; empty for none. */
  readonly ackedVersion: string;
}

export interface ConfigServerOptions {
  /** Unix milliseconds. */
  readonly now?: () => number;
  readonly onVerdict?: (verdict: SnapshotVerdict) => void;
  /** A sidecar connected that cannot enforce what its snapshot needs; it will refuse the snapshot. */
  readonly onUnsupported?: (sidecar: {
    readonly spiffeId: string;
    readonly instance: string;
    readonly features: readonly string[];
  }) => void;
  readonly onConnected?: (sidecar: ConnectedSidecar) => void;
  readonly onDisconnected?: (sidecar: ConnectedSidecar) => void;
  /** How long a sidecar may take for its verdict. */
  readonly verdictMs?: number;
  readonly maxStreams?: number;
  /** Streams of one identity: of the replicas of one workload. */
  readonly maxStreamsEach?: number;
  /** How long an identity without a snapshot may wait for one: a workload's own comes while its pod starts. */
  readonly unpublishedMs?: number;
}

/** The largest snapshot that is sent; sidecars read no larger one. */
export const MAX_SNAPSHOT_BYTES = 4_194_304;

const DEFAULT_VERDICT_MS = 30_000;
const DEFAULT_MAX_STREAMS = 20_000;
const DEFAULT_MAX_STREAMS_EACH = 64;
const DEFAULT_UNPUBLISHED_MS = 10_000;
const SWEEP_MS = 1000;
/** Streams written to before the loop gets its turn. */
const BATCH = 50;

export class ConfigServer {
  readonly #options: ConfigServerOptions;
  readonly #now: () => number;
  readonly #published = new Map<string, Published>();
  readonly #streams = new Map<string, Set<ConfigStream>>();
  /** Identities whose streams have something to be sent. */
  readonly #dirty = new Set<ConfigStream>();
  #flushing: NodeJS.Immediate | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #count = 0;
  #closed = false;

  constructor(options: ConfigServerOptions = {}) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Makes this the snapshot of an identity and returns its version; the same bytes again change nothing. The bytes are shared
   * and must not change. `features` are those that the snapshot needs.
   */
  publish(spiffeId: string, bytes: Buffer, features: readonly string[] = []): string {
    if (bytes.length > MAX_SNAPSHOT_BYTES) {
      throw new Error(
        `the snapshot of ${spiffeId} has ${String(bytes.length)} bytes, and at most ${String(MAX_SNAPSHOT_BYTES)} are sent`,
      );
    }
    const version = versionOf(bytes);
    if (this.#published.get(spiffeId)?.version === version) return version;
    this.#published.set(spiffeId, new Published(bytes, version, features, this.#now()));
    for (const stream of this.#streams.get(spiffeId) ?? []) this.#wake(stream);
    return version;
  }

  /** Forgets an identity's snapshot and ends its streams; its sidecars keep what they have and find no further one. */
  withdraw(spiffeId: string): void {
    this.#published.delete(spiffeId);
    for (const stream of this.#streams.get(spiffeId) ?? []) {
      stream.end(status.PERMISSION_DENIED, `${spiffeId} is no workload of this operator's any more`);
    }
  }

  /** The version that an identity should have; undefined for none. */
  versionOf(spiffeId: string): string | undefined {
    return this.#published.get(spiffeId)?.version;
  }

  get connected(): readonly ConnectedSidecar[] {
    return [...this.#streams.values()].flatMap((streams) => [...streams].flatMap((stream) => stream.sidecar ?? []));
  }

  /** Serves a stream to a verified peer. */
  accept(call: ConfigCall, peer: VerifiedPeer): void {
    const spiffeId = peer.id.uri;
    const stream = new ConfigStream(call, peer, this.#now, this.#eventsOf(spiffeId));
    const limit = this.#options.maxStreams ?? DEFAULT_MAX_STREAMS;
    if (this.#closed || this.#count >= limit) {
      stream.end(status.UNAVAILABLE, this.#closed ? "the operator is stopping" : `more than ${String(limit)} streams`);
      return;
    }
    const streams = this.#streams.get(spiffeId) ?? new Set();
    const each = this.#options.maxStreamsEach ?? DEFAULT_MAX_STREAMS_EACH;
    if (streams.size >= each) {
      stream.end(status.RESOURCE_EXHAUSTED, `more than ${String(each)} streams of ${spiffeId}`);
      return;
    }
    this.#streams.set(spiffeId, streams.add(stream));
    this.#count += 1;
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** Ends all streams; sidecars go on with what they have and look for another operator. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#sweeper);
    clearImmediate(this.#flushing);
    for (const streams of this.#streams.values()) {
      for (const stream of streams) stream.end(status.UNAVAILABLE, "the operator is stopping");
    }
  }

  #eventsOf(spiffeId: string): StreamEvents {
    return {
      onHello: (stream, hello) => {
        const { sidecar } = stream;
        if (sidecar !== undefined) this.#options.onConnected?.(sidecar);
        const features =
          this.#published.get(spiffeId)?.features.filter((feature) => !hello.features.includes(feature)) ?? [];
        if (features.length > 0) this.#options.onUnsupported?.({ spiffeId, instance: hello.instance, features });
        this.#wake(stream);
      },
      onVerdict: (stream, { version, reason }, verdict, since) => {
        const instance = stream.sidecar?.instance ?? "";
        const published = this.#published.get(spiffeId);
        const begin = published?.version === version ? Math.max(published.at, since) : since;
        this.#options.onVerdict?.({ spiffeId, instance, version, verdict, reason, elapsedMs: this.#now() - begin });
      },
      onIdle: (stream) => this.#wake(stream),
      onEnd: (stream) => this.#forget(spiffeId, stream),
    };
  }

  #wake(stream: ConfigStream): void {
    this.#dirty.add(stream);
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  /** Sends to some of the streams that wait, and leaves the rest for the next turn of the loop. */
  #flush(): void {
    this.#flushing = undefined;
    let left = BATCH;
    for (const stream of this.#dirty) {
      if (left-- === 0) break;
      this.#dirty.delete(stream);
      const published = this.#published.get(stream.spiffeId);
      if (published !== undefined) stream.offer(published);
    }
    if (this.#dirty.size > 0) this.#flushing = setImmediate(() => this.#flush());
  }

  #forget(spiffeId: string, stream: ConfigStream): void {
    this.#dirty.delete(stream);
    const streams = this.#streams.get(spiffeId);
    if (streams?.delete(stream) !== true) return;
    if (streams.size === 0) this.#streams.delete(spiffeId);
    this.#count -= 1;
    if (this.#count === 0) {
      clearInterval(this.#sweeper);
      this.#sweeper = undefined;
    }
    const { sidecar } = stream;
    if (sidecar !== undefined) this.#options.onDisconnected?.(sidecar);
  }

  #sweep(): void {
    const now = this.#now();
    const verdictMs = this.#options.verdictMs ?? DEFAULT_VERDICT_MS;
    const unpublishedMs = this.#options.unpublishedMs ?? DEFAULT_UNPUBLISHED_MS;
    for (const [spiffeId, streams] of this.#streams) {
      const published = this.#published.has(spiffeId);
      for (const stream of streams) {
        stream.sweep(now, verdictMs);
        // Every verified caller has an identity; only a workload with a sidecar has something to be sent.
        if (!published && now - stream.began > unpublishedMs)
          stream.end(status.NOT_FOUND, `there is no configuration for ${spiffeId}`);
      }
    }
  }
}
