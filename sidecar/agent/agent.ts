/**
 * The sidecar's side of the operator: gets its identity and renews it, receives its snapshots, and keeps what it has when
 * the operator is away. Two loops, one for the identity and one for the stream; each waits longer after each failure.
 */
import { requireSpiffeId, certificatesToPem, type SpiffeId } from "../../core/identity/index.ts";
import { readSnapshot, versionOf, type Snapshot } from "../../core/snapshot/index.ts";
import type { ConfigResponse } from "../../proto/config.ts";
import { Backoff } from "./backoff.ts";
import { OperatorChannel } from "./channel.ts";
import { ConfigSession, type SnapshotVerdict } from "./config-session.ts";
import { PendingKey, type Identity } from "./identity.ts";
import { SnapshotCache, type CachedSnapshot } from "./snapshot-cache.ts";
import { Token, type TokenSource } from "./token.ts";
import { readTrustBundle } from "./trust.ts";

export type { SnapshotVerdict } from "./config-session.ts";
export type { TokenSource } from "./token.ts";

/** As much of a logger as the agent needs; pino's fits. */
export interface AgentLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface AgentOptions {
  /** HOST:PORT. */
  readonly operatorAddress: string;
  /** SPIFFE ID that the operator must show; its trust domain is the sidecar's own. */
  readonly operatorId: string;
  /** PEM or JWKS: the roots to begin with. A function is asked again each time there is no identity. */
  readonly trustBundle: string | (() => string);
  readonly token: TokenSource;
  /** Folder of the last good snapshot. */
  readonly cacheDir: string;
  /** The pod's name, for people to read. */
  readonly instance: string;
  readonly build: string;
  /** What this sidecar can enforce. */
  readonly features: readonly string[];
  readonly log: AgentLog;
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** From 0 to 1, for jitter. */
  readonly random?: () => number;
}

/** The identity in force, PEM throughout. */
export interface AgentIdentity {
  readonly key: string;
  /** Leaf first. */
  readonly chain: string;
  /** The trust domain's roots. */
  readonly roots: string;
  /** Unix milliseconds. */
  readonly notAfter: number;
  /** SPIFFE ID. */
  readonly id: string;
}

/**
 * starting: no identity or no configuration yet. ready: both, and the operator is there. degraded: both, and the operator
 * is away. expired: the identity has ended, so nothing may be served.
 */
export type AgentState = "starting" | "ready" | "degraded" | "expired";

export interface AgentHandlers {
  /** A new identity; always before the first snapshot. */
  readonly onIdentity: (identity: AgentIdentity) => void;
  /** A snapshot to take into force; a refusal is sent to the operator, and what was in force stays. */
  readonly onSnapshot: (snapshot: Snapshot, version: string) => SnapshotVerdict;
  readonly onState?: (state: AgentState) => void;
}

export interface Agent {
  readonly state: AgentState;
  /** Of the snapshot in force; empty for none. */
  readonly version: string;
  /** Ends the connections; resolves when nothing is left open. What was in force is not taken back. */
  stop(): Promise<void>;
}

const ISSUE_TIMEOUT_MS = 5_000;
/** A stream that lasted this long was a good one. */
const GOOD_STREAM_MS = 10_000;
const RENEW_AT = 0.5;
const RENEW_JITTER = 0.1;

/** Starts the agent. Throws where an option is wrong; everything else is retried. */
export function startAgent(options: AgentOptions, handlers: AgentHandlers): Agent {
  const agent = new SidecarAgent(options, handlers);
  agent.start();
  return agent;
}

