import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { beforeAll, describe, expect, it } from "@jest/globals";
import * as x509 from "@peculiar/x509";
import * as fc from "fast-check";
import { readDocuments } from "../api/index.ts";
import type { Known } from "../api/types.ts";
import { compileSnapshot, encodeSnapshot, EMPTY_WORLD, indexWorld, readSnapshot } from "./index.ts";
import type { Trust, Workload, World } from "./index.ts";

const TRUST: Trust = { trustDomain: "example.local", roots: ["b", "a"] };
const WORKLOAD: Workload = { namespace: "inference", serviceAccount: "llama", labels: { app: "llama" } };

function worldOf(yaml: string): World {
  const { documents, problems } = readDocuments(yaml, "a.yaml");
  expect(problems).toEqual([]);
  return collect(documents.map(({ resource }) => resource));
}

function collect(resources: readonly Known[]): World {
  const of = <K extends Known["kind"]>(kind: K): readonly Extract<Known, { kind: K }>[] =>
    resources.filter((resource): resource is Extract<Known, { kind: K }> => resource.kind === kind);
  return {
    identities: of("LlmIdentity"),
    clusterIdentities: of("ClusterLlmIdentity"),
    policies: of("LlmPolicy"),
    clusterPolicies: of("ClusterLlmPolicy"),
    pods: of("Pod"),
    namespaces: of("Namespace"),
  };
}

function identity(name: string, account: string, more = ""): string {
  return `---
apiVersion: sallyport.dev/v1alpha1
kind: LlmIdentity
metadata: {name: ${name}, namespace: apps${more}}
spec: {type: Workload, workload: {serviceAccountName: ${account}}}
`;
}

function policy(name: string, spec: string, namespace = "inference"): string {
  return `---
apiVersion: sallyport.dev/v1alpha1
kind: LlmPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {podSelector: {matchLabels: {app: llama}}, ${spec}}
`;
}

function clusterPolicy(name: string, tier: string, spec: string): string {
  return `---
apiVersion: sallyport.dev/v1alpha1
kind: ClusterLlmPolicy
metadata: {name: ${name}}
spec: {tier: ${tier}, podSelector: {}, ${spec}}
`;
}

const allow = (from: string): string =>
  `rules: [{name: a, action: Allow, from: [${from}], operations: ["*"], models: ["*"]}]`;

