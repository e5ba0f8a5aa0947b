import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { DerError, DerReader, TAG } from "./der.ts";
import * as der from "./der-writer.ts";

const over = (...bytes: readonly number[]): DerReader => DerReader.over(Buffer.from(bytes));

describe("the DER reader", () => {
  test.each<[string, () => unknown]>([
    ["an indefinite length", () => over(0x30, 0x80, 0, 0).read(TAG.sequence)],
    ["a length of four bytes", () => over(0x04, 0x84, 0, 0, 0, 1, 0).read(TAG.octetString)],
    ["a long form for a short length", () => over(0x04, 0x81, 0x01, 0).read(TAG.octetString)],
    [
      "a length with a leading zero",
      () => over(0x04, 0x82, 0x00, 0x80, ...Array.from({ length: 128 }, () => 0)).read(TAG.octetString),
    ],
    [
      "an element beyond its parent",
      () => over(0x30, 0x03, 0x04, 0x02, 0x00).nested(TAG.sequence).read(TAG.octetString),
    ],
    ["another tag", () => over(0x04, 0x00).read(TAG.sequence)],
    ["nothing", () => over().read(TAG.sequence)],
    ["a boolean of 1", () => over(0x01, 0x01, 0x01).boolean()],
    ["an empty boolean", () => over(0x01, 0x00).boolean()],
    ["an empty integer", () => over(0x02, 0x00).integer()],
    ["an integer with a leading zero", () => over(0x02, 0x02, 0x00, 0x01).integer()],
    ["an integer with leading ones", () => over(0x02, 0x02, 0xff, 0x80).integer()],
    ["a small integer below zero", () => over(0x02, 0x01, 0xff).smallInteger()],
    ["a small integer of five bytes", () => over(0x02, 0x05, 1, 0, 0, 0, 0).smallInteger()],
    ["an object identifier that ends early", () => over(0x06, 0x02, 0x2a, 0x86).oid()],
    ["an object identifier with a padded arc", () => over(0x06, 0x03, 0x2a, 0x80, 0x01).oid()],
    ["an empty object identifier", () => over(0x06, 0x00).oid()],
    [
      "an object identifier with a huge arc",
      () => over(0x06, 0x0a, 0x2a, ...Array.from({ length: 8 }, () => 0xff), 0x7f).oid(),
    ],
    ["a bit string with unused bits, where bytes are wanted", () => over(0x03, 0x02, 0x01, 0x80).bytesOfBits()],
    ["named bits with a trailing zero", () => over(0x03, 0x02, 0x06, 0x80).namedBits()],
    ["named bits whose unused bits are set", () => over(0x03, 0x02, 0x07, 0x81).namedBits()],
    ["named bits without bits and unused ones", () => over(0x03, 0x01, 0x01).namedBits()],
    ["eight unused bits", () => over(0x03, 0x02, 0x08, 0x80).namedBits()],
    ["a time with an offset", () => DerReader.over(der.element(TAG.utcTime, Buffer.from("261121120000+0000"))).time()],
    ["a time without seconds", () => DerReader.over(der.element(TAG.utcTime, Buffer.from("2611211200Z"))).time()],
    [
      "a time with a fraction",
      () => DerReader.over(der.element(TAG.generalizedTime, Buffer.from("20261121120000.5Z"))).time(),
    ],
    ["the 30th of February", () => DerReader.over(der.element(TAG.utcTime, Buffer.from("260230120000Z"))).time()],
    ["an hour of 24", () => DerReader.over(der.element(TAG.utcTime, Buffer.from("260221240000Z"))).time()],
    ["data after the end", () => over(0x30, 0x00, 0x00).finish()],
  ])("refuses %s", (_name, attempt) => {
    expect(attempt).toThrow(DerError);
  });

  test("reads what the writer writes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70_000 }), fc.uniqueArray(fc.nat(7)), (bytes, bits) => {
        expect(DerReader.over(der.octetString(bytes)).read(TAG.octetString)).toEqual(Buffer.from(bytes));
        expect(DerReader.over(der.bitString(bytes)).bytesOfBits()).toEqual(Buffer.from(bytes));
        const wanted = BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);
        const read = DerReader.over(der.unsigned(bytes)).integer();
        expect(BigInt(`0x0${read.toString("hex")}`)).toBe(wanted);
        expect(DerReader.over(der.namedBits(bits)).namedBits()).toEqual(new Set(bits));
      }),
      { numRuns: 200 },
    );
  });

  test("reads the object identifiers that the writer writes", () => {
    const arcs = fc.tuple(fc.nat(2), fc.nat(39), fc.array(fc.nat(2 ** 40), { maxLength: 8 }));
    fc.assert(
      fc.property(arcs, ([first, second, rest]) => {
        const dotted = [first, second, ...rest].join(".");
        expect(DerReader.over(der.oid(dotted)).oid()).toBe(dotted);
      }),
    );
    expect(DerReader.over(der.oid("2.999.3")).oid()).toBe("2.999.3");
  });

  test("reads the times that the writer writes, in whole seconds, on either side of 2050", () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1950, 0, 1), max: Date.UTC(9999, 11, 31) }), (ms) => {
        expect(DerReader.over(der.time(ms)).time()).toBe(Math.floor(ms / 1000) * 1000);
      }),
    );
    expect(der.time(Date.UTC(2049, 11, 31))[0]).toBe(TAG.utcTime);
    expect(der.time(Date.UTC(2050, 0, 1))[0]).toBe(TAG.generalizedTime);
  });
});
