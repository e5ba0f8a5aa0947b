import { randomBytes, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { API_VERSION, type LlmIdentity } from "../../core/api/index.ts";
import { EMPTY_WORLD, indexWorld, type WorldIndex } from "../../core/snapshot/index.ts";
import { CertificateAuthority, FolderCaStore, Issuer } from "../../operator/issuer/index.ts";
import { ClientCertificates } from "./client-certificates.ts";

let base = "";
let issuer: Issuer;
let now = Date.now();
beforeEach(async () => {
  base = mkdtempSync(path.join(tmpdir(), "sallyport-clients-"));
  mkdirSync(path.join(base, "clients"));
  const store = new FolderCaStore(path.join(base, "ca"));
  const authority = await CertificateAuthority.open({
    store,
    trustDomain: "example.local",
    now: () => now,
    randomBytes,
  });
  issuer = new Issuer({ authority, randomBytes });
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

function world(...names: readonly (readonly [namespace: string, name: string])[]): WorldIndex {
  const identities = names.map(([namespace, name]): LlmIdentity => ({
    apiVersion: API_VERSION,
    kind: "LlmIdentity",
    metadata: { name, namespace },
    spec: { type: "Workload", workload: { serviceAccountName: name, ttlSeconds: 3600 } },
  }));
  return indexWorld({ ...EMPTY_WORLD, identities }, { trustDomain: "example.local", roots: [] });
}

function certificates(): ClientCertificates {
  return new ClientCertificates(path.join(base, "clients"), issuer, () => now);
}

it("names each client by its identity and keeps apart those whose names run into one", () => {
  const all = certificates();
  all.update(world(["a", "b-c"], ["a-b", "c"], ["x", "y"]), new Set(["spiffe://example.local/ns/x/sa/y"]));
  all.stop();
  expect(readdirSync(path.join(base, "clients")).sort()).toEqual(["a-b-c", "a_b-c"]);
  expect(all.clients.map(({ identity }) => identity).sort()).toEqual(["a-b/c", "a/b-c"]);
  for (const { certificate, spiffeId } of all.clients) {
    expect(new X509Certificate(readFileSync(certificate)).subjectAltName).toBe(`URI:${spiffeId}`);
  }
});

it("leaves a certificate as it is while it is good, and makes a new one at half its life", () => {
  const all = certificates();
  const serial = (): string => new X509Certificate(readFileSync(all.clients[0]?.certificate ?? "")).serialNumber;
  const index = world(["a", "b"]);
  all.update(index, new Set());
  const first = serial();
  all.update(index, new Set());
  expect(serial()).toBe(first);
  now += 29 * 60_000;
  all.renew();
  expect(serial()).toBe(first);
  now += 2 * 60_000;
  all.renew();
  expect(serial()).not.toBe(first);
  all.stop();
});
