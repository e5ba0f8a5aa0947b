import { watch, type FSWatcher } from "node:fs";
import { readFiles, resourceKey, type CheckPolicy, type Known, type Located } from "../../core/api/index.ts";
import { listFiles, problemOf, readAll, reason, type Listing } from "./folder-files.ts";
import { lossesOf } from "./losses.ts";
import type { Source, SourceEvent } from "./source.ts";

export interface FolderOptions {
  readonly folder: string;
  readonly checkPolicy?: CheckPolicy;
  /** Milliseconds, growing; only differences count. */
  readonly clock?: () => number;
  /** How long a change must be left alone before it is read: an editor writes in steps. */
  readonly debounceMs?: number;
  /** How long files must look the same before they are read: somebody may be in the middle of writing. */
  readonly settleMs?: number;
  /** The same for a change that takes something away and may be half of a file. */
  readonly lossMs?: number;
  /** The same where all that goes stood in files that are gone as a whole. */
  readonly goneMs?: number;
  /** How often to look without being told: file system events get lost. */
  readonly rereadMs?: number;
}

/** Watches are a limited good; a folder of policies has few folders in it. */
const MAX_WATCHED = 256;

const DEBOUNCE_MS = 30;
const SETTLE_MS = 120;
const LOSS_MS = 2_000;
const GONE_MS = 500;

interface Content {
  readonly documents: ReadonlyMap<string, Located<Known>>;
  readonly fingerprint: string;
}

/**
 * A folder of documents as a source. Each reload takes all of it or nothing: with one broken document the last good state
 * of the whole folder goes on. A file that is written in place, with pauses, cannot be told for certain from one that is
 * finished: a change is taken when it has stood still, and one that takes something away when it has for longer. Only what
 * is renamed into place is certain to be whole.
 */
export class FolderSource implements Source {
  readonly #folder: string;
  readonly #options: FolderOptions;
  readonly #clock: () => number;
  #handler: (event: SourceEvent) => void = () => {};
  #content: Content = { documents: new Map(), fingerprint: "" };
  /** A state of the files that is not taken yet. */
  #candidate: { readonly fingerprint: string; readonly since: number; told: boolean } | undefined;
  /** What was last refused, so that it is told once. */
  #refused = "";
  /** One for each folder: watching files would lose those that others are renamed over. */
  readonly #watchers = new Map<string, FSWatcher>();
  #reread: NodeJS.Timeout | undefined;
  #debounce: NodeJS.Timeout | undefined;
  #changedAt: number | undefined;
  #reading: Promise<void> | undefined;
  #stopped = false;

  constructor(options: FolderOptions) {
    this.#folder = options.folder;
    this.#options = options;
    this.#clock = options.clock ?? ((): number => performance.now());
  }

