import { expect, it } from "@jest/globals";
import { readDocuments, type LlmPolicy } from "../../core/api/index.ts";
import { compileSnapshot, EMPTY_WORLD, type Snapshot } from "../../core/snapshot/index.ts";
import type { Client } from "./client-certificates.ts";
import { samplesFor } from "./samples.ts";

function snapshotOf(rules: string): Snapshot {
  const text = `apiVersion: sallyport.dev/v1alpha1
kind: LlmPolicy
metadata: {name: p, namespace: a}
spec: {podSelector: {}, rules: [${rules}]}
`;
  const policies = readDocuments(text, "a.yaml").documents.map(({ resource }) => resource as LlmPolicy);
  const workload = { namespace: "a", serviceAccount: "engine", labels: {} };
  return compileSnapshot({ ...EMPTY_WORLD, policies }, workload, { trustDomain: "example.local", roots: [] });
}

function client(name: string): Client {
  return {
    identity: `apps/${name}`,
    spiffeId: `spiffe://example.local/ns/apps/sa/${name}`,
    certificate: `/state of mine/${name}/tls.crt`,
    key: `/state of mine/${name}/tls.key`,
  };
}

function namesFor(rules: string, ...clients: readonly Client[]): readonly (readonly [string, string])[] {
  const caFile = "/state/ca.crt";
  const samples = samplesFor({ snapshot: snapshotOf(rules), clients, url: "https://127.0.0.1:1", caFile });
  return samples.map(({ name, says }) => [name, says]);
}

const allow = (more: string): string => `{name: a, action: Allow, operations: ["*"], ${more}}`;

it("finds a request that is allowed, whoever and whatever the policy names", () => {
  const rules = allow('from: [{spiffeId: "spiffe://example.local/ns/apps/sa/b"}], models: ["phi-*"]');
  expect(namesFor(rules, client("a"), client("b"))).toEqual([
    ["allowed", "apps/b may chat with phi-llama-4"],
    ["denied-model", "apps/b may not use gpt-4o (no_rule_allows)"],
    ["denied-identity", "apps/a is known, and not allowed (no_rule_allows)"],
    ["no-certificate", "nobody comes in without a certificate"],
  ]);
});

it("shows no denial where everything is allowed, and a stream only where streams are", () => {
  const rules = allow('from: [{spiffeId: "*"}], models: ["*"], features: [Streaming]');
  expect(namesFor(rules, client("a")).map(([name]) => name)).toEqual(["allowed", "streamed", "no-certificate"]);
});

it("shows what default deny is where nothing is allowed", () => {
  expect(namesFor("", client("a"))).toEqual([
    ["denied-identity", "apps/a is known, and nothing allows it (no_rule_allows)"],
    ["no-certificate", "nobody comes in without a certificate"],
  ]);
});

it("writes commands that a shell takes as they stand, whatever is in their paths", () => {
  const rules = allow(`from: [{spiffeId: "*"}], models: ["it's"]`);
  const caFile = "/state/ca.crt";
  const [first] = samplesFor({
    snapshot: snapshotOf(rules),
    clients: [client("a")],
    url: "https://127.0.0.1:1",
    caFile,
  });
  expect(first?.command).toBe(
    `curl -sS --cacert /state/ca.crt --cert '/state of mine/a/tls.crt' --key '/state of mine/a/tls.key' ` +
      `-H 'content-type: application/json' -d '{"model":"it'\\''s","messages":[{"role":"user","content":"Hello"}]}' ` +
      `https://127.0.0.1:1/v1/chat/completions`,
  );
});
