/** Tells guardian.mjs what to end and remove when this process is gone, even by SIGKILL. */
import { spawn, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

let guardian: ChildProcess | undefined;

function tell(line: string): void {
  guardian ??= start();
  guardian.stdin?.write(`${line}\n`);
}

function start(): ChildProcess {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "guardian.mjs")], {
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
  });
  child.unref();
  // a pipe is a socket here; without this it would keep the event loop alive
  const { stdin } = child;
  if (stdin !== null && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  stdin?.on("error", () => {});
  return child;
}

/** The group of a process that leads one (spawned detached). */
export function guard(pid: number): void {
  tell(`+${pid}`);
}

export function release(pid: number): void {
  tell(`-${pid}`);
}

/** A new empty folder under the system's temporary one, gone when this process is. */
export function temporaryFolder(name: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `sallyport-${name}-`));
  tell(`d${folder}`);
  return folder;
}
