/** Names with `*` for any run of characters, as the language's own glob reads them. */
import { matchGlob } from "../cel/pure/glob.ts";

export type Matcher = (subject: string) => boolean;

/** A matcher for any of several patterns. Only `*` is special. */
export function anyGlob(patterns: readonly string[]): Matcher {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
  const globs = patterns.filter((pattern) => pattern.includes("*"));
  if (globs.includes("*")) return () => true;
  return (subject) => exact.has(subject) || globs.some((pattern) => matchGlob(subject, pattern));
}
