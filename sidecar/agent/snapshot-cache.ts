/** The last good snapshot on disk, for a restart: one file, its version on the first line, then the bytes it names. */
import { constants } from "node:fs";
import { chmod, mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { MAX_SNAPSHOT_BYTES, versionOf } from "../../core/snapshot/index.ts";

export interface CachedSnapshot {
  readonly version: string;
  readonly bytes: Buffer;
}

const FILE = "snapshot";
const NEWLINE = 0x0a;
const VERSION_BYTES = "sha256:".length + 64;

export class SnapshotCache {
  readonly #folder: string;
  readonly #file: string;
  #waiting: CachedSnapshot | undefined;
  #writing: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, FILE);
  }

  /** Undefined where there is none; fails where it is there and is not what its version names. */
  async read(): Promise<CachedSnapshot | undefined> {
    const handle = await open(this.#file, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (handle === undefined) return undefined;
    try {
      const { size } = await handle.stat();
      if (size > VERSION_BYTES + 1 + MAX_SNAPSHOT_BYTES) throw new Error("the file is larger than a snapshot can be");
      const content = await handle.readFile();
      const version = content.toString("latin1", 0, VERSION_BYTES);
      const bytes = content.subarray(VERSION_BYTES + 1);
      if (content[VERSION_BYTES] !== NEWLINE || versionOf(bytes) !== version) {
        throw new Error("the content is not what its version names");
      }
      return { version, bytes };
    } finally {
      await handle.close();
    }
  }

  /** Writes it whole or not at all. Of several that wait, the newest is written. */
  async write(snapshot: CachedSnapshot): Promise<void> {
    this.#waiting = snapshot;
    this.#writing ??= this.#writeWaiting().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#writing?.catch(() => undefined);
  }

  async #writeWaiting(): Promise<void> {
    for (let next = this.#waiting; next !== undefined; next = this.#waiting) {
      this.#waiting = undefined;
      await this.#replace(next);
    }
  }

  async #replace({ version, bytes }: CachedSnapshot): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const partial = `${this.#file}.partial`;
    const handle = await open(
      partial,
      constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      await handle.writeFile(Buffer.concat([Buffer.from(`${version}\n`, "latin1"), bytes]));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await chmod(partial, 0o600);
    await rename(partial, this.#file);
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT";
}
