/** The sidecar put together: configuration from the agent, the door, the engine's connections, the audit, the admin port. */
import { readFileSync } from "node:fs";
import type { Logger } from "pino";
import { startAgent, type Agent } from "./agent/agent.ts";
import { Admin } from "./admin.ts";
import { Recorder } from "./audit/recorder.ts";
import { Spool, type Series } from "./audit/spool.ts";
import { SNAPSHOT_FEATURES } from "../core/snapshot/index.ts";
import { BUILD } from "./build.ts";
import { Configuration } from "./configuration.ts";
import { connectionsFor, descriptorLimit } from "./descriptors.ts";
import { Metrics } from "./metrics.ts";
import type { SidecarOptions } from "./options.ts";
import { Admission } from "./proxy/admission.ts";
import { Callers } from "./proxy/caller.ts";
import { EnginePool } from "./proxy/engine.ts";
import { MemoryBudget } from "./proxy/memory.ts";
import { Listener, type ServerIdentity } from "./proxy/listener.ts";

const SWEEP_MS = 250;
const MAX_EXCHANGES = 4096;
/** From clients, and as many to the engine, where the process may open that many. */
const MAX_CONNECTIONS = 4096;
/** Files of 64 MiB that each series keeps. */
const AUDIT_FILES = 16;
const REFUSED_FILES = 4;
/** Bodies and whole answers that are held at once. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;

export interface Ready {
  readonly listen: number;
  readonly admin: number;
}

export class Sidecar {
  readonly #options: SidecarOptions;
  readonly #log: Logger;
  readonly #configuration = new Configuration();
  readonly #memory = new MemoryBudget(MAX_HELD_BYTES);
  readonly #maxConnections = connectionsFor(descriptorLimit(3 * MAX_CONNECTIONS), MAX_CONNECTIONS);
  readonly #recorder: Recorder;
  readonly #engine: EnginePool;
  readonly #metrics: Metrics;
  readonly #admission: Admission;
  readonly #admin: Admin;
  #agent: Agent | undefined;
  #listener: Listener | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #second: NodeJS.Timeout | undefined;
  #notAfter = 0;
  #draining = false;
  #stopped: Promise<void> | undefined;
  #onReady: ((ready: Ready) => void) | undefined;
  #ports: { listen?: number; admin?: number } = {};

  constructor(options: SidecarOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
    const clock = (): number => performance.now();
    this.#recorder = new Recorder(this.#openSpool("audit", AUDIT_FILES), this.#openSpool("refused", REFUSED_FILES));
    this.#engine = new EnginePool({
      host: options.engine.host,
      port: options.engine.port,
      maxConnections: this.#maxConnections,
      connectMs: 2_000,
      firstByteMs: options.firstByteSeconds * 1000,
      silentMs: options.silentSeconds * 1000,
      answerMs: options.answerSeconds * 1000,
      idleMs: 4_000,
      clock,
    });
    this.#metrics = new Metrics({
      connections: () => this.#listener?.connections ?? 0,
      exchanges: () => this.#admission.underWay,
      engineConnections: () => this.#engine.connections,
      snapshotVersion: () => this.#configuration.inForce?.version ?? "",
      identityNotAfter: () => this.#notAfter / 1000,
    });
    this.#admission = new Admission({
      configuration: this.#configuration,
      recorder: this.#recorder,
      engine: this.#engine,
      notAfter: () => this.#notAfter,
      metrics: this.#metrics,
      log,
      now: Date.now,
      clock,
      memory: this.#memory,
      maxExchanges: MAX_EXCHANGES,
    });
    this.#admin = new Admin({
      ...options.admin,
      metrics: this.#metrics,
      notReady: () => this.#notReady(),
      onError: (error) => log.error({ err: error }, "admin port"),
    });
  }

  /** Starts; `onReady` is called once, when requests can be decided. */
  async start(onReady: (ready: Ready) => void): Promise<void> {
    this.#onReady = onReady;
    this.#ports.admin = await this.#admin.listen();
    this.#sweeper = setInterval(() => {
      const now = performance.now();
      this.#listener?.sweep(now);
      this.#engine.sweep(now);
    }, SWEEP_MS);
    this.#second = setInterval(() => this.#recorder.turn(Date.now()), 1_000);
    this.#agent = startAgent(
      {
        operatorAddress: this.#options.operator,
        operatorId: this.#options.operatorId,
        // Read anew each time there is no identity: a renewed bundle counts then.
        trustBundle: () => readFileSync(this.#options.trustBundle, "utf8"),
        token: this.#options.token,
        cacheDir: this.#options.cache,
        instance: this.#options.instance,
        build: BUILD,
        features: SNAPSHOT_FEATURES,
        log: this.#log,
      },
      {
        onIdentity: (identity) => this.#onIdentity(identity),
        onSnapshot: (snapshot, version) => {
          const applied = this.#configuration.apply(snapshot, version);
          if (applied.ok) this.#announce();
          else this.#log.error({ version, reason: applied.reason }, "snapshot refused");
          return applied;
        },
      },
    );
  }

  /** Finishes what is under way, for at most the configured time, and stops. */
  async stop(): Promise<void> {
    // A terminal signals everybody at once, and the parent signals too: all of it is one stop.
    this.#stopped ??= this.#stop();
    return await this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#draining = true;
    this.#log.info({ exchanges: this.#admission.underWay }, "draining");
    const late = setTimeout(() => this.#listener?.destroy(), this.#options.drainSeconds * 1000);
    await this.#listener?.drain();
    clearTimeout(late);
    clearInterval(this.#sweeper);
    this.#engine.close();
    await this.#agent?.stop();
    this.#admin.close();
    clearInterval(this.#second);
    this.#recorder.close(Date.now());
    this.#log.info("stopped");
  }

  #openSpool(series: Series, files: number): Spool {
    return new Spool({
      directory: this.#options.spool,
      series,
      files,
      workload: this.#options.instance,
      now: Date.now,
      onLost: (records) => {
        this.#metrics.auditLost(records);
        this.#log.error({ series, records }, "audit records lost");
      },
      onFailure: (error) => {
        this.#metrics.auditFailed();
        this.#log.error({ series, err: error }, "audit failure");
      },
    });
  }

  #onIdentity(identity: ServerIdentity & { readonly notAfter: number; readonly id: string }): void {
    this.#notAfter = identity.notAfter;
    if (this.#listener !== undefined) {
      this.#listener.renew(identity);
      return;
    }
    this.#listener = new Listener(identity, new Callers(this.#configuration), this.#admission, {
      ...this.#options.listen,
      maxConnections: this.#maxConnections,
      now: Date.now,
      onError: (error) => this.#log.error({ err: error }, "listener"),
      memory: this.#memory,
      limits: {
        headBytes: 16 * 1024,
        bodyBytes: this.#options.maxBodyBytes,
        aheadBytes: 64 * 1024,
        requestMs: 30_000,
        idleMs: 120_000,
        strangerMs: 5_000,
        stalledMs: 60_000,
      },
      clock: () => performance.now(),
    });
    this.#listener.listen().then(
      (port) => {
        this.#ports.listen = port;
        this.#announce();
      },
      (error: unknown) => {
        this.#log.fatal({ err: error }, "cannot listen");
        process.exitCode = 1;
        void this.stop();
      },
    );
  }

  #announce(): void {
    const { listen, admin } = this.#ports;
    if (this.#notReady() !== undefined || listen === undefined || admin === undefined) return;
    this.#onReady?.({ listen, admin });
    this.#onReady = undefined;
  }

  #notReady(): string | undefined {
    if (this.#draining) return "draining";
    if (this.#notAfter === 0) return "no identity yet";
    if (this.#notAfter <= Date.now()) return "the identity has expired";
    if (this.#ports.listen === undefined) return "not listening yet";
    return this.#configuration.inForce === undefined ? "no configuration yet" : undefined;
  }
}
