import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { findUtf8Fault } from "./utf8-fault.ts";

/** The platform's decoder, fed byte by byte: it throws on the first that cannot go on. */
function reference(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let i = 0; i < bytes.length; i++) {
    try {
      decoder.decode(bytes.subarray(i, i + 1), { stream: true });
    } catch {
      return i;
    }
  }
  return bytes.length;
}

test.each([
  [[0x22, 0xff, 0x22], 1],
  [[0x22, 0xc0, 0xaf, 0x22], 1],
  [[0x22, 0xed, 0xa0, 0x80, 0x22], 2],
  [[0xf4, 0x90, 0x80, 0x80], 1],
  [[0xe2, 0x82, 0x22], 2],
  [[0x61, 0xe2, 0x82], 3],
])("%j stops being UTF-8 at byte %d", (bytes, offset) => {
  expect(findUtf8Fault(Buffer.from(bytes)).offset).toBe(offset);
});

test("the line is counted", () => {
  expect(findUtf8Fault(Buffer.from([0x61, 0x0a, 0x0a, 0x62, 0xff])).line).toBe(3);
});

test("the place is the one where the platform's decoder stops", () => {
  const byte = fc.oneof(
    fc.nat(255),
    fc.constantFrom(0x61, 0x80, 0xbf, 0xc2, 0xe0, 0xa0, 0xed, 0x9f, 0xf0, 0x90, 0xf4, 0x8f),
  );
  const property = fc.property(fc.array(byte, { maxLength: 24 }), (values) => {
    const bytes = Buffer.from(values);
    expect(findUtf8Fault(bytes).offset).toBe(reference(bytes));
  });
  fc.assert(property, { numRuns: 5000 });
});
