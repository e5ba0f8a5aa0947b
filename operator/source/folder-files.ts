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
 * Finds *.yaml, *.yml and *.json below a folder, not what is hidden. A symbolic link is followed where it stays inside the
 * folder (as a mounted ConfigMap has them); one that leads out or nowhere is a problem, as is all else that would be left
 * out: a Deny may be in it. Throws only if the folder itself cannot be read.
 */
export async function listFiles(folder: string): Promise<Listing> {
  const root = await realpath(folder);
  const files: Found[] = [];
  const problems: Problem[] = [];
  const folders: string[] = [];
  const pending: Place[] = [{ file: folder, target: root, depth: 0 }];
  const visited = new Set<string>();
  let entries = 0;
  // Links wait until the folders are done: what one leads to is read once, under its own name where it has one.
  const links: Place[] = [];
  for (let next = pending.pop() ?? links.pop(); next !== undefined; next = pending.pop() ?? links.pop()) {
    const { file: directory, target, depth } = next;
    if (visited.has(target)) continue;
    visited.add(target);
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
      const looked = await look(file, entry.isSymbolicLink(), root);
      switch (looked.is) {
        case "folder":
          if (depth >= MAX_FOLDER_DEPTH)
            problems.push(problemOf(file, `is more than ${String(MAX_FOLDER_DEPTH)} folders deep`));
          else (looked.linked ? links : pending).push({ file, target: looked.target, depth: depth + 1 });
          break;
        case "file":
          if (RESOURCE_FILE.test(file)) files.push({ file, stamp: looked.stamp });
          if (files.length > MAX_FILES) return tooMany(folder, `more than ${String(MAX_FILES)} resource files`);
          break;
        case "unusable":
          if (RESOURCE_FILE.test(file) || looked.folder) problems.push(problemOf(file, looked.why));
          break;
        case "gone":
      }
    }
  }
  files.sort((a, b) => (a.file < b.file ? -1 : 1));
  return { files, folders, problems };
}

interface Place {
  readonly file: string;
  /** What it is called without symbolic links. */
  readonly target: string;
  readonly depth: number;
}

type Looked =
  | { readonly is: "folder"; readonly target: string; readonly linked: boolean }
  | { readonly is: "file"; readonly stamp: string }
  | { readonly is: "unusable"; readonly why: string; readonly folder: boolean }
  /** An editor has just renamed it away; the next look finds what took its place. */
  | { readonly is: "gone" };

async function look(file: string, linked: boolean, root: string): Promise<Looked> {
  let target = file;
  try {
    target = await realpath(file);
  } catch (error) {
    if (linked)
      return { is: "unusable", why: `is a symbolic link that leads nowhere: ${reason(error)}`, folder: false };
    return { is: "gone" };
  }
  const found = await stat(target, { bigint: true }).catch(() => undefined);
  if (found === undefined) return { is: "gone" };
  if (linked && !target.startsWith(root + path.sep)) {
    // Back up to the folder itself or above: what is there is read already, or nobody's business here.
    if (root === target) return { is: "gone" };
    const why = `is a symbolic link that leads out of the folder, to ${target}: put the ${found.isDirectory() ? "folder" : "file"} itself here`;
    return { is: "unusable", why, folder: found.isDirectory() };
  }
  if (found.isDirectory()) return { is: "folder", target, linked };
  if (!found.isFile()) return { is: "unusable", why: "is neither a file nor a folder", folder: false };
  return { is: "file", stamp: [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(" ") };
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