  async start(handler: (event: SourceEvent) => void): Promise<void> {
    this.#handler = handler;
    // Watched before it is read: a change in between is told twice rather than never.
    this.#watch((await listFiles(this.#folder)).folders);
    this.#reread = setInterval(() => this.#look(), this.#options.rereadMs ?? 2_000);
    this.#reading = this.#load(this.#clock(), true);
    await this.#reading;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    clearInterval(this.#reread);
    clearTimeout(this.#debounce);
    await this.#reading;
  }

  /** Watches these folders and no others. Where that cannot be had, the re-read finds changes, a little later. */
  #watch(folders: readonly string[]): void {
    const wanted = new Set(folders.slice(0, MAX_WATCHED));
    for (const [folder, watcher] of this.#watchers) if (!wanted.has(folder)) this.#unwatch(folder, watcher);
    for (const folder of wanted) {
      if (this.#watchers.has(folder) || this.#stopped) continue;
      try {
        const watcher = watch(folder, () => this.#onChange());
        watcher.on("error", () => this.#unwatch(folder, watcher));
        this.#watchers.set(folder, watcher);
      } catch {
        return;
      }
    }
  }

  #unwatch(folder: string, watcher: FSWatcher): void {
    watcher.close();
    this.#watchers.delete(folder);
  }

  #onChange(): void {
    if (this.#stopped) return;
    this.#changedAt ??= this.#clock();
    this.#lookIn(this.#options.debounceMs ?? DEBOUNCE_MS);
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#debounce);
    if (!this.#stopped) this.#debounce = setTimeout(() => this.#look(), ms);
  }

  /** Reads if something changed; one reading at a time. */
  #look(): void {
    if (this.#stopped) return;
    const before = this.#reading ?? Promise.resolve();
    const changedAt = this.#changedAt;
    this.#changedAt = undefined;
    this.#reading = before.then(async () => await this.#load(changedAt ?? this.#clock(), false));
  }

  async #load(changedAt: number, first: boolean): Promise<void> {
    const listing = await listFiles(this.#folder).catch((error: unknown): Listing => this.#unreadable(error));
    this.#watch(listing.folders);
    const fingerprint = fingerprintOf(listing);
    const known = fingerprint === (this.#refused === "" ? this.#content.fingerprint : this.#refused);
    if (known) this.#candidate = undefined;
    if (this.#stopped || (!first && known)) return;
    const { settleMs = SETTLE_MS } = this.#options;
    if (!first && !this.#stoodStill(fingerprint, settleMs, changedAt)) return;
    const { texts, problems: unread } = await readAll(listing.files);
    const after = await listFiles(this.#folder).catch((error: unknown): Listing => this.#unreadable(error));
    if (fingerprintOf(after) !== fingerprint) {
      // Somebody is writing; what was read may be half of it.
      this.#changedAt ??= changedAt;
      this.#onChange();
      if (!first) return;
    }
    const { checkPolicy } = this.#options;
    const { documents, problems } = readFiles(texts, checkPolicy === undefined ? {} : { checkPolicy });
    const all = [...listing.problems, ...unread, ...problems];
    if (this.#stopped) return;
    if (all.length > 0) {
      this.#refused = fingerprint;
      this.#candidate = undefined;
      this.#handler({ type: "refused", problems: all, changedAt });
      return;
    }
    if (!first && this.#mayBeHalf(documents, listing, changedAt)) return;
    this.#candidate = undefined;
    const mended = this.#refused !== "";
    this.#refused = "";
    const changed = this.#take(documents, fingerprint);
    if (changed || first || mended) this.#handler({ type: "synced", changedAt });
  }

  /** Whether the files have looked like this for so long; if not, looks again when they will have. */
  #stoodStill(fingerprint: string, ms: number, changedAt: number): boolean {
    const now = this.#clock();
    if (this.#candidate?.fingerprint !== fingerprint) this.#candidate = { fingerprint, since: now, told: false };
    const left = this.#candidate.since + ms - now;
    if (left <= 0) return true;
    this.#changedAt ??= changedAt;
    this.#lookIn(left);
    return false;
  }

  /** Whether what was read lacks something, and has not stood long enough to be meant. */
  #mayBeHalf(documents: readonly Located<Known>[], { files }: Listing, changedAt: number): boolean {
    const now = new Map(documents.map((document) => [resourceKey(document.resource), document]));
    const losses = lossesOf(this.#content.documents, now);
    const candidate = this.#candidate;
    if (losses.length === 0 || candidate === undefined) return false;
    const { lossMs = LOSS_MS, goneMs = GONE_MS } = this.#options;
    const there = new Set(files.map(({ file }) => file));
    const waitMs = losses.some(({ file }) => there.has(file)) ? lossMs : goneMs;
    if (this.#stoodStill(candidate.fingerprint, waitMs, changedAt)) return false;
    if (!candidate.told) this.#handler({ type: "waiting", losing: losses.map(({ what }) => what), waitMs });
    candidate.told = true;
    return true;
  }

  /** Tells what differs from before; whether anything did. */
  #take(documents: readonly Located<Known>[], fingerprint: string): boolean {
    const before = this.#content.documents;
    const now = new Map(documents.map((document) => [resourceKey(document.resource), document]));
    this.#content = { documents: now, fingerprint };
    let changed = false;
    for (const key of before.keys()) {
      if (now.has(key)) continue;
      changed = true;
      this.#handler({ type: "deleted", key });
    }
    for (const [key, document] of now) {
      const old = before.get(key);
      if (old !== undefined && JSON.stringify(old.resource) === JSON.stringify(document.resource)) continue;
      changed = true;
      this.#handler({ type: "applied", document });
    }
    return changed;
  }

  #unreadable(error: unknown): Listing {
    return { files: [], folders: [], problems: [problemOf(this.#folder, `cannot be read: ${reason(error)}`)] };
  }
}

function fingerprintOf({ files, problems }: Listing): string {
  return JSON.stringify([files, problems.map(({ file, message }) => [file, message])]);
}
