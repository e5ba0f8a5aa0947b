/** The state folder: one standalone at a time, nobody else may read it. */
import { chmodSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { codeOf, messageOf, StartError } from "../command.ts";

export interface StateFolder {
  readonly path: string;
  /** The CA's own folder. */
  readonly ca: string;
  readonly caFile: string;
  readonly clients: string;
  /** Of one sidecar. */
  sidecar(name: string): { readonly cache: string; readonly spool: string };
  release(): void;
}

/** Makes the folder and takes it; throws a StartError where another process has it. */
export function takeState(folder: string): StateFolder {
  const lock = path.join(folder, "lock");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    takeLock(lock, folder);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `the state folder ${folder} cannot be used: ${messageOf(error)} (give another with --state DIR)`,
    );
  }
  const below = (...names: readonly string[]): string => {
    const made = path.join(folder, ...names);
    mkdirSync(made, { recursive: true, mode: 0o700 });
    return made;
  };
  return {
    path: folder,
    ca: path.join(folder, "ca"),
    caFile: path.join(folder, "ca.crt"),
    clients: below("clients"),
    sidecar: (name) => ({ cache: below("sidecars", name, "cache"), spool: below("sidecars", name, "audit") }),
    release: () => {
      if (holderOf(lock) === process.pid) unlinkSync(lock);
    },
  };
}

function takeLock(lock: string, folder: string): void {
  for (let tries = 0; tries < 2; tries++) {
    try {
      writeFileSync(lock, `${String(process.pid)}\n`, { flag: "wx", mode: 0o600 });
      return;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    const holder = holderOf(lock);
    if (holder !== undefined && holder !== process.pid && isAlive(holder)) {
      throw new StartError(
        `the state folder ${folder} is used by another sallyport (process ${String(holder)}): give another with --state DIR`,
      );
    }
    // Left behind by a process that was killed.
    unlinkSync(lock);
  }
  throw new StartError(`the state folder ${folder} is being taken by another sallyport: try again`);
}

function holderOf(lock: string): number | undefined {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one too.
    return codeOf(error) === "EPERM";
  }
}

/** Writes a file beside its place and renames it there. */
export function replaceFile(file: string, text: string, mode: number): void {
  const temporary = `${file}.partial`;
  writeFileSync(temporary, text, { mode });
  chmodSync(temporary, mode);
  renameSync(temporary, file);
}
