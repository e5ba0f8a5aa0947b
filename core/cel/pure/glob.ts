/** Longest pattern accepted. */
export const MAX_GLOB = 512;

/**
 * Whether a text matches a pattern in which * stands for any characters, none included, and every other character
 * for itself. Each part between stars is sought once, from the left: time grows with the text's length times that
 * of the longest part at worst.
 */
export function matchGlob(text: string, pattern: string): boolean {
  const first = pattern.indexOf("*");
  if (first < 0) return text === pattern;
  if (!text.startsWith(pattern.slice(0, first))) return false;
  const last = pattern.lastIndexOf("*");
  const suffix = pattern.slice(last + 1);
  const end = text.length - suffix.length;
  let at = first;
  let from = first + 1;
  while (from <= last) {
    const star = pattern.indexOf("*", from);
    const part = pattern.slice(from, star);
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
    from = star + 1;
  }
  return end >= at && text.endsWith(suffix);
}
