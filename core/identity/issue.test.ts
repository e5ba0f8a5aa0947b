import { beforeAll, describe, expect, test } from "@jest/globals";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  certificatesToPem,
  signIntermediate,
  signLeaf,
  signRoot,
  trustDomainId,
  validatePeer,
  workloadId,
} from "./index.ts";
import type { Authority } from "./index.ts";
import { lacking, testUnless } from "../../test/support/skips.ts";
import { bundlesWith, HOUR, p256, read, type KeyPair } from "./testing.ts";

x509.cryptoProvider.set(webcrypto);

const id = workloadId("example.local", "apps", "chat");
const now = Math.floor(Date.now() / 1000) * 1000;
let root: Authority;
let intermediate: Authority;
let keys: KeyPair;
let leaf: Buffer;

beforeAll(() => {
  const [rootKeys, middleKeys] = [p256(), p256()];
  keys = p256();
  const common = { id: trustDomainId("example.local"), notBefore: now - HOUR, notAfter: now + 100 * HOUR };
  const rootOptions = {
    ...common,
    commonName: "Root",
    publicKey: rootKeys.publicKey,
    serial: randomBytes(16),
    pathLength: 1,
  };
  root = { certificate: signRoot(rootOptions, rootKeys.privateKey), key: rootKeys.privateKey };
  const options = {
    ...common,
    commonName: "Issuer",
    publicKey: middleKeys.publicKey,
    serial: randomBytes(16),
    pathLength: 0,
  };
  intermediate = { certificate: signIntermediate(options, root), key: middleKeys.privateKey };
  leaf = make();
});

function make(change: Partial<Parameters<typeof signLeaf>[0]> = {}): Buffer {
  const publicKeyInfo = keys.publicKey.export({ format: "der", type: "spki" });
  return signLeaf(
    { id, publicKeyInfo, serial: randomBytes(16), notBefore: now - 120_000, notAfter: now + HOUR, ...change },
    intermediate,
  );
}

