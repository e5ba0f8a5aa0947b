import type {
  ClusterLlmIdentity,
  ClusterLlmPolicy,
  Known,
  LlmIdentity,
  LlmPolicy,
  Namespace,
  ObjectMeta,
  Pod,
  Resource,
} from "../api/types.ts";
import { readBundleDocument } from "../identity/index.ts";
import type { FindingCode } from "../policy/findings.ts";

/** All accepted resources, and the pods and namespaces that they are about. Order means nothing. */
export interface World {
  readonly identities: readonly LlmIdentity[];
  readonly clusterIdentities: readonly ClusterLlmIdentity[];
  readonly policies: readonly LlmPolicy[];
  readonly clusterPolicies: readonly ClusterLlmPolicy[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
}

export const EMPTY_WORLD: World = {
  identities: [],
  clusterIdentities: [],
  policies: [],
  clusterPolicies: [],
  pods: [],
  namespaces: [],
};

/** Resources of every kind as a world. */
export function worldOf(resources: readonly Known[]): World {
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

/** The trust domain of this installation. */
export interface Trust {
  readonly trustDomain: string;
  /** Its roots, DER in base64. */
  readonly roots: readonly string[];
}

/** Something a resource's author should know; `path` is the field. */
export interface Finding {
  readonly code: "Conflicted" | "InvalidBundle" | "UnresolvedReference" | FindingCode;
  readonly kind: Resource["kind"];
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly message: string;
}

/** What every workload's snapshot is looked up in; made once for a change of the world. */
export interface WorldIndex {
  readonly trust: Trust;
  /** The SPIFFE ID of each identity that won its service account, by `namespace/name`. */
  readonly spiffeIds: ReadonlyMap<string, string>;
  /** The identity of each SPIFFE ID. */
  readonly identities: ReadonlyMap<string, LlmIdentity>;
  /** Roots of each other trust domain. */
  readonly federated: ReadonlyMap<string, readonly string[]>;
  /** In the order in which snapshots have them: by tier, namespace, name. */
  readonly policies: readonly (LlmPolicy | ClusterLlmPolicy)[];
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
  readonly findings: readonly Finding[];
}

/** SPIFFE ID of a workload of this installation: spiffe://<trust domain>/ns/<namespace>/sa/<service account>. */
export function workloadSpiffeId(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

export function indexWorld(world: World, trust: Trust): WorldIndex {
  const findings: Finding[] = [];
  const identities = claimServiceAccounts(world.identities, trust, findings);
  const spiffeIds = new Map<string, string>();
  for (const [spiffeId, { metadata }] of identities) spiffeIds.set(qualified(metadata), spiffeId);
  const federated = claimTrustDomains(world.clusterIdentities, trust, findings);
  const policies = [...world.policies, ...world.clusterPolicies].sort(byTierAndName);
  for (const policy of policies) findings.push(...unresolved(policy, spiffeIds, federated, trust));
  return {
    trust,
    spiffeIds,
    identities,
    federated,
    policies,
    namespaceLabels: labelsOf(world.namespaces),
    findings: findings.sort(byFinding),
  };
}

/** One identity for each service account: the older wins. */
function claimServiceAccounts(
  identities: readonly LlmIdentity[],
  { trustDomain }: Trust,
  findings: Finding[],
): ReadonlyMap<string, LlmIdentity> {
  const won = new Map<string, LlmIdentity>();
  for (const identity of [...identities].sort(byAge)) {
    const { namespace = "" } = identity.metadata;
    const account = identity.spec.workload.serviceAccountName;
    const spiffeId = workloadSpiffeId(trustDomain, namespace, account);
    const owner = won.get(spiffeId);
    if (owner === undefined) won.set(spiffeId, identity);
    else {
      const message = `service account ${namespace}/${account} already belongs to ${qualified(owner.metadata)}`;
      findings.push(finding(identity, "Conflicted", "spec.workload.serviceAccountName", message));
    }
  }
  return won;
}

/** One federation for each other trust domain: the older wins; ours is nobody's. */
function claimTrustDomains(
  identities: readonly ClusterLlmIdentity[],
  trust: Trust,
  findings: Finding[],
): ReadonlyMap<string, readonly string[]> {
  const won = new Map<string, readonly string[]>();
  for (const identity of [...identities].sort(byAge)) {
    const { trustDomain, bundle } = identity.spec.federation;
    if (trustDomain === trust.trustDomain || won.has(trustDomain)) {
      const whose = trustDomain === trust.trustDomain ? "is this installation's own" : "already has a bundle";
      const message = `trust domain ${trustDomain} ${whose}`;
      findings.push(finding(identity, "Conflicted", "spec.federation.trustDomain", message));
      continue;
    }
    const reading = readBundleDocument(bundle, trustDomain);
    if (reading.ok) won.set(trustDomain, reading.document.bundle.roots.map(({ raw }) => raw.toString("base64")).sort());
    else findings.push(finding(identity, "InvalidBundle", "spec.federation.bundle", reading.message));
  }
  return won;
}

function unresolved(
  policy: LlmPolicy | ClusterLlmPolicy,
  spiffeIds: ReadonlyMap<string, string>,
  federated: ReadonlyMap<string, readonly string[]>,
  trust: Trust,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [r, { from = [] }] of policy.spec.rules.entries()) {
    for (const [p, { identity, spiffeId }] of from.entries()) {
      const path = `spec.rules[${String(r)}].from[${String(p)}]`;
      if (identity !== undefined) {
        const name = `${identity.namespace ?? policy.metadata.namespace ?? ""}/${identity.name}`;
        if (spiffeIds.has(name)) continue;
        const message = `no accepted LlmIdentity ${name}: this peer matches nobody`;
        findings.push(finding(policy, "UnresolvedReference", `${path}.identity`, message));
      } else if (spiffeId !== undefined && spiffeId !== "*") {
        const trustDomain = trustDomainOf(spiffeId);
        if (trustDomain === trust.trustDomain || federated.has(trustDomain)) continue;
        const message = `no bundle for trust domain ${trustDomain}: this peer matches nobody`;
        findings.push(finding(policy, "UnresolvedReference", `${path}.spiffeId`, message));
      }
    }
  }
  return findings;
}

/** The trust domain of a SPIFFE ID or a pattern of them. */
export function trustDomainOf(spiffeId: string): string {
  const start = "spiffe://".length;
  const slash = spiffeId.indexOf("/", start);
  return slash === -1 ? spiffeId.slice(start) : spiffeId.slice(start, slash);
}

/** Labels by namespace, with the one that Kubernetes gives every namespace. */
function labelsOf(namespaces: readonly Namespace[]): WorldIndex["namespaceLabels"] {
  const byName = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  return (name) => ({ ...byName.get(name), "kubernetes.io/metadata.name": name });
}

function finding(resource: Resource, code: Finding["code"], path: string, message: string): Finding {
  const { kind, metadata } = resource;
  return { code, kind, namespace: metadata.namespace ?? "", name: metadata.name, path, message };
}

function qualified({ namespace = "", name }: ObjectMeta): string {
  return `${namespace}/${name}`;
}

/** By code units, the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Older first; what has no time counts as newest; then by name. */
function byAge(a: Resource, b: Resource): number {
  const [ageA, ageB] = [a, b].map(({ metadata }) =>
    metadata.creationTimestamp === undefined ? Infinity : Date.parse(metadata.creationTimestamp),
  ) as [number, number];
  if (ageA !== ageB) return ageA < ageB ? -1 : 1;
  return compare(qualified(a.metadata), qualified(b.metadata));
}

const TIERS = { Admin: 0, Team: 1, Baseline: 2 } as const;

function byTierAndName(a: LlmPolicy | ClusterLlmPolicy, b: LlmPolicy | ClusterLlmPolicy): number {
  return TIERS[tierOf(a)] - TIERS[tierOf(b)] || compare(qualified(a.metadata), qualified(b.metadata));
}

export function tierOf(policy: LlmPolicy | ClusterLlmPolicy): keyof typeof TIERS {
  return policy.kind === "LlmPolicy" ? "Team" : policy.spec.tier;
}

function byFinding(a: Finding, b: Finding): number {
  return (
    compare(a.kind, b.kind) ||
    compare(a.namespace, b.namespace) ||
    compare(a.name, b.name) ||
    compare(a.path, b.path) ||
    compare(a.message, b.message)
  );
}
