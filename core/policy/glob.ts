/** Names with `*` for any run of characters, compiled: linear in the subject, whatever the pattern. */

export type Matcher = (subject: string) => boolean;

/** A matcher for one pattern. Only `*` is special. */
export function glob(pattern: string): Matcher {
  if (!pattern.includes("*")) return (subject) => subject === pattern;
  if (pattern === "*") return () => true;
  const parts = pattern.split("*");
  const first = parts[0] as string;
  const last = parts.at(-1) as string;
  const middle = parts.slice(1, -1).filter((part) => part !== "");
  return (subject) => {
    if (subject.length < first.length + last.length || !subject.startsWith(first) || !subject.endsWith(last))
      return false;
    // Leftmost matches of the parts in between leave the most room for the next: no backtracking is needed.
    let at = first.length;
    const end = subject.length - last.length;
    for (const part of middle) {
      const found = subject.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

/** A matcher for any of several patterns. */
export function anyGlob(patterns: readonly string[]): Matcher {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
  const globs = patterns.filter((pattern) => pattern.includes("*")).map(glob);
  return (subject) => exact.has(subject) || globs.some((matches) => matches(subject));
}
