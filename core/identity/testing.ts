/** Certificates for tests, each rule of whose profile can be broken on its own. */
import { Buffer } from "node:buffer";
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { bundleOf, type Bundles } from "./bundle.ts";
import { readCertificate, type Certificate } from "./certificate.ts";
import * as der from "./der-writer.ts";
import { KEY_USAGE, OID } from "./oids.ts";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A named extension: its contents, whether it is critical; null leaves it out. */
export type ExtensionChoice = { readonly critical: boolean; readonly value: Uint8Array } | null;

export interface Recipe {
  readonly keys: KeyPair;
  readonly signer: KeyPair;
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly serial: Uint8Array;
  readonly version: number;
  readonly algorithm: Uint8Array;
  readonly outerAlgorithm: Uint8Array;
  readonly digest: string | null;
  /** By name, in this order. */
  readonly extensions: Readonly<Record<string, ExtensionChoice>>;
  readonly oids: Readonly<Record<string, string>>;
}

export const NOW: number = Date.UTC(2026, 10, 21, 12);
export const HOUR = 3_600_000;
const ECDSA = der.sequence(der.oid(OID.ecdsaWithSHA256));

export function p256(): KeyPair {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

export function nameOf(text: string): Buffer {
  return der.sequence(der.setOf(der.sequence(der.oid(OID.commonName), der.utf8String(text))));
}

export function uris(...values: readonly string[]): Buffer {
  return der.sequence(...values.map((value) => der.implicit(6, Buffer.from(value, "latin1"))));
}

export function usage(...bits: readonly number[]): Buffer {
  return der.namedBits(bits);
}

export function purposes(...values: readonly string[]): Buffer {
  return der.sequence(...values.map((value) => der.oid(value)));
}

export function constraints(ca: boolean, pathLength?: number): Buffer {
  return der.sequence(
    ...(ca ? [der.TRUE] : []),
    ...(pathLength === undefined ? [] : [der.unsigned(Buffer.from([pathLength]))]),
  );
}

/** A certificate, DER. */
export function cook(recipe: Recipe): Buffer {
  const extensions = Object.entries(recipe.extensions).flatMap(([name, choice]) => {
    if (choice === null) return [];
    const oid = der.oid(recipe.oids[name] ?? OID[name as keyof typeof OID]);
    const value = der.octetString(choice.value);
    return [choice.critical ? der.sequence(oid, der.TRUE, value) : der.sequence(oid, value)];
  });
  const body = der.sequence(
    ...(recipe.version === 0 ? [] : [der.explicit(0, der.unsigned(Buffer.from([recipe.version])))]),
    der.element(0x02, recipe.serial),
    recipe.algorithm,
    recipe.issuer,
    der.sequence(der.time(recipe.notBefore), der.time(recipe.notAfter)),
    recipe.subject,
    recipe.keys.publicKey.export({ format: "der", type: "spki" }),
    ...(extensions.length === 0 ? [] : [der.explicit(3, der.sequence(...extensions))]),
  );
  return der.sequence(body, recipe.outerAlgorithm, der.bitString(sign(recipe.digest, body, recipe.signer.privateKey)));
}

/** A good root; with changes, one that is not. */
export function rootRecipe(keys: KeyPair, name: string, change: Partial<Recipe> = {}): Recipe {
  return {
    keys,
    signer: keys,
    subject: nameOf(name),
    issuer: nameOf(name),
    notBefore: NOW - HOUR,
    notAfter: NOW + 100 * HOUR,
    serial: positive(),
    version: 2,
    algorithm: ECDSA,
    outerAlgorithm: ECDSA,
    digest: "sha256",
    oids: {},
    ...change,
    extensions: {
      basicConstraints: { critical: true, value: constraints(true) },
      keyUsage: { critical: true, value: usage(KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign) },
      ...change.extensions,
    },
  };
}

/** A good leaf below an issuer of that name; with changes, one that is not. */
export function leafRecipe(keys: KeyPair, signer: KeyPair, issuer: string, change: Partial<Recipe> = {}): Recipe {
  return {
    ...rootRecipe(keys, issuer),
    signer,
    subject: der.sequence(),
    notAfter: NOW + HOUR,
    ...change,
    extensions: {
      basicConstraints: { critical: true, value: constraints(false) },
      keyUsage: { critical: true, value: usage(KEY_USAGE.digitalSignature) },
      extendedKeyUsage: { critical: false, value: purposes(OID.serverAuth, OID.clientAuth) },
      subjectAltName: { critical: true, value: uris("spiffe://example.local/ns/apps/sa/chat") },
      ...change.extensions,
    },
  };
}

function positive(): Buffer {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x01;
  return serial;
}

export function bundlesWith(trustDomain: string, ...roots: readonly Uint8Array[]): Bundles {
  const reading = bundleOf(trustDomain, roots);
  if (!reading.ok) throw new Error(reading.message);
  return new Map([[trustDomain, reading.bundle]]);
}

export function read(bytes: Uint8Array): Certificate {
  const reading = readCertificate(bytes);
  if (!reading.ok) throw new Error(reading.message);
  return reading.certificate;
}
