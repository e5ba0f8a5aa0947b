/**
 * The audit on this machine's disk: lines of a chain in files of bounded size.
 *
 * A record is durable when write(2) has taken it. The records of one turn of the event loop go out in one write, and only
 * then are their callbacks called, so a request is forwarded after its Begin is written and not before. fsync follows
 * within 10 ms for all that was written meanwhile (group commit).
 */
import fs from "node:fs";
import path from "node:path";
import { Chain, lineHash, type AuditRecord } from "../../core/audit/record.ts";

export interface SpoolOptions {
  readonly directory: string;
  /** SPIFFE ID or name of whose records these are. */
  readonly workload: string;
  readonly now: () => number;
  /** What its files are called by: chains of their own can share a folder. */
  readonly series: Series;
  /** A file is closed and the next begun at this size. */
  readonly fileBytes?: number;
  /** Files kept; the oldest beyond goes, and its loss is counted and recorded. */
  readonly files?: number;
  readonly onLost?: (records: number) => void;
  readonly onFailure?: (error: Error) => void;
}

/** audit: exchanges (Begin, End). refused: what never reached the engine (Denied, Repeated). */
export type Series = "audit" | "refused";

export type Written = (error: Error | undefined) => void;

const SYNC_AFTER_MS = 10;
const DEFAULT_FILE_BYTES = 64 * 1024 * 1024;
const DEFAULT_FILES = 16;
const NAME = /^(audit|refused)-(\d{12})\.jsonl$/;

export class Spool {
  readonly #options: SpoolOptions;
  readonly #fileBytes: number;
  readonly #files: number;
  #chain: Chain;
  /** The chain as of the last line that the disk has. */
  #durable: { readonly head: string; readonly sequence: number };
  #fd: number;
  #number: number;
  #size = 0;
  #rotateAt = 0;
  /** Records in the file that is written. */
  #records = 0;
  /** Records lost since the last file was begun. */
  #lost = 0;
  #lines: string[] = [];
  #waiting: Written[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #sync: NodeJS.Timeout | undefined;
  #syncing = false;
  #closed = false;

