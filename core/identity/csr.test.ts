import { beforeAll, describe, expect, test } from "@jest/globals";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, sign, webcrypto } from "node:crypto";
import { lacking, testUnless } from "../../test/support/skips.ts";
import { createSigningRequest, MAX_CSR_BYTES, readSigningRequest } from "./csr.ts";
import { DerReader, TAG } from "./der.ts";
import * as der from "./der-writer.ts";
import { OID } from "./oids.ts";
import { p256, uris, type KeyPair } from "./testing.ts";

x509.cryptoProvider.set(webcrypto);

let keys: KeyPair;
let csr: Buffer;

beforeAll(() => {
  keys = p256();
  csr = createSigningRequest(keys.publicKey, keys.privateKey);
});

/** A request with these attributes, signed. */
function withAttributes(...attributes: readonly Uint8Array[]): Buffer {
  const info = keys.publicKey.export({ format: "der", type: "spki" });
  return signed(der.sequence(der.unsigned(Buffer.from([0])), der.sequence(), info, der.element(0xa0, ...attributes)));
}

function signed(body: Buffer, algorithm: string = OID.ecdsaWithSHA256): Buffer {
  return der.sequence(body, der.sequence(der.oid(algorithm)), der.bitString(sign("sha256", body, keys.privateKey)));
}

describe("a signing request", () => {
  test("is read as it was made, and asks for nothing", () => {
    const reading = readSigningRequest(csr);
    if (!reading.ok) throw new Error(reading.message);
    const { request } = reading;
    expect(request.publicKeyInfo).toEqual(keys.publicKey.export({ format: "der", type: "spki" }));
    expect([request.hasSubject, request.extensions, request.otherAttributes]).toEqual([false, undefined, []]);
  });

  test("is good to another library", async () => {
    expect(await new x509.Pkcs10CertificateRequest(csr).verify()).toBe(true);
  });

  testUnless(lacking("openssl", "version"))("is good to OpenSSL", () => {
    const output = execFileSync("openssl", ["req", "-inform", "DER", "-verify", "-noout"], {
      input: csr,
      stdio: ["pipe", "pipe", "pipe"],
    });
    expect(output.toString()).toBe("");
  });

  test("of another library is read, with what it asks for", async () => {
    const foreign = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]);
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: "CN=somebody",
      keys: foreign,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      extensions: [
        new x509.BasicConstraintsExtension(true, 3, true),
        new x509.SubjectAlternativeNameExtension([
          { type: "url", value: "spiffe://example.local/a" },
          { type: "dns", value: "a.example" },
        ]),
      ],
      attributes: [new x509.ChallengePasswordAttribute("hunter2")],
    });
    const reading = readSigningRequest(new Uint8Array(request.rawData));
    if (!reading.ok) throw new Error(reading.message);
    expect(reading.request.hasSubject).toBe(true);
    expect(reading.request.otherAttributes).toEqual(["1.2.840.113549.1.9.7"]);
    expect(reading.request.extensions).toMatchObject({
      basicConstraints: { ca: true, pathLength: 3 },
      subjectAltName: { uris: ["spiffe://example.local/a"], others: 1 },
    });
  });

  test.each<[string, string, () => Buffer]>([
    ["somebody else's key", "csr_signature", () => createSigningRequest(p256().publicKey, keys.privateKey)],
    ["another algorithm", "csr_signature", () => signed(bodyOf(csr), OID.ecdsaWithSHA384)],
    ["an RSA key", "csr_key", () => rsa()],
    ["a key on P-384", "csr_key", () => other("P-384")],
    ["a key on secp256k1", "csr_key", () => other("secp256k1")],
    ["a point that is not on the curve", "csr_key", () => offCurve()],
    ["two lists of extensions", "csr_malformed", () => withAttributes(extensionsAttribute(), extensionsAttribute())],
    [
      "an empty list of extensions",
      "csr_malformed",
      () => withAttributes(der.sequence(der.oid(OID.extensionRequest), der.setOf(der.sequence()))),
    ],
    ["data after its end", "csr_malformed", () => Buffer.concat([csr, Buffer.from([0])])],
    ["too many bytes", "csr_malformed", () => Buffer.alloc(MAX_CSR_BYTES + 1)],
    ["no bytes", "csr_malformed", () => Buffer.alloc(0)],
  ])("is refused for %s", (_name, code, make) => {
    expect(readSigningRequest(make())).toMatchObject({ ok: false, code });
  });

  test("is refused for any changed bit, and never fails in another way", () => {
    for (let bit = 0; bit < csr.length * 8; bit++) {
      const changed = Buffer.from(csr);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(readSigningRequest(changed).ok).toBe(false);
    }
  });

  test("is refused for garbage, cut and spliced requests", () => {
    fc.assert(
      fc.property(fc.nat(csr.length), fc.nat(csr.length), fc.uint8Array({ maxLength: 40 }), (from, to, junk) => {
        const spliced = Buffer.concat([csr.subarray(0, from), junk, csr.subarray(to)]);
        return spliced.equals(csr) || !readSigningRequest(spliced).ok;
      }),
      { numRuns: 3000 },
    );
  });
});

function bodyOf(request: Buffer): Buffer {
  return DerReader.over(request).nested(TAG.sequence).readWhole(TAG.sequence);
}

function rsa(): Buffer {
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return createSigningRequest(pair.publicKey, pair.privateKey);
}

function other(namedCurve: string): Buffer {
  const pair = generateKeyPairSync("ec", { namedCurve });
  return createSigningRequest(pair.publicKey, pair.privateKey);
}

function offCurve(): Buffer {
  const info = Buffer.from(keys.publicKey.export({ format: "der", type: "spki" }));
  info[info.length - 1]! ^= 1;
  return signed(der.sequence(der.unsigned(Buffer.from([0])), der.sequence(), info, der.element(0xa0)));
}

function extensionsAttribute(): Buffer {
  const extension = der.sequence(der.oid(OID.subjectAltName), der.octetString(uris("spiffe://example.local/a")));
  return der.sequence(der.oid(OID.extensionRequest), der.setOf(der.sequence(extension)));
}
