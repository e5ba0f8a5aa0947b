import { selects } from "../api/selector.ts";
import type { ClusterLlmPolicy, LlmPolicy, Peer, Rule } from "../api/types.ts";
import { SNAPSHOT_SCHEMA } from "./types.ts";
import type { Snapshot, SnapshotIdentity, SnapshotPolicy, SnapshotRule } from "./types.ts";
import {
  compare,
  indexWorld,
  tierOf,
  trustDomainOf,
  workloadSpiffeId,
  type Trust,
  type World,
  type WorldIndex,
} from "./world.ts";

/** A pod to guard, as far as policies look at it. */
export interface Workload {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the sidecar of one workload needs. Pure: the same world, in any order, gives the same snapshot. */
export function compileSnapshot(world: World, workload: Workload, trust: Trust): Snapshot {
  return compileFrom(indexWorld(world, trust), workload);
}

/** The same from an index, for many workloads of one world. */
export function compileFrom(index: WorldIndex, workload: Workload): Snapshot {
  const selected = index.policies.filter((policy) => governs(policy, workload, index));
  const policies = selected.map((policy) => compilePolicy(policy, index));
  const from = new Set(policies.flatMap(({ rules }) => rules.flatMap((rule) => rule.from ?? [])));
  const teamSpoke = selected.some(({ kind, spec }) => kind === "LlmPolicy" && spec.mode === "Enforce");
  const bundles = bundlesFor(from, index);
  const { namespace, serviceAccount, labels } = workload;
  const spiffeId = workloadSpiffeId(index.trust.trustDomain, namespace, serviceAccount);
  return {
    schema: SNAPSHOT_SCHEMA,
    features: featuresOf(policies, Object.keys(bundles).length),
    workload: { spiffeId, namespace, serviceAccount, labels },
    bundles,
    identities: identitiesFor(from, index),
    allowTier: teamSpoke ? "Team" : "Baseline",
    policies,
  };
}

function governs(policy: LlmPolicy | ClusterLlmPolicy, workload: Workload, index: WorldIndex): boolean {
  if (policy.kind === "LlmPolicy") {
    if (policy.metadata.namespace !== workload.namespace) return false;
  } else if (!selects(policy.spec.namespaceSelector, index.namespaceLabels(workload.namespace))) return false;
  return selects(policy.spec.podSelector, workload.labels);
}

/** A policy with its references resolved. */
export function compilePolicy(policy: LlmPolicy | ClusterLlmPolicy, index: WorldIndex): SnapshotPolicy {
  const { metadata, spec } = policy;
  const namespace = metadata.namespace ?? "";
  return {
    tier: tierOf(policy),
    namespace,
    name: metadata.name,
    mode: spec.mode,
    variables: spec.variables,
    rules: spec.rules.map((rule) => compileRule(rule, namespace, index)),
    denials: spec.denials,
  };
}

/** The rule with its peers as SPIFFE IDs. One whose peers all fail to resolve has an empty list, which matches nobody. */
function compileRule({ from, ...rest }: Rule, namespace: string, index: WorldIndex): SnapshotRule {
  if (from === undefined) return rest;
  const peers = new Set<string>();
  for (const peer of from) {
    const resolved = resolvePeer(peer, namespace, index);
    if (resolved !== undefined) peers.add(resolved);
  }
  return { ...rest, from: [...peers].sort(compare) };
}

function resolvePeer({ identity, spiffeId }: Peer, namespace: string, index: WorldIndex): string | undefined {
  if (identity !== undefined) return index.spiffeIds.get(`${identity.namespace ?? namespace}/${identity.name}`);
  if (spiffeId === undefined || spiffeId === "*") return spiffeId;
  const trustDomain = trustDomainOf(spiffeId);
  return trustDomain === index.trust.trustDomain || index.federated.has(trustDomain) ? spiffeId : undefined;
}

/** Roots of our trust domain and of those that a rule speaks of. */
function bundlesFor(
  from: ReadonlySet<string>,
  { trust, federated }: WorldIndex,
): Readonly<Record<string, readonly string[]>> {
  const wanted = new Set([...from].filter((peer) => peer !== "*").map(trustDomainOf));
  const bundles: Record<string, readonly string[]> = { [trust.trustDomain]: [...trust.roots].sort(compare) };
  for (const [trustDomain, roots] of federated) {
    if (from.has("*") || wanted.has(trustDomain)) bundles[trustDomain] = roots;
  }
  return bundles;
}

/** The identities that the rules' peers can be, so that expressions and records can name them. */
function identitiesFor(from: ReadonlySet<string>, { identities }: WorldIndex): readonly SnapshotIdentity[] {
  const prefixes = [...from].filter((peer) => peer.endsWith("*")).map((peer) => peer.slice(0, -1));
  const found: SnapshotIdentity[] = [];
  for (const [spiffeId, { metadata }] of identities) {
    if (!from.has(spiffeId) && !prefixes.some((prefix) => spiffeId.startsWith(prefix))) continue;
    found.push({ spiffeId, namespace: metadata.namespace ?? "", name: metadata.name });
  }
  return found.sort((a, b) => compare(a.spiffeId, b.spiffeId));
}

function featuresOf(policies: readonly SnapshotPolicy[], trustDomains: number): readonly string[] {
  const rules = policies.flatMap(({ rules }) => rules);
  const expressions =
    policies.some(({ variables }) => variables.length > 0) ||
    rules.some((rule) => rule.when !== undefined || rule.require !== undefined);
  return [
    ...(expressions ? ["Expressions"] : []),
    ...(trustDomains > 1 ? ["Federation"] : []),
    ...(rules.length > 0 ? ["Rules"] : []),
  ];
}
