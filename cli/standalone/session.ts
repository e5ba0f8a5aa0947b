/** The operator and its sidecars on this machine, put together: what starts in which order, and ends in the other. */
import { existsSync } from "node:fs";
import path from "node:path";
import { compileFrom } from "../../core/snapshot/index.ts";
import type { SnapshotVerdict } from "../../operator/config/index.ts";
import { Reconciler, type ReconcilerEvent } from "../../operator/reconcile/reconciler.ts";
import { INJECT } from "../../operator/reconcile/workloads.ts";
import { checkPolicy } from "../../operator/source/check-policy.ts";
import { FolderSource } from "../../operator/source/folder-source.ts";
import { messageOf, StartError } from "../command.ts";
import { startScriptedEngine } from "../scripted-engine.ts";
import { ClientCertificates } from "./client-certificates.ts";
import { startOperator, type Operator } from "./operator.ts";
import type { StandaloneOptions } from "./options.ts";
import { requireFree } from "./ports.ts";
import type { Report } from "./report.ts";
import { samplesFor } from "./samples.ts";
import { Sidecars, type RunningSidecar } from "./sidecars.ts";
import { replaceFile, takeState, type StateFolder } from "./state.ts";

/** What the sidecars get beyond their own time to drain. */
const STOP_MARGIN_MS = 5_000;

/** How a session ends by itself. */
export interface Outcome {
  readonly code: "resources" | "sidecar";
  readonly message: string;
}

interface Parts {
  readonly options: StandaloneOptions;
  readonly report: Report;
  readonly state: StateFolder;
  readonly operator: Operator;
  readonly engine: { readonly url: string; close(): Promise<void> };
  /** Path of the sidecar. */
  readonly program: string;
}

export class Session {
  /** Resolves if the session cannot go on. */
  readonly failed: Promise<Outcome>;
  readonly #parts: Parts;
  readonly #reconciler: Reconciler;
  readonly #clients: ClientCertificates;
  readonly #sidecars: Sidecars;
  readonly #drainMs: number;
  #fail: (outcome: Outcome) => void = () => {};
  /** Whether there is a good state. */
  #running = false;
  /** Sidecars that serve, with their addresses, and sidecars that have taken a snapshot; by SPIFFE ID. */
  readonly #serving = new Map<string, RunningSidecar>();
  readonly #configured = new Set<string>();
  /** namespace/name of each guarded pod. */
  #names: ReadonlyMap<string, string> = new Map();
  #tried = false;

