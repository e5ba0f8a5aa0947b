/**
 * Where tests and benches keep what they install (interpreters' environments, proxies to compare with): outside the clone,
 * so that a second clone finds it warm, and made whole or not at all.
 */
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const LOCK_POLL_MS = 200;
/** A lock whose holder lives is waited for this long; installing an engine takes well under a minute. */
const LOCK_WAIT_MS = 300_000;

/** `${XDG_CACHE_HOME:-~/.cache}/sallyport-test/<name>`; not made. */
export function cacheFolder(...name: readonly string[]): string {
  const root = process.env["XDG_CACHE_HOME"];
  const base = root === undefined || root === "" ? path.join(os.homedir(), ".cache") : root;
  return path.join(base, "sallyport-test", ...name);
}

/**
 * Calls `make` once for a cache entry, however many processes ask for it at the same time. The entry's folder name holds
 * the versions of what is in it, so an entry is never changed, only made. `make` gets an empty folder; if it throws, the
 * folder goes and the next caller tries again.
 */
export async function once(folder: string, make: (folder: string) => Promise<void>): Promise<string> {
  const stamp = path.join(folder, ".complete");
  if (await exists(stamp)) return folder;
  await fs.mkdir(path.dirname(folder), { recursive: true });
  const release = await lock(`${folder}.lock`);
  try {
    if (await exists(stamp)) return folder;
    await fs.rm(folder, { recursive: true, force: true });
    await fs.mkdir(folder);
    await make(folder);
    await fs.writeFile(stamp, "");
    return folder;
  } catch (cause) {
    await fs.rm(folder, { recursive: true, force: true });
    throw new Error(`cannot make ${folder}: ${messageOf(cause)}`, { cause });
  } finally {
    await release();
  }
}

/** The words of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export async function exists(file: string): Promise<boolean> {
  return await fs.access(file).then(
    () => true,
    () => false,
  );
}

/** A lock file with its holder's process number: a holder that was killed holds nothing. */
async function lock(file: string): Promise<() => Promise<void>> {
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      await fs.writeFile(file, String(process.pid), { flag: "wx" });
      return async () => await fs.rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(await fs.readFile(file, "utf8").catch(() => ""));
    if (holder > 0 && !alive(holder)) await fs.rm(file, { force: true });
    else if (Date.now() > deadline) throw new Error(`${file} is held by process ${holder}`);
    else await sleep(LOCK_POLL_MS);
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
