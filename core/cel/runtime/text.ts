import { charge, chargeText } from "../budget.ts";
import type { ListValue, Value } from "../values.ts";

/** Up to this length, in UTF-16 units, comparing text costs less than counting what it costs. */
export const SHORT_TEXT = 256;

/** Whether two strings are the same. */
export function sameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  if (a.length > SHORT_TEXT) chargeText(a.length);
  return a === b;
}

export function startsWith(text: string, part: string): boolean {
  if (part.length > SHORT_TEXT) chargeText(part.length);
  return text.startsWith(part);
}

export function endsWith(text: string, part: string): boolean {
  if (part.length > SHORT_TEXT) chargeText(part.length);
  return text.endsWith(part);
}

/** Whether a list of strings or of bools has one. */
export function includes(list: ListValue, value: Value): boolean {
  charge(list.length >>> 2);
  return list.includes(value);
}

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