describe("a workload's snapshot", () => {
  it("of an empty world allows nothing and trusts its own roots only", () => {
    expect(compileSnapshot(EMPTY_WORLD, WORKLOAD, TRUST)).toEqual({
      schema: 1,
      features: [],
      workload: { spiffeId: "spiffe://example.local/ns/inference/sa/llama", ...WORKLOAD },
      bundles: { "example.local": ["a", "b"] },
      identities: [],
      allowTier: "Baseline",
      policies: [],
    });
  });

  it("has the policies that select it, by tier and name, and nothing of others", () => {
    const world = worldOf(
      policy("z", "rules: []") +
        policy("other-namespace", "rules: []", "apps") +
        policy("other-pod", "rules: []").replace("app: llama", "app: mistral") +
        clusterPolicy("base", "Baseline", "namespaceSelector: {}") +
        clusterPolicy("admin", "Admin", 'namespaceSelector: {matchLabels: {zone: "1"}}') +
        clusterPolicy("elsewhere", "Admin", "namespaceSelector: {matchLabels: {zone: b}}") +
        clusterPolicy(
          "by-name",
          "Admin",
          "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: inference}}",
        ) +
        policy("a", "rules: []") +
        '---\napiVersion: v1\nkind: Namespace\nmetadata: {name: inference, labels: {zone: "1"}}\n',
    );
    const { policies } = compileSnapshot(world, WORKLOAD, TRUST);
    expect(policies.map(({ tier, namespace, name }) => [tier, namespace, name])).toEqual([
      ["Admin", "", "admin"],
      ["Admin", "", "by-name"],
      ["Team", "inference", "a"],
      ["Team", "inference", "z"],
      ["Baseline", "", "base"],
    ]);
  });

  it("takes Allow rules from the Baseline until a team's own policy enforces", () => {
    const base = clusterPolicy("base", "Baseline", "namespaceSelector: {}");
    const tier = (yaml: string): string => compileSnapshot(worldOf(base + yaml), WORKLOAD, TRUST).allowTier;
    expect(tier("")).toBe("Baseline");
    expect(tier(policy("a", "mode: Shadow"))).toBe("Baseline");
    expect(tier(policy("a", "mode: Enforce", "apps"))).toBe("Baseline");
    expect(tier(policy("a", "mode: Enforce"))).toBe("Team");
    expect(tier(clusterPolicy("b", "Admin", "namespaceSelector: {}"))).toBe("Baseline");
  });

  it("names the peers of its own rules only", () => {
    const world = worldOf(
      identity("front", "chat-frontend") +
        identity("batch", "batch") +
        policy("a", allow("{identity: {name: front, namespace: apps}}")),
    );
    const { identities, policies } = compileSnapshot(world, WORKLOAD, TRUST);
    expect(identities).toEqual([
      { spiffeId: "spiffe://example.local/ns/apps/sa/chat-frontend", namespace: "apps", name: "front" },
    ]);
    expect(policies[0]?.rules[0]?.from).toEqual(["spiffe://example.local/ns/apps/sa/chat-frontend"]);
  });

  it("names every peer that a prefix can mean", () => {
    const world = worldOf(
      identity("b", "b") + identity("a", "a") + policy("a", allow('{spiffeId: "spiffe://example.local/ns/apps/*"}')),
    );
    expect(compileSnapshot(world, WORKLOAD, TRUST).identities.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("looks identities up in the policy's own namespace unless another is given", () => {
    const world = worldOf(identity("front", "front") + policy("a", allow("{identity: {name: front}}")));
    expect(compileSnapshot(world, WORKLOAD, TRUST).policies[0]?.rules[0]?.from).toEqual([]);
  });

  it("keeps a rule whose peers do not resolve, which then matches nobody, and reports it", () => {
    const world = worldOf(policy("a", allow('{identity: {name: ghost}}, {spiffeId: "spiffe://elsewhere.org/x"}')));
    expect(compileSnapshot(world, WORKLOAD, TRUST).policies[0]?.rules[0]?.from).toEqual([]);
    expect(indexWorld(world, TRUST).findings.map(({ code, path, message }) => [code, path, message])).toEqual([
      [
        "UnresolvedReference",
        "spec.rules[0].from[0].identity",
        "no accepted LlmIdentity inference/ghost: this peer matches nobody",
      ],
      [
        "UnresolvedReference",
        "spec.rules[0].from[1].spiffeId",
        "no bundle for trust domain elsewhere.org: this peer matches nobody",
      ],
    ]);
  });

  it("gives a service account to the older identity, by time and then by name", () => {
    const of = (yaml: string): readonly (readonly [string, string])[] =>
      indexWorld(worldOf(yaml), TRUST).findings.map(({ name, message }) => [name, message]);
    expect(of(identity("b", "x") + identity("a", "x"))).toEqual([
      ["b", "service account apps/x already belongs to apps/a"],
    ]);
    const older = ", creationTimestamp: '2026-01-01T00:00:00Z'";
    expect(of(identity("a", "x") + identity("b", "x", older))).toEqual([
      ["a", "service account apps/x already belongs to apps/b"],
    ]);
  });

  it("says what a sidecar must be able to enforce", () => {
    const features = (spec: string): readonly string[] =>
      compileSnapshot(worldOf(policy("a", spec)), WORKLOAD, TRUST).features;
    expect(features("rules: []")).toEqual([]);
    expect(features("rules: [{name: a, action: Deny}]")).toEqual(["Rules"]);
    expect(features("rules: [{name: a, action: Deny, when: 'true'}]")).toEqual(["Expressions", "Rules"]);
    expect(features("variables: [{name: a, expression: 'true'}]")).toEqual(["Expressions"]);
  });
});

/** A self-signed certificate, DER in base64. */
async function certificate(ca: boolean): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: "01",
      name: "O=Elsewhere",
      keys,
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(ca, undefined, true)],
    },
    webcrypto,
  );
  return Buffer.from(made.rawData).toString("base64");
}