  /** Opens a new file after those that are there. Throws when the folder cannot be written. */
  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#fileBytes = options.fileBytes ?? DEFAULT_FILE_BYTES;
    this.#files = options.files ?? DEFAULT_FILES;
    fs.mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const files = spoolFiles(options.directory, options.series);
    this.#number = files.at(-1)?.number ?? 0;
    const tail = lastLineOf(options.directory, files);
    this.#chain = tail === undefined ? new Chain() : new Chain(lineHash(tail), sequenceOf(tail));
    this.#durable = { head: this.#chain.head, sequence: this.#chain.sequence };
    this.#fd = -1;
    this.#openNext();
  }

  /** Files in the order they were written. */
  get path(): string {
    return this.#pathOf(this.#number);
  }

  /** Takes a record; `written` is called once it is durable, or with the reason why it is not. */
  append(record: AuditRecord, written?: Written): void {
    if (this.#closed) {
      written?.(new Error("the audit spool is closed"));
      return;
    }
    this.#lines.push(this.#chain.append(record));
    if (written !== undefined) this.#waiting.push(written);
    this.#scheduled ??= setImmediate(this.#flush);
  }

  /** Whether the file is still in its folder; where somebody took it away what it held is lost, and the next is begun. Called once a second. */
  check(): void {
    if (this.#closed) return;
    try {
      if (fs.fstatSync(this.#fd).nlink > 0) return;
      this.#options.onFailure?.(new Error("the audit's file was removed while it was written"));
      this.#options.onLost?.(this.#records);
      this.#lost += this.#records;
      const removed = this.#fd;
      fs.mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 });
      this.#openNext();
      fs.closeSync(removed);
    } catch (error) {
      this.#options.onFailure?.(new Error("the audit cannot begin a new file", { cause: error }));
    }
  }

  /** Writes and syncs what is left. */
  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    clearTimeout(this.#sync);
    try {
      fs.fsyncSync(this.#fd);
      fs.closeSync(this.#fd);
    } catch (error) {
      this.#options.onFailure?.(error as Error);
    }
  }

  readonly #flush = (): void => {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#lines.length === 0) return;
    const text = this.#lines.length === 1 ? this.#lines[0]! : this.#lines.join("");
    const waiting = this.#waiting;
    const records = this.#lines.length;
    this.#lines = [];
    this.#waiting = [];
    let failure: Error | undefined;
    try {
      this.#write(Buffer.from(text, "utf8"), records);
    } catch (error) {
      failure = new Error("the audit spool cannot be written", { cause: error });
      this.#options.onFailure?.(failure);
      this.#lost += records;
      this.#options.onLost?.(records);
      this.#recover();
    }
    for (const written of waiting) written(failure);
  };

  #write(bytes: Buffer, records: number): void {
    // The position is given, so a retry after a failed write lands where the last good line ends.
    for (let at = 0; at < bytes.length;) at += fs.writeSync(this.#fd, bytes, at, bytes.length - at, this.#size + at);
    this.#size += bytes.length;
    this.#records += records;
    this.#durable = { head: this.#chain.head, sequence: this.#chain.sequence };
    if (!this.#syncing) this.#sync ??= setTimeout(this.#fsync, SYNC_AFTER_MS);
    if (this.#size >= this.#rotateAt) this.#rotate();
  }

  readonly #fsync = (): void => {
    this.#sync = undefined;
    this.#syncing = true;
    const size = this.#size;
    fs.fdatasync(this.#fd, (error) => {
      this.#syncing = false;
      if (this.#closed) return;
      // EBADF: the file was rotated meanwhile, which syncs by itself.
      if (error !== null && error.code !== "EBADF") this.#options.onFailure?.(error);
      if (this.#size !== size) this.#sync ??= setTimeout(this.#fsync, SYNC_AFTER_MS);
    });
  };

  /** On to the next file. Where that fails the records stay safe where they are, and it is tried again further on. */
  #rotate(): void {
    const full = this.#fd;
    try {
      this.#lost += this.#dropOldest();
      this.#openNext();
      fs.fsyncSync(full);
      fs.closeSync(full);
    } catch (error) {
      this.#rotateAt = this.#size + Math.ceil(this.#fileBytes / 16);
      this.#options.onFailure?.(new Error("the audit cannot begin a new file", { cause: error }));
    }
  }

  /** After a failed write: take back the half line it may have left, and go on from the last line that is there. */
  #recover(): void {
    this.#chain = new Chain(this.#durable.head, this.#durable.sequence);
    try {
      fs.ftruncateSync(this.#fd, this.#size);
    } catch (error) {
      this.#options.onFailure?.(error as Error);
    }
  }

  #dropOldest(): number {
    const files = spoolFiles(this.#options.directory, this.#options.series);
    let lost = 0;
    for (const file of files.slice(0, Math.max(0, files.length - this.#files + 1))) {
      const name = path.join(this.#options.directory, file.name);
      lost += countLines(name);
      fs.rmSync(name);
    }
    if (lost > 0) this.#options.onLost?.(lost);
    return lost;
  }

  /** Begins a file; nothing of this spool changes until its first line is on disk. */
  #openNext(): void {
    const number = this.#number + 1;
    const name = this.#pathOf(number);
    const fd = fs.openSync(name, "wx", 0o600);
    const chain = new Chain(this.#durable.head, this.#durable.sequence);
    const { workload, now } = this.#options;
    const bytes = Buffer.from(chain.append({ kind: "Open", time: now(), workload, lost: this.#lost }), "utf8");
    try {
      for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at);
    } catch (error) {
      fs.closeSync(fd);
      fs.rmSync(name, { force: true });
      throw error;
    }
    this.#fd = fd;
    this.#number = number;
    this.#size = bytes.length;
    this.#records = 0;
    this.#rotateAt = this.#fileBytes;
    this.#lost = 0;
    this.#chain = chain;
    this.#durable = { head: chain.head, sequence: chain.sequence };
  }

  #pathOf(number: number): string {
    return path.join(this.#options.directory, `${this.#options.series}-${String(number).padStart(12, "0")}.jsonl`);
  }
}

export interface SpoolFile {
  readonly name: string;
  readonly number: number;
}

/** A series' files in a folder, oldest first. */
export function spoolFiles(directory: string, series: Series): SpoolFile[] {
  return fs
    .readdirSync(directory)
    .flatMap((name) => {
      const match = NAME.exec(name);
      return match?.[1] === series ? [{ name, number: Number(match[2]) }] : [];
    })
    .sort((a, b) => a.number - b.number);
}

/** The last line of the newest file that has one: a crash can leave an empty one behind. */
function lastLineOf(directory: string, files: readonly SpoolFile[]): string | undefined {
  for (const file of files.toReversed()) {
    const line = lastLine(path.join(directory, file.name));
    if (line !== undefined) return line;
  }
  return undefined;
}

const TAIL_BYTES = 64 * 1024;

/** The last complete line of a file; undefined when there is none in its last 64 KiB. */
function lastLine(file: string): string | undefined {
  const fd = fs.openSync(file, "r");
  try {
    const size = fs.fstatSync(fd).size;
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    fs.readSync(fd, tail, 0, tail.length, size - tail.length);
    const end = tail.lastIndexOf("\n");
    if (end < 0) return undefined;
    return tail.toString("utf8", tail.lastIndexOf("\n", end - 1) + 1, end);
  } finally {
    fs.closeSync(fd);
  }
}

function sequenceOf(line: string): number {
  return Number(/^\{"seq":(\d{1,15}),/.exec(line)?.[1] ?? 0);
}

function countLines(file: string): number {
  let lines = 0;
  for (const byte of fs.readFileSync(file)) if (byte === 0x0a) lines++;
  return lines;
}
