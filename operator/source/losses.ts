/** What a change takes away: where there is such, the change may be the first half of a file that is being written. */
import { resourceKey, type Known, type Located } from "../../core/api/index.ts";

export interface Loss {
  /** In words: `LlmPolicy inference/llama`, or a part of it, `LlmPolicy inference/llama spec.rules no-preview`. */
  readonly what: string;
  /** Where it stood. */
  readonly file: string;
}

const MAX_LOSSES = 20;

/** Documents, list items, fields and ends of texts that were there and are not any more; the first 20. */
export function lossesOf(
  before: ReadonlyMap<string, Located<Known>>,
  now: ReadonlyMap<string, Located<Known>>,
): readonly Loss[] {
  const losses: Loss[] = [];
  for (const [key, { resource, position }] of before) {
    if (losses.length >= MAX_LOSSES) break;
    const { file } = position;
    const after = now.get(key)?.resource;
    if (after === undefined) losses.push({ what: resourceKey(resource), file });
    else {
      const part = missing(resource, after, "");
      if (part !== undefined) losses.push({ what: `${key} ${part}`, file });
    }
  }
  return losses;
}

/** The first part that `now` lacks; undefined if it has all. Resources are bounded in depth and size by their reader. */
function missing(before: unknown, now: unknown, path: string): string | undefined {
  if (typeof before === "string") {
    return typeof now === "string" && now.length < before.length && before.startsWith(now) ? path : undefined;
  }
  if (typeof before !== "object" || before === null) return undefined;
  if (typeof now !== "object" || now === null) return path;
  if (Array.isArray(before)) return Array.isArray(now) ? missingItem(before, now, path) : path;
  const after = new Map<string, unknown>(Object.entries(now));
  for (const [key, value] of Object.entries(before)) {
    const inner = path === "" ? key : `${path}.${key}`;
    if (!after.has(key)) return inner;
    const part = missing(value, after.get(key), inner);
    if (part !== undefined) return part;
  }
  return undefined;
}

function missingItem(before: readonly unknown[], now: readonly unknown[], path: string): string | undefined {
  for (const [i, value] of before.entries()) {
    const name = nameOf(value);
    const after = name === undefined ? now[i] : now.find((item) => nameOf(item) === name);
    if (name !== undefined && after === undefined) return `${path} ${name}`;
    if (after === undefined) return path;
    const part = missing(value, after, `${path}[${name ?? String(i)}]`);
    if (part !== undefined) return part;
  }
  return undefined;
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("name" in value)) return undefined;
  return typeof value.name === "string" ? value.name : undefined;
}