describe("a signed leaf", () => {
  test("keeps the profile to the letter, as another library reads it", () => {
    const certificate = new x509.X509Certificate(leaf);
    expect(certificate.subject).toBe("");
    expect(certificate.getExtension(x509.BasicConstraintsExtension)).toMatchObject({ ca: false, critical: true });
    expect(certificate.getExtension(x509.KeyUsagesExtension)).toMatchObject({
      usages: x509.KeyUsageFlags.digitalSignature,
      critical: true,
    });
    expect(certificate.getExtension(x509.ExtendedKeyUsageExtension)).toMatchObject({
      usages: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
      critical: false,
    });
    const names = certificate.getExtension(x509.SubjectAlternativeNameExtension);
    expect(names?.critical).toBe(true);
    expect(names?.names.toJSON()).toEqual([{ type: "url", value: id.uri }]);
    const ski = new x509.X509Certificate(intermediate.certificate.raw).getExtension(x509.SubjectKeyIdentifierExtension);
    expect(certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(ski?.keyId);
    expect(certificate.getExtension(x509.SubjectKeyIdentifierExtension)).not.toBeNull();
    expect(certificate.extensions).toHaveLength(6);
    expect([certificate.notBefore.getTime(), certificate.notAfter.getTime()]).toEqual([now - 120_000, now + HOUR]);
  });

  test("is verified by Node, by another library and by this one", async () => {
    const chain = new x509.X509ChainBuilder({
      certificates: [
        new x509.X509Certificate(intermediate.certificate.raw),
        new x509.X509Certificate(root.certificate.raw),
      ],
    });
    expect(await chain.build(new x509.X509Certificate(leaf))).toHaveLength(3);
    expect(new X509Certificate(leaf).verify(intermediate.certificate.publicKey)).toBe(true);
    expect(new X509Certificate(leaf).checkIssued(new X509Certificate(intermediate.certificate.raw))).toBe(true);
    const bundles = bundlesWith("example.local", root.certificate.raw);
    expect(validatePeer([leaf, intermediate.certificate.raw], bundles, now)).toMatchObject({ ok: true, peer: { id } });
  });

  testUnless(lacking("openssl", "version")).each(["sslserver", "sslclient"])(
    "is verified by OpenSSL at its strictest, for %s",
    (purpose) => {
      const folder = mkdtempSync(join(tmpdir(), "sallyport-issue-"));
      try {
        const file = (name: string, der: Uint8Array): string => {
          writeFileSync(join(folder, name), certificatesToPem([der]));
          return join(folder, name);
        };
        const files = [
          "-CAfile",
          file("root.pem", root.certificate.raw),
          "-untrusted",
          file("middle.pem", intermediate.certificate.raw),
        ];
        const args = ["verify", "-x509_strict", "-check_ss_sig", "-purpose", purpose, ...files, file("leaf.pem", leaf)];
        expect(execFileSync("openssl", args).toString()).toContain("leaf.pem: OK");
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  test("has the hosts that its issuer gives it, for clients that look for them", () => {
    const hosts = { dnsNames: ["localhost"], addresses: [Buffer.from([127, 0, 0, 1]), Buffer.alloc(16, 1)] };
    const certificate = new X509Certificate(make({ hosts }));
    expect(certificate.checkHost("localhost")).toBe("localhost");
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.subjectAltName?.startsWith(`URI:${id.uri}, DNS:localhost, IP Address:127.0.0.1`)).toBe(true);
  });

  test("has the serial number that it was given, positive whatever the bytes", () => {
    for (const [bytes, serial] of [
      [Buffer.alloc(16, 0xff), `00${"ff".repeat(16)}`],
      [Buffer.alloc(16, 0), "01"],
      [Buffer.concat([Buffer.alloc(15), Buffer.from([7])]), "07"],
    ] as const) {
      expect(read(make({ serial: bytes })).serial).toBe(serial);
    }
    expect(() => make({ serial: randomBytes(8) })).toThrow("16 bytes");
    expect(() => make({ notAfter: now - HOUR })).toThrow("must end after it begins");
  });

  test("takes at most 200 µs of CPU with its request, give or take a busy machine", async () => {
    const { createSigningRequest, readSigningRequest } = await import("./csr.ts");
    const csr = createSigningRequest(keys.publicKey, keys.privateKey);
    const once = (): Buffer => {
      const reading = readSigningRequest(csr);
      if (!reading.ok) throw new Error(reading.message);
      return make({ publicKeyInfo: reading.request.publicKeyInfo });
    };
    for (let i = 0; i < 300; i++) once();
    const rounds = Array.from({ length: 5 }, () => {
      const before = process.cpuUsage();
      for (let i = 0; i < 200; i++) once();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 200;
    });
    expect(Math.min(...rounds)).toBeLessThan(400);
  });
});

describe("an authority's certificate", () => {
  test("carries its trust domain's ID, and can authenticate nobody", () => {
    expect(root.certificate.extensions).toMatchObject({
      basicConstraints: { critical: true, ca: true, pathLength: 1 },
      subjectAltName: { uris: ["spiffe://example.local"] },
    });
    expect(intermediate.certificate.extensions.basicConstraints).toMatchObject({ ca: true, pathLength: 0 });
    const bundles = bundlesWith("example.local", root.certificate.raw);
    expect(validatePeer([intermediate.certificate.raw], bundles, now)).toMatchObject({ code: "identity_invalid" });
  });

  test("has a name of its own, whatever it is called", () => {
    const keysOfAnother = p256();
    const options = { commonName: "Root", id: trustDomainId("example.local"), publicKey: keysOfAnother.publicKey };
    const another = signRoot(
      { ...options, serial: randomBytes(16), pathLength: 1, notBefore: now, notAfter: now + HOUR },
      keysOfAnother.privateKey,
    );
    expect(another.subject.equals(root.certificate.subject)).toBe(false);
  });
});
