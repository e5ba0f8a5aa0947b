/** The operator and its sidecars on this machine, put together: what starts in which order, and ends in the other. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { requireSpiffeId, workloadId } from "../../core/identity/index.ts";
import { compileFrom } from "../../core/snapshot/index.ts";
import { ConfigServer } from "../../operator/config/index.ts";
import { startOperatorServer, type OperatorServer } from "../../operator/grpc/server.ts";
import { CertificateAuthority, FolderCaStore, Issuer, OneTimeTokens } from "../../operator/issuer/index.ts";
import { Reconciler, type ReconcilerEvent } from "../../operator/reconcile/reconciler.ts";
import { INJECT, type GuardedWorkload } from "../../operator/reconcile/workloads.ts";
import { checkPolicy } from "../../operator/source/check-policy.ts";
import { FolderSource } from "../../operator/source/folder-source.ts";
import { messageOf, StartError } from "../command.ts";
import { startScriptedEngine, type ScriptedEngine } from "../scripted-engine.ts";
import { ClientCertificates } from "./client-certificates.ts";
import type { StandaloneOptions } from "./options.ts";
import { requireFree } from "./ports.ts";
import type { Report } from "./report.ts";
import { samplesFor } from "./samples.ts";
import { Sidecars, type RunningSidecar } from "./sidecars.ts";
import { replaceFile, takeState, type StateFolder } from "./state.ts";

/** Namespace and service account of the operator's own SPIFFE ID. */
const OPERATOR = ["sallyport-system", "operator"] as const;
const LOOPBACK = [new Uint8Array([127, 0, 0, 1]), new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])];
/** What the sidecars get beyond their own time to drain. */
const STOP_MARGIN_MS = 5_000;

/** How a session ends by itself. */
export interface Outcome {
  readonly code: "resources" | "sidecar";
  readonly message: string;
}

