import { beforeAll, describe, expect, test } from "@jest/globals";
import { Buffer } from "node:buffer";
import { bundleOf, bundlesOf } from "./bundle.ts";
import { readBundleDocument, writeBundleDocument } from "./jwks.ts";
import { PeerCache } from "./peer-cache.ts";
import { certificatesFromPem, certificatesToPem } from "./pem.ts";
import { bundlesWith, cook, HOUR, leafRecipe, NOW, p256, rootRecipe, type KeyPair } from "./testing.ts";

let keys: KeyPair;
let root: Buffer;
let other: Buffer;

beforeAll(() => {
  keys = p256();
  root = cook(rootRecipe(keys, "root"));
  other = cook(rootRecipe(p256(), "other"));
});

const bundle = (...roots: readonly Buffer[]): ReturnType<typeof bundleOf> => bundleOf("example.local", roots);

describe("a bundle", () => {
  test("is named by its content, in any order", () => {
    const [one, two, three] = [bundle(root, other), bundle(other, root), bundle(root)];
    if (!one.ok || !two.ok || !three.ok) throw new Error("unreadable");
    expect(one.bundle.version).toBe(two.bundle.version);
    expect(one.bundle.version).not.toBe(three.bundle.version);
  });

  test("is refused for a root that is none, and for a name that is no trust domain", () => {
    const leaf = cook(leafRecipe(p256(), keys, "root"));
    expect(bundle(leaf)).toMatchObject({
      ok: false,
      message: 'the bundle of "example.local" has a root (1) that is not a CA certificate',
    });
    expect(bundle(Buffer.from("x"))).toMatchObject({ ok: false });
    expect(bundleOf("Example.local", [root])).toMatchObject({ ok: false });
    expect(bundle(...Array.from({ length: 65 }, () => root))).toMatchObject({ ok: false });
  });

  test("is read from a snapshot", () => {
    const reading = bundlesOf({ "example.local": [root.toString("base64")], "empty.local": [] });
    if (!reading.ok) throw new Error(reading.message);
    expect([...reading.bundles.keys()]).toEqual(["example.local", "empty.local"]);
    expect(bundlesOf({ "example.local": ["AAAA"] })).toMatchObject({ ok: false });
  });
});

describe("a bundle document", () => {
  const readBack = (json: string): ReturnType<typeof readBundleDocument> => readBundleDocument(json, "example.local");

  test("is read as it was written, with a sequence beyond JavaScript's numbers", () => {
    const made = bundle(root, other);
    if (!made.ok) throw new Error(made.message);
    const document = { bundle: made.bundle, sequence: 2n ** 64n - 1n, refreshHintSeconds: 300 };
    const reading = readBack(writeBundleDocument(document));
    if (!reading.ok) throw new Error(reading.message);
    expect(reading.document.sequence).toBe(2n ** 64n - 1n);
    expect(reading.document.refreshHintSeconds).toBe(300);
    expect(reading.document.bundle.version).toBe(made.bundle.version);
  });

  test("has for each root its key and exactly one certificate, and no kid", () => {
    const made = bundle(root);
    if (!made.ok) throw new Error(made.message);
    const { keys: written } = JSON.parse(writeBundleDocument({ bundle: made.bundle })) as { keys: object[] };
    expect(written).toEqual([
      { ...keys.publicKey.export({ format: "jwk" }), use: "x509-svid", x5c: [root.toString("base64")] },
    ]);
  });

  test("ignores keys that it does not know, and takes an empty list for everything revoked", () => {
    const unknown = [
      { kty: "EC", use: "jwt-svid", kid: "a" },
      { kty: "EC", use: "future" },
      { use: "x509-svid", x5c: ["AA=="] },
      { kty: "EC" },
      null,
      7,
    ];
    for (const list of [[], unknown]) {
      const reading = readBack(JSON.stringify({ keys: list }));
      expect(reading).toMatchObject({ ok: true, document: { bundle: { roots: [] } } });
    }
  });

  test.each<[string, () => string]>([
    ["what is not JSON", () => "keys"],
    ["no keys", () => "{}"],
    ["keys that are no list", () => '{"keys":{}}'],
    ["two certificates for a key", () => documentOf({ x5c: [root.toString("base64"), root.toString("base64")] })],
    ["no certificate for a key", () => documentOf({})],
    ["a certificate that is none", () => documentOf({ x5c: ["AAAA"] })],
    ["a certificate in another alphabet", () => documentOf({ x5c: [root.toString("base64url").replaceAll("A", "_")] })],
    ["a kid", () => documentOf({ kid: "a", x5c: [root.toString("base64")] })],
    ["a negative sequence", () => '{"keys":[],"spiffe_sequence":-1}'],
    ["a sequence with a fraction", () => '{"keys":[],"spiffe_sequence":1.5}'],
    ["a sequence of 65 bits", () => '{"keys":[],"spiffe_sequence":18446744073709551616}'],
    ["a sequence in words", () => '{"keys":[],"spiffe_sequence":"1"}'],
    ["a refresh hint below zero", () => '{"keys":[],"spiffe_refresh_hint":-1}'],
  ])("is refused for %s", (_name, json) => {
    expect(readBack(json())).toMatchObject({ ok: false });
  });

  function documentOf(members: object): string {
    return JSON.stringify({ keys: [{ kty: "EC", use: "x509-svid", ...members }] });
  }
});

describe("PEM", () => {
  test("is read as it was written, past comments and other blocks", () => {
    const text = `subject=root\n${certificatesToPem([root])}\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${certificatesToPem([other])}`;
    expect(certificatesFromPem(text)).toEqual([root, other]);
    expect(certificatesFromPem(text.replaceAll("\n", "\r\n"))).toEqual([root, other]);
    expect(certificatesFromPem("")).toEqual([]);
  });

  test("is refused without an end, or with what is not base64", () => {
    const pem = certificatesToPem([root]);
    expect(() => certificatesFromPem(pem.slice(0, -30))).toThrow("no end");
    expect(() => certificatesFromPem(pem.replace("MII", "M*I"))).toThrow("not in base64");
  });
});

describe("the cache of peers", () => {
  test("gives the same peer for the same chain, until its bundle changes or its time is over", () => {
    const chain = [cook(leafRecipe(p256(), keys, "root"))];
    const bundles = bundlesWith("example.local", root);
    const cache = new PeerCache();
    const first = cache.validate(chain, bundles, NOW);
    if (!first.ok) throw new Error(first.message);
    const again = cache.validate([Buffer.from(chain[0]!)], bundlesWith("example.local", root), NOW + 1000);
    expect(again.ok && again.peer === first.peer).toBe(true);
    expect(cache.validate(chain, bundlesWith("example.local", other), NOW)).toMatchObject({
      code: "identity_untrusted",
    });
    expect(cache.validate(chain, new Map(), NOW)).toMatchObject({ code: "trust_domain_unknown" });
    expect(cache.validate(chain, bundles, NOW + 2 * HOUR)).toMatchObject({ code: "identity_expired" });
    expect(cache.validate(chain, bundles, NOW - 2 * HOUR)).toMatchObject({ code: "identity_not_yet_valid" });
    expect(cache.size).toBe(0);
  });

  test("remembers no refusal, and no more than it may", () => {
    const cache = new PeerCache(2);
    const bundles = bundlesWith("example.local", root);
    cache.validate([], bundles, NOW);
    cache.validate([Buffer.from("x")], bundles, NOW);
    expect(cache.size).toBe(0);
    for (let i = 0; i < 4; i++) cache.validate([cook(leafRecipe(keys, keys, "root"))], bundles, NOW);
    expect(cache.size).toBe(2);
  });
});