  private constructor(parts: Parts) {
    const { options, report, state, operator, engine, program } = parts;
    this.#parts = parts;
    this.#drainMs = options.drainSeconds * 1000 + STOP_MARGIN_MS;
    this.failed = new Promise((resolve) => (this.#fail = resolve));
    this.#clients = new ClientCertificates(state.clients, operator.issuer, Date.now);
    this.#sidecars = new Sidecars({
      program,
      listen: options.listen,
      admin: options.admin,
      flags: [
        `--operator=${operator.address}`,
        `--operator-id=${operator.id}`,
        `--trust-bundle=${state.caFile}`,
        `--engine=${engine.url}`,
        ...options.sidecarFlags,
      ],
      folders: (name) => state.sidecar(name),
      newToken: (workload) => operator.newToken(workload),
      report,
      onReady: (running) => {
        this.#serving.set(running.workload.spiffeId, running);
        this.#guarded(() => this.#offerSamples(running.workload.spiffeId));
      },
      onRemoved: (workload) => operator.revoke(workload),
      onFailure: ({ namespace, name }, reason) =>
        this.#fail({ code: "sidecar", message: `the sidecar of ${namespace}/${name} did not start: ${reason}` }),
    });
    this.#reconciler = new Reconciler({
      source: new FolderSource({ folder: options.folder, checkPolicy }),
      trust: operator.trust,
      publisher: {
        publish: (spiffeId, bytes, features) => void operator.config.publish(spiffeId, bytes, features),
        withdraw: (spiffeId) => operator.config.withdraw(spiffeId),
      },
      onEvent: (event) => this.#guarded(() => this.#onReconciled(event)),
    });
  }

  /** Starts everything; what is wrong with the resources comes out of `failed`. Throws a StartError for all else. */
  static async start(options: StandaloneOptions, report: Report): Promise<Session> {
    const { folder, trustDomain } = options;
    if (!existsSync(folder)) throw new StartError(`there is no folder ${folder}`);
    const program = sidecarProgram();
    await requireFree("listen", options.listen);
    await requireFree("admin", options.admin);
    const state = takeState(options.state);
    const started: (() => Promise<void>)[] = [async () => await Promise.resolve(state.release())];
    let session: Session | undefined;
    try {
      report({ event: "starting", folder, state: options.state, trustDomain });
      const operator = await startOperator({
        trustDomain,
        caFolder: state.ca,
        ttlSeconds: (spiffeId) => session?.ttlSeconds(spiffeId),
        onVerdict: (verdict) => session?.onVerdict(verdict),
        onRefusal: ({ instance, message, code }) => {
          report({ event: "note", message: `no certificate for ${instance || "somebody"}: ${message} (${code})` });
        },
        onError: (error) => report({ event: "note", message: `the operator: ${messageOf(error)}` }),
      });
      started.push(async () => await operator.stop());
      replaceFile(state.caFile, operator.roots, 0o644);
      const engine = await engineFor(options);
      started.push(async () => await engine.close());
      report({ event: "engine", url: engine.url, scripted: options.engine === undefined });
      session = new Session({ options, report, state, operator, engine, program });
      await session.#reconciler.start();
      return session;
    } catch (error) {
      session?.kill();
      await session?.unfollow();
      for (const stop of started.toReversed()) await stop();
      throw error instanceof StartError ? error : new StartError(messageOf(error));
    }
  }

  onVerdict(verdict: SnapshotVerdict): void {
    this.#reconciler.onVerdict(verdict);
  }

  /** Takes no further changes. */
  async unfollow(): Promise<void> {
    await this.#reconciler.stop();
    this.#clients.stop();
  }

  ttlSeconds(spiffeId: string): number | undefined {
    return this.#reconciler.index.identities.get(spiffeId)?.spec.workload.ttlSeconds;
  }

  /** Lets requests finish, and ends everything in order: sidecars, then the operator, then the engine. */
  async stop(): Promise<void> {
    const { options, report, operator, engine, state } = this.#parts;
    await this.unfollow();
    const sidecars = this.#sidecars.count;
    if (sidecars > 0) report({ event: "draining", sidecars, seconds: options.drainSeconds });
    await this.#sidecars.stop(this.#drainMs);
    await operator.stop();
    await engine.close();
    state.release();
    report({ event: "stopped" });
  }

  /** Ends the sidecars at once. */
  kill(): void {
    this.#sidecars.kill();
  }

  /** What only concerns people (a client's certificate that cannot be written, say) must not end the sidecars. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#parts.report({ event: "note", message: messageOf(error) });
    }
  }

  #onReconciled(event: ReconcilerEvent): void {
    switch (event.type) {
      case "refused":
        this.#parts.report({ event: "refused", problems: event.problems, running: this.#running });
        if (!this.#running) this.#fail({ code: "resources", message: "the resources are wrong" });
        return;
      case "waiting":
        this.#parts.report({ event: "waiting", losing: event.losing, waitMs: event.waitMs });
        return;
      case "verdict": {
        const { spiffeId, version, verdict, reason } = event.verdict;
        const sidecar = this.#names.get(spiffeId) ?? spiffeId;
        this.#parts.report({ event: verdict, sidecar, version, elapsedMs: Math.round(event.elapsedMs), reason });
        if (verdict === "ack") this.#configured.add(spiffeId);
        this.#offerSamples(spiffeId);
        return;
      }
      case "compiled":
        this.#onCompiled(event);
    }
  }

  #onCompiled({
    resources,
    kinds,
    workloads,
    published,
    findings,
    gone,
  }: Extract<ReconcilerEvent, { type: "compiled" }>): void {
    const { report } = this.#parts;
    const taken = new Set([...workloads.all, ...workloads.guarded].map(({ spiffeId }) => spiffeId));
    this.#clients.update(this.#reconciler.index, taken);
    if (this.#running) report({ event: "changed", resources, published: published.length, gone });
    else report({ event: "resources", count: resources, kinds });
    this.#running = true;
    this.#names = new Map(workloads.guarded.map(({ spiffeId, namespace, name }) => [spiffeId, `${namespace}/${name}`]));
    for (const { code, file, line, column, path: field, message } of findings) {
      report({ event: "finding", code, file, line, column, path: field, message });
    }
    for (const { pod, takenBy } of workloads.ambiguous) {
      const message = `${pod.namespace}/${pod.name} gets no sidecar: its service account is ${takenBy.name}'s already`;
      report({ event: "note", message });
    }
    for (const { workload, ungoverned } of published) {
      if (!ungoverned) continue;
      const message = `no policy selects ${workload.namespace}/${workload.name}: every request is denied`;
      report({ event: "note", message });
    }
    if (workloads.guarded.length === 0) {
      report({ event: "note", message: `no Pod has the annotation ${INJECT}: "true", so there is no sidecar` });
    }
    this.#sidecars.update(workloads.guarded, this.#drainMs);
  }

  /** Once, for the sidecar that first both serves and has its snapshot. */
  #offerSamples(spiffeId: string): void {
    const running = this.#serving.get(spiffeId);
    if (this.#tried || running === undefined || !this.#configured.has(spiffeId) || this.#reconciler === undefined)
      return;
    this.#tried = true;
    const snapshot = compileFrom(this.#reconciler.index, running.workload);
    const clients = this.#clients.clients;
    const { caFile } = this.#parts.state;
    this.#parts.report({
      event: "try",
      samples: samplesFor({ snapshot, clients, url: `https://${running.listen}`, caFile }),
    });
  }
}

/** Where the sidecar's bundle is: beside this one, or in dist/ where this runs from sources. */
function sidecarProgram(): string {
  const here = import.meta.dirname;
  const candidates = [path.join(here, "sidecar.js"), path.join(here, "..", "..", "dist", "sidecar.js")];
  const found = candidates.find((file) => existsSync(file));
  if (found === undefined) throw new StartError("there is no dist/sidecar.js: run `node tools/build.ts` first");
  return found;
}

async function engineFor({ engine }: StandaloneOptions): Promise<Parts["engine"]> {
  return engine === undefined
    ? await startScriptedEngine()
    : { url: engine, close: async () => await Promise.resolve() };
}