describe("other trust domains", () => {
  let root = "";
  let leaf = "";
  beforeAll(async () => {
    [root, leaf] = await Promise.all([certificate(true), certificate(false)]);
  });

  function federation(name: string, trustDomain: string, bundle: unknown): string {
    return `---
apiVersion: sallyport.dev/v1alpha1
kind: ClusterLlmIdentity
metadata: {name: ${name}}
spec: {type: Federation, federation: {trustDomain: ${trustDomain}, bundle: '${JSON.stringify(bundle)}'}}
`;
  }
  const jwks = (...x5c: readonly string[]): unknown => ({ keys: [{ kty: "EC", use: "x509-svid", x5c }] });

  it("are vouched for where a rule speaks of them, and nowhere else", () => {
    const elsewhere = federation("partner", "elsewhere.org", jwks(root));
    const bundles = (from: string): readonly string[] =>
      Object.keys(compileSnapshot(worldOf(elsewhere + policy("a", allow(from))), WORKLOAD, TRUST).bundles);
    expect(bundles('{spiffeId: "spiffe://elsewhere.org/*"}')).toEqual(["example.local", "elsewhere.org"]);
    expect(bundles('{spiffeId: "*"}')).toEqual(["example.local", "elsewhere.org"]);
    expect(bundles('{spiffeId: "spiffe://example.local/*"}')).toEqual(["example.local"]);
  });

  it("keep their roots apart and are named as a feature", () => {
    const world = worldOf(federation("p", "elsewhere.org", jwks(root)) + policy("a", allow('{spiffeId: "*"}')));
    const snapshot = compileSnapshot(world, WORKLOAD, TRUST);
    expect(snapshot.bundles).toEqual({ "example.local": ["a", "b"], "elsewhere.org": [root] });
    expect(snapshot.features).toContain("Federation");
  });

  it.each<readonly [what: string, bundle: () => unknown, message: string]>([
    ["no JWKS", () => "x", 'has no list "keys"'],
    ["no certificate", () => jwks("AAAA"), "cannot be read"],
    ["a leaf", () => jwks(leaf), "is not a CA certificate"],
    ["a chain", () => jwks(root, root), "must have exactly one certificate"],
  ])("are not believed with %s for a bundle", (_what, bundle, message) => {
    const { findings, federated } = indexWorld(worldOf(federation("p", "elsewhere.org", bundle())), TRUST);
    expect(findings.map(({ code, path }) => [code, path])).toEqual([["InvalidBundle", "spec.federation.bundle"]]);
    expect(findings[0]?.message).toContain(message);
    expect(federated.size).toBe(0);
  });

  it("cannot be ours, nor somebody's twice", () => {
    const world = worldOf(
      federation("a", "example.local", jwks(root)) +
        federation("c", "elsewhere.org", jwks(root)) +
        federation("b", "elsewhere.org", jwks(root)),
    );
    expect(indexWorld(world, TRUST).findings.map(({ name, message }) => [name, message])).toEqual([
      ["a", "trust domain example.local is this installation's own"],
      ["c", "trust domain elsewhere.org already has a bundle"],
    ]);
  });
});

it("does not depend on the order of the world, nor on the run", () => {
  const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 1 });
  const times = fc.constantFrom(
    "",
    ", creationTimestamp: '2026-01-01T00:00:00Z'",
    ", creationTimestamp: '2026-01-02T00:00:00Z'",
  );
  const identities = fc
    .tuple(names, fc.array(fc.tuple(fc.constantFrom("x", "z"), times), { minLength: 5, maxLength: 5 }))
    .map(([all, rest]) => all.map((name, i) => identity(name, rest[i]?.[0] ?? "x", rest[i]?.[1] ?? "")));
  const peers = fc.constantFrom(
    "{identity: {name: a, namespace: apps}}",
    "{identity: {name: b, namespace: apps}}",
    '{spiffeId: "*"}',
  );
  const policies = fc
    .tuple(names, fc.array(peers, { minLength: 5, maxLength: 5 }))
    .map(([all, from]) => all.map((name, i) => policy(name, allow(from[i] ?? ""))));
  fc.assert(
    fc.property(
      fc.tuple(identities, policies).chain(([a, b]) => {
        const documents = [...a, ...b, clusterPolicy("base", "Baseline", "namespaceSelector: {}")];
        return fc.tuple(fc.constant(documents), fc.shuffledSubarray(documents, { minLength: documents.length }));
      }),
      ([documents, shuffled]) => {
        const [one, other] = [worldOf(documents.join("")), worldOf(shuffled.join(""))];
        const encoded = encodeSnapshot(compileSnapshot(one, WORKLOAD, TRUST));
        expect(encodeSnapshot(compileSnapshot(other, WORKLOAD, TRUST)).version).toBe(encoded.version);
        expect(indexWorld(other, TRUST).findings).toEqual(indexWorld(one, TRUST).findings);
        const read = readSnapshot(encoded.bytes);
        expect(read).toMatchObject({ ok: true });
        if (read.ok) expect(encodeSnapshot(read.snapshot)).toEqual(encoded);
      },
    ),
    { numRuns: 100 },
  );
});
