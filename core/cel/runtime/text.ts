import { charge } from "../budget.ts";

const SURROGATE = /[\ud800-\udbff]/;

/** How many code points a string has. A surrogate without its partner counts as one. */
export function codePoints(text: string): number {
  const length = text.length;
  charge(length >>> 4);
  // V8 knows that a string of Latin letters has no surrogates, so this costs nothing there.
  if (length > 32 && !SURROGATE.test(text)) return length;
  let count = length;
  for (let i = 0; i < length - 1; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next <= 0xdfff) {
        count--;
        i++;
      }
    }
  }
  return count;
}
