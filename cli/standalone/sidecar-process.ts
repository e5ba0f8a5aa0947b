/** One sidecar as a process: started with a secret of its own, kept running, drained at the end. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";

export type SidecarEvent =
  /** It serves. `listen` and `admin` are HOST:PORT. */
  | { readonly type: "ready"; readonly listen: string; readonly admin: string; readonly elapsedMs: number }
  /** A line that it wrote, without the line's end. */
  | { readonly type: "log"; readonly line: string }
  /**
   * It ended by itself, and is started again after `restartMs`, unless it is stopped before; undefined where it is not,
   * because it would say the same again.
   */
  | { readonly type: "died"; readonly reason: string; readonly restartMs: number | undefined };

export interface SidecarProcessOptions {
  /** Path of the program. */
  readonly program: string;
  /** All but --token-fd. */
  readonly args: readonly string[];
  /** A new one-time token for each start. */
  readonly newToken: () => string;
  readonly onEvent: (event: SidecarEvent) => void;
}

/** Where the token is: after stdin, stdout, stderr. Neither arguments nor environment, which others can read. */
const TOKEN_FD = 3;
const FIRST_RESTART_MS = 250;
const LAST_RESTART_MS = 30_000;
/** Its exit code for flags that it does not take: another start would end the same way. */
const WRONG_USAGE = 2;
/** After so long without dying it starts anew with the shortest wait. */
const STEADY_MS = 60_000;

export class SidecarProcess {
  readonly #options: SidecarProcessOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #restartMs = FIRST_RESTART_MS;
  #startedAt = 0;
  #stopping = false;

  constructor(options: SidecarProcessOptions) {
    this.#options = options;
  }

  start(): void {
    const { program, args, newToken } = this.#options;
    this.#startedAt = performance.now();
    const child = spawn(process.execPath, [program, `--token-fd=${String(TOKEN_FD)}`, ...args], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    giveToken(child.stdio[TOKEN_FD] as Writable, newToken());
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", (line) => this.#onLine(line));
    }
    this.#ended = new Promise((resolve) => {
      let done = false;
      const end = (reason: string, code: number | null): void => {
        if (done) return;
        done = true;
        this.#child = undefined;
        resolve();
        if (!this.#stopping) this.#onDeath(reason, code);
      };
      child.once("error", (error) => end(error.message, null));
      // Not "exit": what it wrote last is told before that it died.
      child.once("close", (code, signal) => end(signal ?? `exit code ${String(code)}`, code));
    });
  }

  /** Asks it to finish its requests; ends it if it has not after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill("SIGTERM");
    const late = setTimeout(() => this.#child?.kill("SIGKILL"), graceMs);
    await this.#ended;
    clearTimeout(late);
  }

  /** Ends it without waiting for anything. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill("SIGKILL");
  }

  #onLine(line: string): void {
    const ready = readyOf(line);
    if (ready === undefined) this.#options.onEvent({ type: "log", line });
    else {
      this.#options.onEvent({ type: "ready", ...ready, elapsedMs: performance.now() - this.#startedAt });
    }
  }

  #onDeath(reason: string, code: number | null): void {
    if (code === WRONG_USAGE) {
      this.#options.onEvent({
        type: "died",
        reason: `${reason} (it does not understand its flags)`,
        restartMs: undefined,
      });
      return;
    }
    if (performance.now() - this.#startedAt > STEADY_MS) this.#restartMs = FIRST_RESTART_MS;
    const restartMs = this.#restartMs;
    this.#restartMs = Math.min(LAST_RESTART_MS, restartMs * 2);
    this.#timer = setTimeout(() => this.start(), restartMs);
    this.#options.onEvent({ type: "died", reason, restartMs });
  }
}

function giveToken(pipe: Writable, token: string): void {
  // It may die before it reads; that is told by its end.
  pipe.on("error", () => pipe.destroy());
  pipe.end(token);
}

function readyOf(line: string): { readonly listen: string; readonly admin: string } | undefined {
  if (!line.startsWith('{"event":"ready"')) return undefined;
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || !("listen" in value) || !("admin" in value)) return undefined;
  return { listen: String(value.listen), admin: String(value.admin) };
}
