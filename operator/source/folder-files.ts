/** The resource files of a folder, read within bounds. */
import { open, readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { types } from "node:util";
import { MAX_FILE_BYTES, type FileText, type Problem } from "../../core/api/index.ts";

export const MAX_FILES = 1_000;
const MAX_ENTRIES = 20_000;
const MAX_FOLDER_DEPTH = 16;
const RESOURCE_FILE = /\.(?:ya?ml|json)$/i;

/** A file, and what changes when it does. */
export interface Found {
  readonly file: string;
  readonly stamp: string;
}

export interface Listing {
  /** In ascending order of their names. */
  readonly files: readonly Found[];
  /** The folder and all below it that were looked into. */
  readonly folders: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * Finds *.yaml, *.yml and *.json below a folder; not what is hidden, and not what a symbolic link leads out to. Throws only
 * if the folder itself cannot be read.
 */
export async function listFiles(folder: string): Promise<Listing> {
  const root = await realpath(folder);
  const files: Found[] = [];
  const problems: Problem[] = [];
  const folders: string[] = [];
  const pending: { readonly directory: string; readonly depth: number }[] = [{ directory: folder, depth: 0 }];
  let entries = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { directory, depth } = next;
    folders.push(directory);
    const names = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
      if (directory === folder) throw error;
      problems.push(problemOf(directory, `cannot be read: ${reason(error)}`));
      return [];
    });
    for (const entry of names) {
      if (entry.name.startsWith(".")) continue;
      if (++entries > MAX_ENTRIES) return tooMany(folder, `more than ${String(MAX_ENTRIES)} entries`);
      const file = path.join(directory, entry.name);
      if (entry.isDirectory()) {
        if (depth < MAX_FOLDER_DEPTH) pending.push({ directory: file, depth: depth + 1 });
        else problems.push(problemOf(file, `is more than ${String(MAX_FOLDER_DEPTH)} folders deep`));
      } else if (RESOURCE_FILE.test(entry.name) && (entry.isFile() || (await leadsInside(entry, file, root)))) {
        const found = await stat(file, { bigint: true }).catch(() => undefined);
        // Gone since: an editor has just renamed it away; the next look finds what took its place.
        if (found?.isFile() !== true) continue;
        files.push({ file, stamp: [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(" ") });
        if (files.length > MAX_FILES) return tooMany(folder, `more than ${String(MAX_FILES)} resource files`);
      }
    }
  }
  files.sort((a, b) => (a.file < b.file ? -1 : 1));
  return { files, folders, problems };
}

/** Reads the files; what cannot be read whole is a problem. */
export async function readAll(
  files: readonly Found[],
): Promise<{ readonly texts: readonly FileText[]; readonly problems: readonly Problem[] }> {
  const texts: FileText[] = [];
  const problems: Problem[] = [];
  for (const { file } of files) {
    try {
      texts.push({ file, text: await readBounded(file) });
    } catch (error) {
      problems.push(problemOf(file, `cannot be read: ${reason(error)}`));
    }
  }
  return { texts, problems };
}

async function readBounded(file: string): Promise<string> {
  const handle = await open(file);
  try {
    // One byte more than is allowed shows that there is more, however much it is.
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > MAX_FILE_BYTES) throw new Error(`it has more than ${String(MAX_FILE_BYTES)} bytes`);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(buffer.subarray(0, length));
  } finally {
    await handle.close();
  }
}

async function leadsInside(
  entry: { readonly isSymbolicLink: () => boolean },
  file: string,
  root: string,
): Promise<boolean> {
  if (!entry.isSymbolicLink()) return false;
  const target = await realpath(file).catch(() => undefined);
  return target?.startsWith(root + path.sep) === true;
}

function tooMany(folder: string, what: string): Listing {
  return { files: [], folders: [folder], problems: [problemOf(folder, `has ${what}`)] };
}

/** What is wrong with a file or folder as a whole. */
export function problemOf(file: string, message: string): Problem {
  return { file, line: 1, column: 1, path: "", code: "unreadable", message, excerpt: "" };
}

export function reason(error: unknown): string {
  return types.isNativeError(error) ? error.message : String(error);
}
