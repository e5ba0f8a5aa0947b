import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Snapshot } from "./types.ts";

export interface Encoded {
  readonly bytes: Buffer;
  /** "sha256:" and the hexadecimal hash of the bytes. */
  readonly version: string;
}

/** Canonical JSON: keys in one order (numbers first, then by code units), no white space. Equal snapshots have equal bytes. */
export function encodeSnapshot(snapshot: Snapshot): Encoded {
  const bytes = Buffer.from(JSON.stringify(snapshot, sortKeys), "utf8");
  return { bytes, version: versionOf(bytes) };
}

/** The version that names a snapshot's bytes. */
export function versionOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** JSON.stringify follows insertion, integer keys aside: a copy that was filled in order has one order only. */
function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  const sorted = Object.create(null) as Record<string, unknown>;
  for (const [key, member] of entries) sorted[key] = member;
  return sorted;
}
