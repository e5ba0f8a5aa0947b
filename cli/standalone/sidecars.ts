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
  /** One that has never been ready has ended. */
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

  constructor(options: SidecarsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#slots.size;
  }

  /** Starts sidecars for new workloads and drains those of workloads that are gone. */
  update(workloads: readonly GuardedWorkload[], drainMs: number): void {
    const wanted = new Set(workloads.map(({ spiffeId }) => spiffeId));
    for (const [spiffeId, { process }] of this.#slots) {
      if (wanted.has(spiffeId)) continue;
      this.#slots.delete(spiffeId);
      void process.stop(drainMs);
    }
    for (const workload of workloads) if (!this.#slots.has(workload.spiffeId)) this.#start(workload);
  }

  /** Lets all finish their requests, for so long at most. */
  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#slots.values()].map(async ({ process }) => await process.stop(graceMs)));
  }

  kill(): void {
    for (const { process } of this.#slots.values()) process.kill();
  }

  #start(workload: GuardedWorkload): void {
    const { program, flags, folders, newToken, listen, admin } = this.#options;
    const taken = new Set([...this.#slots.values()].map(({ offset }) => offset));
    let offset = 0;
    while (taken.has(offset)) offset++;
    const { cache, spool } = folders(`${workload.namespace}-${workload.serviceAccount}`);
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
        report({ event: "ready", sidecar, listen, admin, elapsedMs: Math.round(elapsedMs) });
        onReady({ workload, listen });
        return;
      }
      case "log":
        report({ event: "log", sidecar, line: event.line });
        return;
      case "died":
        report({ event: "died", sidecar, reason: event.reason, restartMs: event.restartMs });
        if (event.restartMs === undefined) onFailure(workload, event.reason);
    }
  }
}
