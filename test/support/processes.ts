/** Processes for tests: their output kept, waited for by line, ended as a group whatever happens to the test. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import { guard, release } from "./guardian.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What is written to its stdin; without it stdin is empty. */
  readonly input?: string;
}

/** Output beyond this is dropped from its beginning. */
const KEPT_CHARACTERS = 4 * 1024 * 1024;

/** A process that is the leader of its own group. */
export class Running {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";
  #ended: Exit | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(child: ChildProcess, name: string) {
    if (child.pid === undefined) throw new Error(`${name} did not start`);
    this.#child = child;
    this.pid = child.pid;
    guard(this.pid);
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-KEPT_CHARACTERS);
      this.#wake();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_CHARACTERS);
      this.#wake();
    });
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#ended = { code, signal };
        this.#wake();
        resolve(this.#ended);
      });
    });
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves with the match as soon as stdout or stderr has it; fails when the process ends first, or after the time. */
  async waitFor(pattern: RegExp, timeoutMs = 20_000, from = 0): Promise<RegExpExecArray> {
    return await new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        settle();
      };
      const fail = (why: string): void =>
        finish(() => reject(new Error(`${why} before ${String(pattern)} was printed\n${this.tail()}`)));
      const look = (): void => {
        const match = pattern.exec(this.#stdout.slice(from)) ?? pattern.exec(this.#stderr);
        if (match !== null) finish(() => resolve(match));
        else if (this.#ended !== undefined) fail(`ended with ${JSON.stringify(this.#ended)}`);
      };
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, and ends its whole group if it has not after `graceMs`. */
  async stop(signal: NodeJS.Signals = "SIGTERM", graceMs = 5_000): Promise<Exit> {
    // what outlives it would also hold its output open
    this.#child.once("exit", () => this.killGroup());
    this.signal(signal);
    const timer = setTimeout(() => this.killGroup(), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    this.killGroup();
    release(this.pid);
    return exit;
  }

  /** SIGKILL to the process and everything it started that is still in its group. */
  killGroup(): void {
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // nobody is left in the group
    }
  }

  /** The last lines of what it printed, for an error's text. */
  tail(lines = 40): string {
    const last = (text: string): string => text.trimEnd().split("\n").slice(-lines).join("\n");
    return `--- stdout\n${last(this.#stdout)}\n--- stderr\n${last(this.#stderr)}`;
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** Starts a program in a group of its own. */
export function start(command: string, args: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(command, [...args], {
    detached: true,
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.on("error", () => {});
  child.stdin?.end(options.input);
  return new Running(child, command);
}

export interface ProcessEntry {
  readonly pid: number;
  /** Its arguments, joined by spaces. */
  readonly command: string;
}

/** The processes that a process has started itself and that are still there. */
export function childrenOf(parent: number): readonly ProcessEntry[] {
  if (!fs.existsSync("/proc/self/stat")) return childrenByPs(parent);
  const children: ProcessEntry[] = [];
  for (const name of fs.readdirSync("/proc").filter((name) => /^\d+$/u.test(name))) {
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, "utf8");
      const [, ppid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(ppid) !== parent) continue;
      const command = fs.readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      children.push({ pid: Number(name), command });
    } catch {
      // it ended while it was looked at
    }
  }
  return children;
}

function childrenByPs(parent: number): readonly ProcessEntry[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,command="], { encoding: "utf8" }).split("\n");
  return lines.flatMap((line) => {
    const [, pid, ppid, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/u.exec(line) ?? [];
    return Number(ppid) === parent ? [{ pid: Number(pid), command }] : [];
  });
}

export interface Ended extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; one that takes longer than `timeoutMs` is killed and raises. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: RunOptions & { readonly timeoutMs?: number } = {},
): Promise<Ended> {
  const running = start(command, args, options);
  const timeoutMs = options.timeoutMs ?? 60_000;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    running.killGroup();
  }, timeoutMs);
  const exit = await running.exited;
  clearTimeout(timer);
  running.killGroup();
  release(running.pid);
  if (late) throw new Error(`${command} ${args.join(" ")} took more than ${timeoutMs} ms\n${running.tail()}`);
  return { ...exit, stdout: running.stdout, stderr: running.stderr };
}

/** As `runToEnd`, and anything but exit code 0 raises with what it printed. */
export async function succeed(
  command: string,
  args: readonly string[],
  options: RunOptions & { readonly timeoutMs?: number } = {},
): Promise<Ended> {
  const ended = await runToEnd(command, args, options);
  if (ended.code === 0) return ended;
  const last = `${ended.stdout}\n${ended.stderr}`.trim().split("\n").slice(-20).join("\n");
  throw new Error(`${command} ${args.join(" ")} ended with ${ended.code ?? ended.signal}\n${last}`);
}
