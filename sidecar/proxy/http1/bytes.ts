/** Character classes of HTTP/1.1 (RFC 9110 section 5.6.2, RFC 9112), as tables over code units below 128. */

/** tchar: what a method or a field name is made of. */
export const TOKEN: Uint8Array = table("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
/** Visible ASCII, space and tab: what we take in a field value. obs-text (0x80–0xff) is refused: no client of ours needs it. */
export const FIELD_VALUE: Uint8Array = range(0x20, 0x7e, "\t");
/** What we take in an origin-form target: visible ASCII without `"`, `#`, `<`, `>`, `\`, `^`, backquote, `{`, `|`, `}`. */
export const TARGET: Uint8Array = range(0x21, 0x7e, "", '"#<>\\^`{|}');

function table(characters: string): Uint8Array {
  const classes = new Uint8Array(128);
  for (let i = 0; i < characters.length; i++) classes[characters.charCodeAt(i)] = 1;
  return classes;
}

function range(from: number, to: number, and: string, without = ""): Uint8Array {
  const classes = table(and);
  for (let code = from; code <= to; code++) if (!without.includes(String.fromCharCode(code))) classes[code] = 1;
  return classes;
}

/** Whether every code unit of text[start, end) is of a class. */
export function all(text: string, start: number, end: number, of: Uint8Array): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code > 127 || of[code] === 0) return false;
  }
  return true;
}
