/** Where a certificate authority's keys are kept: a port, and a folder behind it. */
import { constants } from "node:fs";
import { chmod, lstat, mkdir, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

/** A certificate and its private key, PEM. */
export interface StoredAuthority {
  readonly certificate: string;
  readonly key: string;
}

export interface CaMaterial {
  readonly root: StoredAuthority;
  readonly intermediate: StoredAuthority;
}

/** Keeps the authority's keys. What is saved is there whole or not at all. */
export interface CaStore {
  /** Undefined where nothing was saved yet. Anything that is there and cannot be used is an error, never a new authority. */
  load(): Promise<CaMaterial | undefined>;
  save(material: CaMaterial): Promise<void>;
}

const FILE = "ca.json";
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const OTHERS = 0o077;
const MAX_FILE_BYTES = 65_536;

/** One file in a folder that nobody else can read; both are refused when anybody else could. */
export class FolderCaStore implements CaStore {
  readonly #folder: string;
  readonly #file: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, FILE);
  }

  async load(): Promise<CaMaterial | undefined> {
    if (!(await isPrivate(this.#folder, "folder"))) return undefined;
    if (!(await isPrivate(this.#file, "file"))) return undefined;
    const handle = await open(this.#file, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { size } = await handle.stat();
      if (size > MAX_FILE_BYTES) throw new Error(`${this.#file} has more than ${String(MAX_FILE_BYTES)} bytes`);
      return readMaterial(await handle.readFile("utf8"), this.#file);
    } finally {
      await handle.close();
    }
  }

  async save(material: CaMaterial): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
    await isPrivate(this.#folder, "folder");
    const partial = `${this.#file}.partial`;
    await unlink(partial).catch(() => undefined);
    const handle = await open(partial, "wx", FILE_MODE);
    try {
      await handle.writeFile(`${JSON.stringify(material, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await chmod(partial, FILE_MODE);
    await rename(partial, this.#file);
    const folder = await open(this.#folder, constants.O_RDONLY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** Whether it is there; an error where it is of another kind, or open to anybody else. */
async function isPrivate(path: string, kind: "file" | "folder"): Promise<boolean> {
  const stats = await lstat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw new Error(`cannot look at ${path}`, { cause: error });
  });
  if (stats === undefined) return false;
  if (kind === "file" ? !stats.isFile() : !stats.isDirectory()) throw new Error(`${path} is not a ${kind}`);
  const mode = stats.mode & 0o777;
  if ((mode & OTHERS) !== 0) {
    const wanted = kind === "file" ? FILE_MODE : FOLDER_MODE;
    throw new Error(
      `${path} has mode ${octal(mode)}: it holds private keys, so give it ${octal(wanted)} (chmod ${octal(wanted)} ${path})`,
    );
  }
  const self = process.getuid?.();
  if (self !== undefined && stats.uid !== self)
    throw new Error(`${path} belongs to user ${String(stats.uid)}, not to ${String(self)}`);
  return true;
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}

function readMaterial(text: string, file: string): CaMaterial {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is not JSON`, { cause: error });
  }
  return {
    root: readAuthority(member(value, "root"), "root", file),
    intermediate: readAuthority(member(value, "intermediate"), "intermediate", file),
  };
}

function readAuthority(value: unknown, name: string, file: string): StoredAuthority {
  const certificate = member(value, "certificate");
  const key = member(value, "key");
  if (typeof certificate !== "string" || typeof key !== "string")
    throw new Error(`${file} has no certificate and key of its ${name}`);
  return { certificate, key };
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}

function isMissing(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT";
}
