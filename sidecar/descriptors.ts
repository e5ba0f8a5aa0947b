/** How many connections this process can hold at all. */
import { readFileSync } from "node:fs";

/** Descriptors kept for everything else: the audit, the admin port, the operator, libraries. */
const KEPT = 128;
const LEAST = 16;

/** What /proc/self/limits allows this process to open; `unknown` where that cannot be read. */
export function descriptorLimit(unknown: number, text: string = readLimits()): number {
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? unknown : Number(soft);
}

/** Connections for each side, clients and engine, so that both together leave what is kept. */
export function connectionsFor(descriptors: number, most: number): number {
  return Math.max(LEAST, Math.min(most, Math.floor((descriptors - KEPT) / 2)));
}

function readLimits(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return ""; // not Linux
  }
}
