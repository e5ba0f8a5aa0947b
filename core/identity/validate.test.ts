import { beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import * as der from "./der-writer.ts";
import { isVerifiedPeer, validatePeer } from "./index.ts";
import type { Bundles } from "./index.ts";
import { KEY_USAGE, OID } from "./oids.ts";
import {
  bundlesWith,
  constraints,
  cook,
  HOUR,
  leafRecipe,
  NOW,
  p256,
  purposes,
  read,
  rootRecipe,
  uris,
  usage,
} from "./testing.ts";
import type { KeyPair, Recipe } from "./testing.ts";

const ID = "spiffe://example.local/ns/apps/sa/chat";
const TRUST_DOMAIN = "example.local";
let rootKeys: KeyPair;
let middleKeys: KeyPair;
let leafKeys: KeyPair;
let root: Buffer;
let bundles: Bundles;

beforeAll(() => {
  rootKeys = p256();
  middleKeys = p256();
  leafKeys = p256();
  root = cook(rootRecipe(rootKeys, "root"));
  bundles = bundlesWith(TRUST_DOMAIN, root);
});

const leaf = (change: Partial<Recipe> = {}): Buffer => cook(leafRecipe(leafKeys, rootKeys, "root", change));
const extension = (name: string, value: Recipe["extensions"][string]): Partial<Recipe> => ({
  extensions: { [name]: value },
});
const critical = (value: Uint8Array): Recipe["extensions"][string] => ({ critical: true, value });
const plain = (value: Uint8Array): Recipe["extensions"][string] => ({ critical: false, value });

describe("a peer", () => {
  test("is verified by a leaf that keeps every rule", () => {
    const chain = [leaf()];
    const result = validatePeer(chain, bundles, NOW);
    if (!result.ok) throw new Error(result.message);
    expect(result.peer.id).toEqual({ uri: ID, trustDomain: TRUST_DOMAIN, path: "/ns/apps/sa/chat" });
    expect(result.peer.notAfter).toBe(NOW + HOUR);
    expect(result.peer.notBefore).toBe(NOW - HOUR);
    expect(result.peer.fingerprint).toBe(read(chain[0]!).fingerprint);
    expect(isVerifiedPeer(result.peer)).toBe(true);
    expect(isVerifiedPeer(Object.assign({}, result.peer))).toBe(false);
  });

  test("ends when the first certificate of its path does", () => {
    const short = cook(rootRecipe(rootKeys, "root", { notAfter: NOW + 1000 }));
    const result = validatePeer([leaf()], bundlesWith(TRUST_DOMAIN, short), NOW);
    expect(result).toMatchObject({ ok: true, peer: { notAfter: NOW + 1000 } });
  });

  test.each<[string, () => Partial<Recipe>]>([
    [
      "a subject",
      () => ({ subject: der.sequence(der.setOf(der.sequence(der.oid(OID.commonName), der.utf8String("chat")))) }),
    ],
    [
      "a subject, and names that are not critical",
      () => ({ subject: subjectNamed(), ...extension("subjectAltName", plain(uris(ID))) }),
    ],
    [
      "DNS and address names beside its ID",
      () =>
        extension(
          "subjectAltName",
          critical(
            der.sequence(
              der.implicit(2, Buffer.from("localhost")),
              der.implicit(6, Buffer.from(ID)),
              der.implicit(7, Buffer.from([127, 0, 0, 1])),
            ),
          ),
        ),
    ],
    ["no extended key usage", () => extension("extendedKeyUsage", null)],
    ["no basic constraints", () => extension("basicConstraints", null)],
    [
      "an extension that is not known and not critical",
      () => ({ oids: { other: "1.2.3.4" }, ...extension("other", plain(der.sequence())) }),
    ],
    ["a key for key agreement too", () => extension("keyUsage", critical(usage(0, 4)))],
  ])("is verified by a leaf with %s", (_name, change) => {
    expect(validatePeer([leaf(change())], bundles, NOW)).toMatchObject({ ok: true });
  });

  test.each<[string, string, () => Partial<Recipe>]>([
    ["no names at all", "identity_invalid", () => extension("subjectAltName", null)],
    [
      "no URI among its names",
      "identity_invalid",
      () => extension("subjectAltName", critical(der.sequence(der.implicit(2, Buffer.from("a.example"))))),
    ],
    ["two URIs", "identity_invalid", () => extension("subjectAltName", critical(uris(ID, "spiffe://example.local/b")))],
    ["the same URI twice", "identity_invalid", () => extension("subjectAltName", critical(uris(ID, ID)))],
    [
      "a URI of another scheme",
      "identity_invalid",
      () => extension("subjectAltName", critical(uris("https://example.local/ns/apps/sa/chat"))),
    ],
    [
      "an ID without a path",
      "identity_invalid",
      () => extension("subjectAltName", critical(uris("spiffe://example.local"))),
    ],
    ["an ID with a trailing slash", "identity_invalid", () => extension("subjectAltName", critical(uris(`${ID}/`)))],
    [
      "an ID in upper case",
      "identity_invalid",
      () => extension("subjectAltName", critical(uris("spiffe://EXAMPLE.local/x"))),
    ],
    [
      "an ID with a port",
      "identity_invalid",
      () => extension("subjectAltName", critical(uris("spiffe://example.local:443/x"))),
    ],
    ["a zero byte in its ID", "identity_malformed", () => extension("subjectAltName", critical(uris(`${ID}\0.evil`)))],
    [
      "an empty subject and names that are not critical",
      "identity_invalid",
      () => extension("subjectAltName", plain(uris(ID))),
    ],
    ["cA true", "identity_invalid", () => extension("basicConstraints", critical(constraints(true)))],
    [
      "a path length without cA",
      "identity_invalid",
      () => extension("basicConstraints", critical(constraints(false, 0))),
    ],
    ["no key usage", "identity_invalid", () => extension("keyUsage", null)],
    ["a key usage that is not critical", "identity_invalid", () => extension("keyUsage", plain(usage(0)))],
    ["a key usage without digitalSignature", "identity_invalid", () => extension("keyUsage", critical(usage(4)))],
    ["keyCertSign", "identity_invalid", () => extension("keyUsage", critical(usage(0, KEY_USAGE.keyCertSign)))],
    ["cRLSign", "identity_invalid", () => extension("keyUsage", critical(usage(0, KEY_USAGE.cRLSign)))],
    ["no clientAuth", "identity_invalid", () => extension("extendedKeyUsage", plain(purposes(OID.serverAuth)))],
    ["no serverAuth", "identity_invalid", () => extension("extendedKeyUsage", plain(purposes(OID.clientAuth)))],
    [
      "other purposes",
      "identity_invalid",
      () => extension("extendedKeyUsage", critical(purposes("1.3.6.1.5.5.7.3.4"))),
    ],
    [
      "a critical extension that is not known",
      "identity_untrusted",
      () => ({ oids: { other: "1.2.3.4" }, ...extension("other", critical(der.sequence())) }),
    ],
    [
      "a trust domain that is not known",
      "trust_domain_unknown",
      () => extension("subjectAltName", critical(uris("spiffe://other.local/ns/apps/sa/chat"))),
    ],
    ["an end in the past", "identity_expired", () => ({ notAfter: NOW - 1000 })],
    ["a beginning in the future", "identity_not_yet_valid", () => ({ notBefore: NOW + 1000 })],
    ["another's signature", "identity_untrusted", () => ({ signer: leafKeys })],
    ["an issuer of another name", "identity_untrusted", () => ({ issuer: subjectNamed() })],
    [
      "two signature algorithms",
      "identity_malformed",
      () => ({ outerAlgorithm: der.sequence(der.oid(OID.ecdsaWithSHA384)) }),
    ],
    ["a signature by an algorithm that is not accepted", "identity_untrusted", () => sha1()],
    ["a hash other than its algorithm's", "identity_untrusted", () => ({ digest: "sha384" })],
    ["version 1", "identity_malformed", () => ({ version: 0, extensions: none() })],
    ["version 2", "identity_malformed", () => ({ version: 1 })],
    ["a negative serial number", "identity_malformed", () => ({ serial: Buffer.from([0x80]) })],
    ["a serial number of 21 bytes", "identity_malformed", () => ({ serial: Buffer.alloc(21, 1) })],
    [
      "an RSA key of 1024 bits",
      "identity_invalid",
      () => ({ keys: generateKeyPairSync("rsa", { modulusLength: 1024 }) }),
    ],
    [
      "a key on secp256k1",
      "identity_invalid",
      () => ({ keys: generateKeyPairSync("ec", { namedCurve: "secp256k1" }) }),
    ],
  ])("is refused for %s", (_name, code, change) => {
    const result = validatePeer([leaf(change())], bundles, NOW);
    expect(result).toMatchObject({ ok: false, code });
  });

  test("is refused for an extension that is there twice", () => {
    const change = { oids: { again: OID.subjectAltName }, ...extension("again", critical(uris(ID))) };
    expect(validatePeer([leaf(change)], bundles, NOW)).toMatchObject({ code: "identity_malformed" });
  });

  test("is refused without a certificate, with too many, and with what is none", () => {
    expect(validatePeer([], bundles, NOW)).toMatchObject({ code: "identity_missing" });
    expect(
      validatePeer(
        Array.from({ length: 9 }, () => leaf()),
        bundles,
        NOW,
      ),
    ).toMatchObject({ code: "identity_malformed" });
    expect(validatePeer([Buffer.from("hello")], bundles, NOW)).toMatchObject({ code: "identity_malformed" });
    expect(validatePeer([Buffer.concat([leaf(), Buffer.from([0])])], bundles, NOW)).toMatchObject({
      code: "identity_malformed",
    });
    expect(validatePeer([Buffer.alloc(40_000)], bundles, NOW)).toMatchObject({ code: "identity_malformed" });
    expect(validatePeer([leaf(), Buffer.from("hello")], bundles, NOW)).toMatchObject({ code: "identity_malformed" });
  });

  test("is told both clocks when the times do not fit", () => {
    const result = validatePeer([leaf({ notAfter: NOW - 1000 })], bundles, NOW);
    expect(result).toMatchObject({
      message: "the certificate ended at 2026-11-21T11:59:59.000Z, and the time here is 2026-11-21T12:00:00.000Z",
    });
  });

  test("is never vouched for by another trust domain's root", () => {
    const foreign = cook(rootRecipe(rootKeys, "root"));
    const other = cook(rootRecipe(middleKeys, "other"));
    const both = new Map([...bundlesWith("other.local", foreign), ...bundlesWith(TRUST_DOMAIN, other)]);
    expect(validatePeer([leaf()], both, NOW)).toMatchObject({ code: "identity_untrusted" });
  });

  test("is refused where its bundle is empty: everything is revoked", () => {
    expect(validatePeer([leaf()], bundlesWith(TRUST_DOMAIN), NOW)).toMatchObject({ code: "identity_untrusted" });
  });
});

describe("a chain that was tampered with", () => {
  test("is refused for any changed bit", () => {
    const good = leaf();
    for (let bit = 0; bit < good.length * 8; bit++) {
      const changed = Buffer.from(good);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(validatePeer([changed], bundles, NOW).ok).toBe(false);
    }
  });

  test("is refused when it is cut or spliced, and never fails in another way", () => {
    const good = leaf();
    const place = fc.nat(good.length);
    fc.assert(
      fc.property(place, place, fc.uint8Array({ maxLength: 40 }), (from, to, junk) => {
        const spliced = Buffer.concat([good.subarray(0, from), junk, good.subarray(to)]);
        return spliced.equals(good) || !validatePeer([spliced], bundles, NOW).ok;
      }),
      { numRuns: 3000 },
    );
  });
});

describe("a path", () => {
  const middle = (change: Partial<Recipe> = {}): Buffer =>
    cook(
      rootRecipe(middleKeys, "middle", { signer: rootKeys, issuer: rootRecipe(rootKeys, "root").subject, ...change }),
    );
  const below = (change: Partial<Recipe> = {}): Buffer => cook(leafRecipe(leafKeys, middleKeys, "middle", change));

  test("goes through an intermediate, in any order, past what is not needed", () => {
    const stranger = cook(rootRecipe(p256(), "stranger"));
    for (const rest of [[middle()], [stranger, middle()], [middle(), root], [root, stranger, middle()]]) {
      expect(validatePeer([below(), ...rest], bundles, NOW)).toMatchObject({ ok: true });
    }
  });

  test("is not there without the intermediate, nor with one that nobody signed", () => {
    expect(validatePeer([below()], bundles, NOW)).toMatchObject({ code: "identity_untrusted" });
    const own = middle({ signer: middleKeys });
    expect(validatePeer([below(), own], bundles, NOW)).toMatchObject({ code: "identity_untrusted" });
  });

  test("finds the right one of two authorities of the same name", () => {
    const twin = p256();
    const impostor = cook(
      rootRecipe(twin, "middle", { signer: rootKeys, issuer: rootRecipe(rootKeys, "root").subject }),
    );
    expect(validatePeer([below(), impostor, middle()], bundles, NOW)).toMatchObject({ ok: true });
  });

  test("costs no more than sixteen signatures, however hostile the chain", () => {
    const same = (name: string): Partial<Recipe> => ({
      signer: middleKeys,
      issuer: rootRecipe(rootKeys, name).subject,
    });
    const loop = Array.from({ length: 7 }, () => cook(rootRecipe(middleKeys, "middle", same("middle"))));
    const start = performance.now();
    expect(validatePeer([below(), ...loop], bundles, NOW)).toMatchObject({ code: "identity_untrusted" });
    expect(performance.now() - start).toBeLessThan(500);
  });

  test.each<[string, string, () => Partial<Recipe>]>([
    ["is no CA", "identity_untrusted", () => extension("basicConstraints", critical(constraints(false)))],
    ["has no basic constraints", "identity_untrusted", () => extension("basicConstraints", null)],
    ["may not sign certificates", "identity_untrusted", () => extension("keyUsage", critical(usage(0)))],
    ["has no key usage", "identity_untrusted", () => extension("keyUsage", null)],
    ["has ended", "identity_expired", () => ({ notAfter: NOW - 1000 })],
    ["has not begun", "identity_not_yet_valid", () => ({ notBefore: NOW + 1000 })],
    [
      "is for servers alone",
      "identity_untrusted",
      () => extension("extendedKeyUsage", plain(purposes(OID.serverAuth))),
    ],
    ["has name constraints", "identity_untrusted", () => extension("nameConstraints", critical(der.sequence()))],
    [
      "has name constraints that are not critical",
      "identity_untrusted",
      () => extension("nameConstraints", plain(der.sequence())),
    ],
    [
      "has a critical extension that is not known",
      "identity_untrusted",
      () => ({ oids: { other: "1.2.3.4" }, ...extension("other", critical(der.sequence())) }),
    ],
    [
      "belongs to another trust domain",
      "identity_untrusted",
      () => extension("subjectAltName", plain(uris("spiffe://other.local"))),
    ],
    [
      "has a key on secp256k1",
      "identity_untrusted",
      () => ({ keys: generateKeyPairSync("ec", { namedCurve: "secp256k1" }) }),
    ],
  ])("does not go through an intermediate that %s", (_name, code, change) => {
    const choice = change();
    const keys = choice.keys ?? middleKeys;
    const chain = [cook(leafRecipe(leafKeys, keys, "middle")), middle(choice)];
    expect(validatePeer(chain, bundles, NOW)).toMatchObject({ ok: false, code });
  });

  test.each<[string, () => Partial<Recipe>]>([
    ["for any purpose", () => extension("extendedKeyUsage", plain(purposes(OID.anyExtendedKeyUsage)))],
    ["for servers and clients", () => extension("extendedKeyUsage", plain(purposes(OID.serverAuth, OID.clientAuth)))],
    ["with its trust domain's ID", () => extension("subjectAltName", plain(uris("spiffe://example.local")))],
    ["with critical policies, which nobody asks for", () => extension("certificatePolicies", critical(der.sequence()))],
    ["without another below it", () => extension("basicConstraints", critical(constraints(true, 0)))],
  ])("goes through an intermediate %s", (_name, change) => {
    expect(validatePeer([below(), middle(change())], bundles, NOW)).toMatchObject({ ok: true });
  });

  test("is no longer than its authorities allow", () => {
    const lowKeys = p256();
    const low = cook(
      rootRecipe(lowKeys, "low", { signer: middleKeys, issuer: rootRecipe(rootKeys, "middle").subject }),
    );
    const chain = [cook(leafRecipe(leafKeys, lowKeys, "low")), low];
    const limited = middle(extension("basicConstraints", critical(constraints(true, 0))));
    expect(validatePeer([...chain, middle()], bundles, NOW)).toMatchObject({ ok: true });
    expect(validatePeer([...chain, limited], bundles, NOW)).toMatchObject({ code: "identity_untrusted" });
    const one = bundlesWith(
      TRUST_DOMAIN,
      cook(rootRecipe(rootKeys, "root", extension("basicConstraints", critical(constraints(true, 1))))),
    );
    expect(validatePeer([...chain, middle()], one, NOW)).toMatchObject({ code: "identity_untrusted" });
    expect(validatePeer([below(), middle()], one, NOW)).toMatchObject({ ok: true });
  });

  test("does not end at a root that has ended, or that may not sign", () => {
    const ended = bundlesWith(TRUST_DOMAIN, cook(rootRecipe(rootKeys, "root", { notAfter: NOW - 1000 })));
    expect(validatePeer([leaf()], ended, NOW)).toMatchObject({ code: "identity_expired" });
    const mute = bundlesWith(
      TRUST_DOMAIN,
      cook(rootRecipe(rootKeys, "root", extension("keyUsage", critical(usage(0))))),
    );
    expect(validatePeer([leaf()], mute, NOW)).toMatchObject({ code: "identity_untrusted" });
  });

  test.each<[string, () => { keys: KeyPair; algorithm: string; digest: string | null; parameters?: Buffer }]>([
    [
      "RSA",
      () => ({
        keys: generateKeyPairSync("rsa", { modulusLength: 2048 }),
        algorithm: OID.sha256WithRSAEncryption,
        digest: "sha256",
        parameters: der.element(0x05),
      }),
    ],
    [
      "P-384",
      () => ({
        keys: generateKeyPairSync("ec", { namedCurve: "P-384" }),
        algorithm: OID.ecdsaWithSHA384,
        digest: "sha384",
      }),
    ],
    ["Ed25519", () => ({ keys: generateKeyPairSync("ed25519"), algorithm: OID.ed25519, digest: null })],
  ])("ends at a root with a key of %s", (_name, make) => {
    const { keys, algorithm: oid, digest, parameters } = make();
    const algorithm = der.sequence(der.oid(oid), ...(parameters === undefined ? [] : [parameters]));
    const signedWith = { algorithm, outerAlgorithm: algorithm, digest };
    const foreign = cook(rootRecipe(keys, "root", signedWith));
    const chain = [cook(leafRecipe(leafKeys, keys, "root", signedWith))];
    expect(validatePeer(chain, bundlesWith(TRUST_DOMAIN, foreign), NOW)).toMatchObject({ ok: true });
  });
});

function subjectNamed(): Buffer {
  return der.sequence(der.setOf(der.sequence(der.oid(OID.commonName), der.utf8String("somebody"))));
}

function none(): Recipe["extensions"] {
  return { basicConstraints: null, keyUsage: null, extendedKeyUsage: null, subjectAltName: null };
}

function sha1(): Partial<Recipe> {
  const algorithm = der.sequence(der.oid("1.2.840.10045.4.1"));
  return { algorithm, outerAlgorithm: algorithm, digest: "sha1" };
}