class SidecarAgent implements Agent {
  readonly #options: AgentOptions;
  readonly #handlers: AgentHandlers;
  readonly #log: AgentLog;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #operatorId: SpiffeId;
  readonly #token: Token;
  readonly #cache: SnapshotCache;
  readonly #identityBackoff: Backoff;
  readonly #streamBackoff: Backoff;
  readonly #sessions = new Map<ConfigSession, Identity>();
  #pendingKey: PendingKey | undefined;
  #issuing: OperatorChannel | undefined;
  #identity: Identity | undefined;
  #cached: Promise<CachedSnapshot | undefined> = Promise.resolve(undefined);
  #version = "";
  #state: AgentState = "starting";
  #identityTimer: NodeJS.Timeout | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  #streamTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: AgentOptions, handlers: AgentHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#log = options.log;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#operatorId = requireSpiffeId(options.operatorId);
    this.#token = new Token(options.token);
    this.#cache = new SnapshotCache(options.cacheDir);
    this.#identityBackoff = new Backoff(this.#random);
    this.#streamBackoff = new Backoff(this.#random);
  }

  get state(): AgentState {
    return this.#state;
  }

  get version(): string {
    return this.#version;
  }

  start(): void {
    // Wrong from the start is for whoever started us to hear at once.
    this.#givenBundle();
    this.#cached = this.#cache.read().catch((error: unknown) => {
      this.#log.warn({ reason: messageOf(error) }, "cached snapshot ignored");
      return undefined;
    });
    this.#scheduleIdentity(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#identityTimer);
    clearTimeout(this.#expiryTimer);
    clearTimeout(this.#streamTimer);
    this.#issuing?.close();
    for (const session of this.#sessions.keys()) session.end();
    this.#sessions.clear();
    await this.#cache.settled();
  }

  #givenBundle(): ReturnType<typeof readTrustBundle> {
    const { trustBundle } = this.#options;
    return readTrustBundle(typeof trustBundle === "string" ? trustBundle : trustBundle(), this.#operatorId.trustDomain);
  }

  // The identity's loop.

  #scheduleIdentity(delayMs: number): void {
    clearTimeout(this.#identityTimer);
    if (this.#stopped) return;
    this.#identityTimer = setTimeout(() => {
      this.#renew().then(
        () => this.#identityBackoff.reset(),
        (error: unknown) => {
          if (this.#stopped) return;
          const wait = this.#identityBackoff.next();
          this.#log.warn({ reason: messageOf(error), retryMs: Math.round(wait) }, "no certificate from the operator");
          this.#updateState();
          this.#scheduleIdentity(wait);
        },
      );
    }, delayMs);
  }

  async #renew(): Promise<void> {
    const current = this.#identity !== undefined && this.#identity.notAfter > this.#now() ? this.#identity : undefined;
    const key = (this.#pendingKey ??= new PendingKey());
    const token = this.#token.read();
    if (token === "" && current === undefined)
      throw new Error("the identity has ended, and the one-time token was used");
    const channel = new OperatorChannel({
      address: this.#options.operatorAddress,
      operatorId: this.#operatorId,
      bundle: current?.bundle ?? this.#givenBundle(),
      ...(current === undefined ? {} : { identity: current }),
      now: this.#now,
    });
    this.#issuing = channel;
    try {
      const request = { csr: key.csr, token, configVersion: this.#version };
      const response = await channel.issue(request, ISSUE_TIMEOUT_MS);
      if (this.#stopped) return;
      const identity = key.accept(response, this.#operatorId.trustDomain, this.#now());
      if (this.#identity !== undefined && this.#identity.id.uri !== identity.id.uri) {
        throw new Error(
          `the operator wants this sidecar to become ${identity.id.uri}, and it is ${this.#identity.id.uri}`,
        );
      }
      this.#pendingKey = undefined;
      this.#token.used();
      await this.#adopt(identity);
    } finally {
      this.#issuing = undefined;
      channel.close();
    }
  }

  async #adopt(identity: Identity): Promise<void> {
    const isFirst = this.#identity === undefined;
    this.#identity = identity;
    const { id, key, chain, bundle, notAfter } = identity;
    const roots = certificatesToPem(bundle.roots.map((root) => root.raw));
    this.#handlers.onIdentity({ key, chain, roots, notAfter, id: id.uri });
    const left = notAfter - this.#now();
    const jitter = 1 + (this.#random() * 2 - 1) * RENEW_JITTER;
    this.#log.info(
      { id: id.uri, notAfter: new Date(notAfter).toISOString() },
      isFirst ? "identity" : "identity renewed",
    );
    this.#scheduleIdentity(left * RENEW_AT * jitter);
    clearTimeout(this.#expiryTimer);
    this.#expiryTimer = setTimeout(() => this.#updateState(), left + 1);
    if (isFirst) await this.#useCached(identity);
    this.#updateState();
    this.#openSession();
  }

  // The stream's loop.

  /** Opens a stream under the present identity, unless there is one. Those of former identities end once it is connected. */
  #openSession(): void {
    clearTimeout(this.#streamTimer);
    const identity = this.#identity;
    if (this.#stopped || identity === undefined || identity.notAfter <= this.#now()) return;
    for (const other of this.#sessions.values()) if (other === identity) return;
    const { operatorAddress: address, build, features, instance } = this.#options;
    const { bundle } = identity;
    const channel = new OperatorChannel({ address, operatorId: this.#operatorId, bundle, identity, now: this.#now });
    const session: ConfigSession = new ConfigSession(
      channel,
      { build, features, instance, version: this.#version },
      {
        onConnected: () => {
          for (const other of this.#sessions.keys()) if (other !== session) this.#endSession(other);
          this.#updateState();
        },
        onMessage: (message) => this.#receive(message, identity),
        onEnd: (error, lastedMs) => {
          this.#sessions.delete(session);
          this.#updateState();
          if (this.#stopped || identity !== this.#identity) return;
          if (lastedMs >= GOOD_STREAM_MS) this.#streamBackoff.reset();
          const wait = this.#streamBackoff.next();
          this.#log.warn({ reason: error.message, retryMs: Math.round(wait) }, "no configuration stream");
          this.#streamTimer = setTimeout(() => this.#openSession(), wait);
        },
      },
    );
    this.#sessions.set(session, identity);
  }

  #endSession(session: ConfigSession): void {
    this.#sessions.delete(session);
    session.end();
  }

  // Snapshots.

  async #useCached(identity: Identity): Promise<void> {
    const cached = await this.#cached;
    if (cached === undefined || this.#stopped) return;
    const verdict = this.#take(cached, identity);
    if (verdict.ok) this.#log.info({ version: cached.version }, "cached snapshot in force");
    else this.#log.warn({ version: cached.version, reason: verdict.reason }, "cached snapshot ignored");
  }

  #receive({ version, snapshot }: ConfigResponse, identity: Identity): SnapshotVerdict {
    // What is in force already comes again where a new stream began while it was on its way over the old one.
    if (version === this.#version) return { ok: true };
    if (snapshot.length === 0) {
      return { ok: false, reason: `this sidecar has ${this.#version === "" ? "no snapshot" : this.#version}` };
    }
    const bytes = Buffer.from(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength);
    const verdict = versionOf(bytes) === version ? this.#take({ version, bytes }, identity) : MISNAMED;
    if (verdict.ok) {
      this.#log.info({ version }, "snapshot in force");
      this.#cache.write({ version, bytes }).catch((error: unknown) => {
        this.#log.error({ reason: messageOf(error) }, "snapshot not cached");
      });
    } else this.#log.warn({ version, reason: verdict.reason }, "snapshot refused");
    this.#updateState();
    return verdict;
  }

  /** Takes a snapshot into force, or says why not. */
  #take({ version, bytes }: CachedSnapshot, identity: Identity): SnapshotVerdict {
    const reading = readSnapshot(bytes);
    if (!reading.ok) return { ok: false, reason: reading.message };
    const { snapshot } = reading;
    if (snapshot.workload.spiffeId !== identity.id.uri) {
      return { ok: false, reason: `the snapshot is ${snapshot.workload.spiffeId}'s, and this is ${identity.id.uri}` };
    }
    let verdict: SnapshotVerdict;
    try {
      verdict = this.#handlers.onSnapshot(snapshot, version);
    } catch (error) {
      verdict = { ok: false, reason: `the snapshot could not be taken into force: ${messageOf(error)}` };
    }
    if (verdict.ok) this.#version = version;
    return verdict;
  }

  #updateState(): void {
    const next = this.#nextState();
    if (next === this.#state || this.#stopped) return;
    this.#state = next;
    if (next === "expired") this.#log.error({}, "the identity has ended");
    this.#handlers.onState?.(next);
  }

  #nextState(): AgentState {
    if (this.#identity === undefined) return "starting";
    if (this.#now() > this.#identity.notAfter) return "expired";
    if (this.#version === "") return "starting";
    for (const session of this.#sessions.keys()) if (session.connected) return "ready";
    return "degraded";
  }
}

const MISNAMED: SnapshotVerdict = { ok: false, reason: "the snapshot's bytes are not what its version names" };

function messageOf(error: unknown): string {
  const hasMessage = typeof error === "object" && error !== null && "message" in error;
  return String(hasMessage ? error.message : error);
}
