/** The sidecars of this machine: one for each workload, with ports of its own for as long as the workload is there. */
import type { GuardedWorkload } from "../../operator/reconcile/workloads.ts";
import { formatEndpoint, type Endpoint } from "./options.ts";
import type { Report } from "./report.ts";
import { SidecarProcess, type SidecarEvent } from "./sidecar-process.ts";

export interface SidecarsOptions {
  readonly program: string;
  /** Of the first sidecar; the next ones take the ports after it. */
  readonly listen: Endpoint;
  readonly admin: Endpoint;
  /** The flags that all have in common. */
  readonly flags: readonly string[];
  readonly folders: (name: string) => { readonly cache: string; readonly spool: string };
  readonly newToken: (workload: GuardedWorkload) => string;
  readonly report: Report;
  readonly onReady: (running: RunningSidecar) => void;
  /** Its workload is gone; it may still finish its requests. */
  readonly onRemoved: (workload: GuardedWorkload) => void;
  /** One ended before any was ever ready: what is wrong is wrong for all. */
  readonly onFailure: (workload: GuardedWorkload, reason: string) => void;
}

export interface RunningSidecar {
  readonly workload: GuardedWorkload;
  /** HOST:PORT. */
  readonly listen: string;
}

interface Slot {
  readonly workload: GuardedWorkload;
  readonly process: SidecarProcess;
  readonly offset: number;
}

export class Sidecars {
  readonly #options: SidecarsOptions;
  readonly #slots = new Map<string, Slot>();
  /** Ports, as offsets from the first, that are in use or being given up. */
  readonly #offsets = new Set<number>();
  /** Sidecars whose workload is gone, while they finish. */
  readonly #leaving = new Set<SidecarProcess>();
  #anyReady = false;

  constructor(options: SidecarsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#slots.size;
  }

  /** Starts sidecars for new workloads and drains those of workloads that are gone. */
  update(workloads: readonly GuardedWorkload[], drainMs: number): void {
    const wanted = new Set(workloads.map(({ spiffeId }) => spiffeId));
    for (const [spiffeId, slot] of this.#slots) {
      if (wanted.has(spiffeId)) continue;
      this.#slots.delete(spiffeId);
      this.#options.onRemoved(slot.workload);
      void this.#remove(slot, drainMs);
    }
    for (const workload of workloads) if (!this.#slots.has(workload.spiffeId)) this.#start(workload);
  }

  async #remove({ workload, process, offset }: Slot, drainMs: number): Promise<void> {
    const { report } = this.#options;
    const told = { sidecar: `${workload.namespace}/${workload.name}`, seconds: Math.round(drainMs / 1000) };
    this.#leaving.add(process);
    report({ event: "leaving", ...told });
    await process.stop(drainMs);
    report({ event: "left", ...told });
    this.#leaving.delete(process);
    this.#offsets.delete(offset);
  }

  /** Lets all finish their requests, for so long at most. */
  async stop(graceMs: number): Promise<void> {
    const all = [...[...this.#slots.values()].map(({ process }) => process), ...this.#leaving];
    await Promise.all(all.map(async (process) => await process.stop(graceMs)));
  }

  kill(): void {
    for (const process of [...[...this.#slots.values()].map(({ process }) => process), ...this.#leaving])
      process.kill();
  }

  #start(workload: GuardedWorkload): void {
    const { program, flags, folders, newToken, listen, admin } = this.#options;
    let offset = 0;
    while (this.#offsets.has(offset)) offset++;
    this.#offsets.add(offset);
    // "_" is in no name of Kubernetes: no two workloads share a folder.
    const { cache, spool } = folders(`${workload.namespace}_${workload.serviceAccount}`);
    const process = new SidecarProcess({
      program,
      args: [
        ...flags,
        `--listen=${formatEndpoint({ ...listen, port: listen.port + offset })}`,
        `--admin=${formatEndpoint({ ...admin, port: admin.port + offset })}`,
        `--cache=${cache}`,
        `--spool=${spool}`,
        `--instance=${workload.name}`,
      ],
      newToken: () => newToken(workload),
      onEvent: (event) => this.#onEvent(workload, event),
    });
    this.#slots.set(workload.spiffeId, { workload, process, offset });
    process.start();
  }

  #onEvent(workload: GuardedWorkload, event: SidecarEvent): void {
    const { report, onReady, onFailure } = this.#options;
    const sidecar = `${workload.namespace}/${workload.name}`;
    switch (event.type) {
      case "ready": {
        const { listen, admin, elapsedMs } = event;
        this.#anyReady = true;
        report({ event: "ready", sidecar, listen, admin, elapsedMs: Math.round(elapsedMs) });
        onReady({ workload, listen });
        return;
      }
      case "log":
        report({ event: "log", sidecar, line: event.line });
        return;
      case "died":
        report({ event: "died", sidecar, reason: event.reason, restartMs: event.restartMs });
        if (!this.#anyReady) onFailure(workload, event.reason);
    }
  }
}
