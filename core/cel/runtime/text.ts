import { charge } from "../budget.ts";

/** How many code points a string has. A surrogate without its partner counts as one. */
export function codePoints(text: string): number {
  const length = text.length;
  charge(length >>> 8);
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