export class Session {
  readonly #options: StandaloneOptions;
  readonly #report: Report;
  readonly #state: StateFolder;
  #engine: ScriptedEngine | undefined;
  #server: OperatorServer | undefined;
  #reconciler: Reconciler | undefined;
  #clients: ClientCertificates | undefined;
  #sidecars: Sidecars | undefined;
  #tokens: OneTimeTokens | undefined;
  #running = false;
  /** Sidecars that serve, with their addresses, and sidecars that have taken a snapshot; by SPIFFE ID. */
  readonly #serving = new Map<string, RunningSidecar>();
  readonly #configured = new Set<string>();
  /** namespace/name of each guarded pod. */
  #names: ReadonlyMap<string, string> = new Map();
  #tried = false;
  #fail: (outcome: Outcome) => void = () => {};
  /** Resolves if the session cannot go on. */
  readonly failed: Promise<Outcome> = new Promise((resolve) => (this.#fail = resolve));

  private constructor(options: StandaloneOptions, report: Report, state: StateFolder) {
    this.#options = options;
    this.#report = report;
    this.#state = state;
  }

  /** Starts everything; what is wrong with the resources comes out of `failed`. Throws a StartError for all else. */
  static async start(options: StandaloneOptions, report: Report): Promise<Session> {
    const { folder, state, trustDomain } = options;
    if (!existsSync(folder)) throw new StartError(`there is no folder ${folder}`);
    const program = sidecarProgram();
    await requireFree("listen", options.listen);
    await requireFree("admin", options.admin);
    const session = new Session(options, report, takeState(state));
    try {
      report({ event: "starting", folder, state, trustDomain });
      await session.#start(program);
      return session;
    } catch (error) {
      session.kill();
      await session.stop();
      throw error instanceof StartError ? error : new StartError(messageOf(error));
    }
  }

  /** Lets requests finish, and ends everything in order: sidecars, then the operator, then the engine. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#reconciler?.stop();
    this.#clients?.stop();
    const { drainSeconds } = this.#options;
    const count = this.#sidecars?.count ?? 0;
    if (count > 0) this.#report({ event: "draining", sidecars: count, seconds: drainSeconds });
    await this.#sidecars?.stop(drainSeconds * 1000 + STOP_MARGIN_MS);
    await this.#server?.stop();
    await this.#engine?.close();
    this.#state.release();
    this.#report({ event: "stopped" });
  }

  /** Ends the sidecars at once. */
  kill(): void {
    this.#sidecars?.kill();
  }

  async #start(program: string): Promise<void> {
    const { trustDomain, listen, admin } = this.#options;
    const authority = await CertificateAuthority.open({
      store: new FolderCaStore(this.#state.ca),
      trustDomain,
      now: Date.now,
      randomBytes,
    });
    replaceFile(this.#state.caFile, authority.rootsPem, 0o644);
    const issuer = new Issuer({
      authority,
      randomBytes,
      ttlSeconds: ({ uri }) => this.#reconciler?.index.identities.get(uri)?.spec.workload.ttlSeconds,
    });
    this.#tokens = new OneTimeTokens({ trustDomain, now: Date.now, randomBytes });
    const config = new ConfigServer({ onVerdict: (verdict) => this.#reconciler?.onVerdict(verdict) });
    const operatorId = workloadId(trustDomain, ...OPERATOR);
    this.#server = await startOperatorServer({
      host: "127.0.0.1",
      port: 0,
      id: requireSpiffeId(operatorId.uri),
      issuer,
      attestor: this.#tokens,
      config,
      onIssuance: ({ outcome, instance, code, message }) => {
        if (outcome === "refused")
          this.#report({
            event: "note",
            message: `no certificate for ${instance || "somebody"}: ${message} (${code})`,
          });
      },
      onError: (error) => this.#report({ event: "note", message: `the operator: ${messageOf(error)}` }),
    });
    const engine = await this.#startEngine();
    this.#clients = new ClientCertificates(this.#state.clients, issuer, Date.now);
    this.#sidecars = new Sidecars({
      program,
      listen,
      admin,
      flags: [
        `--operator=127.0.0.1:${String(this.#server.port)}`,
        `--operator-id=${operatorId.uri}`,
        `--trust-bundle=${this.#state.caFile}`,
        `--engine=${engine}`,
        ...this.#options.sidecarFlags,
      ],
      folders: (name) => this.#state.sidecar(name),
      newToken: (workload) => this.#newToken(workload),
      report: this.#report,
      onReady: (running) => {
        this.#serving.set(running.workload.spiffeId, running);
        this.#offerSamples(running.workload.spiffeId);
      },
      onFailure: ({ namespace, name }, reason) =>
        this.#fail({ code: "sidecar", message: `the sidecar of ${namespace}/${name} did not start: ${reason}` }),
    });
    this.#reconciler = new Reconciler({
      source: new FolderSource({ folder: this.#options.folder, checkPolicy }),
      trust: { trustDomain, roots: authority.roots.map(({ raw }) => raw.toString("base64")) },
      publisher: {
        publish: (spiffeId, bytes, features) => void config.publish(spiffeId, bytes, features),
        withdraw: (spiffeId) => config.withdraw(spiffeId),
      },
      onEvent: (event) => this.#onReconciled(event),
    });
    await this.#reconciler.start();
  }

  async #startEngine(): Promise<string> {
    const given = this.#options.engine;
    if (given === undefined) this.#engine = await startScriptedEngine();
    const url = given ?? this.#engine?.url ?? "";
    this.#report({ event: "engine", url, scripted: given === undefined });
    return url;
  }

  #newToken({ namespace, serviceAccount, name }: GuardedWorkload): string {
    if (this.#tokens === undefined) throw new Error("the operator has not started");
    const hosts = { dnsNames: ["localhost", `${name}.${namespace}`], addresses: LOOPBACK };
    return this.#tokens.create({ namespace, serviceAccount, instance: name, hosts });
  }

  #onReconciled(event: ReconcilerEvent): void {
    switch (event.type) {
      case "refused":
        this.#report({ event: "refused", problems: event.problems, running: this.#running });
        if (!this.#running) this.#fail({ code: "resources", message: "the resources are wrong" });
        return;
      case "verdict": {
        const { spiffeId, version, verdict, reason } = event.verdict;
        const sidecar = this.#names.get(spiffeId) ?? spiffeId;
        this.#report({ event: verdict, sidecar, version, elapsedMs: Math.round(event.elapsedMs), reason });
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
  }: Extract<ReconcilerEvent, { type: "compiled" }>): void {
    const report = this.#report;
    const taken = new Set([...workloads.all, ...workloads.guarded].map(({ spiffeId }) => spiffeId));
    if (this.#reconciler !== undefined) this.#clients?.update(this.#reconciler.index, taken);
    if (this.#running) report({ event: "changed", resources, published: published.length });
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
    this.#sidecars?.update(workloads.guarded, this.#options.drainSeconds * 1000 + STOP_MARGIN_MS);
  }

  /** Once, for the sidecar that first both serves and has its snapshot. */
  #offerSamples(spiffeId: string): void {
    const running = this.#serving.get(spiffeId);
    if (this.#tried || running === undefined || !this.#configured.has(spiffeId) || this.#reconciler === undefined)
      return;
    this.#tried = true;
    const snapshot = compileFrom(this.#reconciler.index, running.workload);
    const clients = this.#clients?.clients ?? [];
    const caFile = this.#state.caFile;
    this.#report({
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
