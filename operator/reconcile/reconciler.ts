/**
 * From a source's resources to each sidecar's snapshot. Level-based: every change compiles from the whole world, and what
 * comes out is published only where it differs from what is out already.
 */
import { resourceKey, type Known, type Located, type Problem } from "../../core/api/index.ts";
import {
  compileFrom,
  EMPTY_WORLD,
  encodeSnapshot,
  indexWorld,
  ruleFindings,
  worldOf,
} from "../../core/snapshot/index.ts";
import type { Trust, WorldIndex } from "../../core/snapshot/index.ts";
import type { Source, SourceEvent } from "../source/source.ts";
import { selectionFindings, type WorldFinding } from "./selection-findings.ts";
import { workloadsOf, type GuardedWorkload, type Workloads } from "./workloads.ts";

/** Where snapshots go: the configuration server. */
export interface Publisher {
  /** The snapshot of a SPIFFE ID's sidecars from now on, and what they must be able to enforce. */
  publish(spiffeId: string, bytes: Buffer, features: readonly string[]): void;
  /** There is no such workload any more. */
  withdraw(spiffeId: string): void;
}

/** What a sidecar said of a version. */
export interface Verdict {
  readonly spiffeId: string;
  /** The sidecar, by its own name. */
  readonly instance: string;
  readonly version: string;
  readonly verdict: "ack" | "nack";
  /** Of a NACK. */
  readonly reason: string;
}

/** A finding, and where the field it is about was written. */
export interface LocatedFinding extends WorldFinding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface PublishedWorkload {
  readonly workload: GuardedWorkload;
  readonly version: string;
  /** No policy selects it, so that everything is denied. */
  readonly ungoverned: boolean;
}

export type ReconcilerEvent =
  /** The world was compiled. `published` are the workloads whose snapshot is another than before. */
  | {
      readonly type: "compiled";
      readonly resources: number;
      /** How many of each kind. */
      readonly kinds: Readonly<Record<string, number>>;
      readonly workloads: Workloads;
      readonly published: readonly PublishedWorkload[];
      readonly findings: readonly LocatedFinding[];
      /** Resources that are no longer there, by core/api's resourceKey. */
      readonly gone: readonly string[];
    }
  /** A change is left to stand for so long before it is taken, because it takes these away. */
  | { readonly type: "waiting"; readonly losing: readonly string[]; readonly waitMs: number }
  /** A change was refused; what holds goes on. */
  | { readonly type: "refused"; readonly problems: readonly Problem[] }
  /** A sidecar took or refused its snapshot, so many milliseconds after the change was seen. */
  | { readonly type: "verdict"; readonly verdict: Verdict; readonly elapsedMs: number; readonly first: boolean };

export interface ReconcilerOptions {
  readonly source: Source;
  readonly trust: Trust;
  readonly publisher: Publisher;
  readonly onEvent: (event: ReconcilerEvent) => void;
  /** The source's clock (ms). */
  readonly clock?: () => number;
}

interface Published {
  readonly version: string;
  readonly changedAt: number;
  /** Sidecars that have spoken of this version. */
  readonly spoken: Set<string>;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #clock: () => number;
  readonly #documents = new Map<string, Located<Known>>();
  readonly #published = new Map<string, Published>();
  #index: WorldIndex;
  /** Since the world was last compiled. */
  #gone: string[] = [];

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? ((): number => performance.now());
    this.#index = indexWorld(EMPTY_WORLD, options.trust);
  }

  /** The world as it was last compiled. */
  get index(): WorldIndex {
    return this.#index;
  }

  /** Resolves once the source's first state is published, or refused. */
  async start(): Promise<void> {
    await this.#options.source.start((event) => this.#onSource(event));
  }

  async stop(): Promise<void> {
    await this.#options.source.stop();
  }

  /** To be told of every ACK and NACK. */
  onVerdict(verdict: Verdict): void {
    const published = this.#published.get(verdict.spiffeId);
    // Of a version that is no longer the one: its time would mean nothing.
    if (published?.version !== verdict.version) return;
    const first = !published.spoken.has(verdict.instance);
    published.spoken.add(verdict.instance);
    const elapsedMs = this.#clock() - published.changedAt;
    this.#options.onEvent({ type: "verdict", verdict, elapsedMs, first });
  }

  #onSource(event: SourceEvent): void {
    switch (event.type) {
      case "applied":
        this.#documents.set(resourceKey(event.document.resource), event.document);
        return;
      case "deleted":
        this.#documents.delete(event.key);
        this.#gone.push(event.key);
        return;
      case "waiting":
        this.#options.onEvent(event);
        return;
      case "refused":
        this.#options.onEvent({ type: "refused", problems: event.problems });
        return;
      case "synced":
        this.#compile(event.changedAt);
    }
  }

  #compile(changedAt: number): void {
    const { trust, publisher, onEvent } = this.#options;
    const world = worldOf([...this.#documents.values()].map(({ resource }) => resource));
    this.#index = indexWorld(world, trust);
    const workloads = workloadsOf(world.pods, trust.trustDomain);
    const published: PublishedWorkload[] = [];
    const gone = new Set(this.#published.keys());
    for (const workload of workloads.guarded) {
      const { spiffeId } = workload;
      gone.delete(spiffeId);
      const snapshot = compileFrom(this.#index, workload);
      const { bytes, version } = encodeSnapshot(snapshot);
      if (this.#published.get(spiffeId)?.version === version) continue;
      this.#published.set(spiffeId, { version, changedAt, spoken: new Set() });
      publisher.publish(spiffeId, bytes, snapshot.features);
      published.push({ workload, version, ungoverned: snapshot.policies.length === 0 });
    }
    for (const spiffeId of gone) {
      this.#published.delete(spiffeId);
      publisher.withdraw(spiffeId);
    }
    const found = [...this.#index.findings, ...ruleFindings(this.#index), ...selectionFindings(world, this.#index)];
    const findings = found.map((finding) => this.#locate(finding));
    const deleted = this.#gone;
    this.#gone = [];
    onEvent({
      type: "compiled",
      resources: this.#documents.size,
      kinds: this.#kinds(),
      workloads,
      published,
      findings,
      gone: deleted,
    });
  }

  #kinds(): Readonly<Record<string, number>> {
    const kinds: Record<string, number> = {};
    for (const { resource } of this.#documents.values()) kinds[resource.kind] = (kinds[resource.kind] ?? 0) + 1;
    return kinds;
  }

  #locate(finding: WorldFinding): LocatedFinding {
    const { kind, namespace, name } = finding;
    const key = resourceKey({ kind, metadata: namespace === "" ? { name } : { name, namespace } });
    const { file = "", line = 1, column = 1 } = this.#documents.get(key)?.locate(finding.path) ?? {};
    return { ...finding, file, line, column };
  }
}
