/** Every kind that is read, with its schema: one source of truth for validation, defaults and documentation. */
import { DNS_SUBDOMAIN } from "../formats.ts";
import { defaulted, enumeration, object, required, string, type Schema } from "../node.ts";
import { API_VERSION } from "../types.ts";
import type { ClusterLlmIdentity, ClusterLlmPolicy, Known, LlmIdentity, LlmPolicy, Namespace, Pod } from "../types.ts";
import { metadata } from "./common.ts";
import { clusterIdentitySpec, identitySpec } from "./identity.ts";
import { clusterPolicySpec, policySpec } from "./policy.ts";

export type Scope = "Namespaced" | "Cluster";

export interface KindSchema<T> {
  readonly apiVersion: string;
  readonly scope: Scope;
  readonly schema: Schema<T>;
}

const STATUS = { ignored: ["status"] };
const version = required(enumeration<typeof API_VERSION>({ [API_VERSION]: "The only one so far." }), "Group, version.");
const coreVersion = required(enumeration<"v1">({ v1: "Kubernetes' own kinds." }), "Version.");
const namespaced = required(metadata("Namespaced"), "Name, namespace and labels.");
const clusterWide = required(metadata("Cluster"), "Name and labels.");
const SPEC = "What is wanted.";

export const KINDS: { readonly [K in Known["kind"]]: KindSchema<Extract<Known, { kind: K }>> } = {
  LlmIdentity: {
    apiVersion: API_VERSION,
    scope: "Namespaced",
    schema: object<LlmIdentity>(
      { apiVersion: version, kind: kindOf("LlmIdentity"), metadata: namespaced, spec: required(identitySpec, SPEC) },
      STATUS,
    ),
  },
  ClusterLlmIdentity: {
    apiVersion: API_VERSION,
    scope: "Cluster",
    schema: object<ClusterLlmIdentity>(
      {
        apiVersion: version,
        kind: kindOf("ClusterLlmIdentity"),
        metadata: clusterWide,
        spec: required(clusterIdentitySpec, SPEC),
      },
      STATUS,
    ),
  },
  LlmPolicy: {
    apiVersion: API_VERSION,
    scope: "Namespaced",
    schema: object<LlmPolicy>(
      { apiVersion: version, kind: kindOf("LlmPolicy"), metadata: namespaced, spec: required(policySpec, SPEC) },
      STATUS,
    ),
  },
  ClusterLlmPolicy: {
    apiVersion: API_VERSION,
    scope: "Cluster",
    schema: object<ClusterLlmPolicy>(
      {
        apiVersion: version,
        kind: kindOf("ClusterLlmPolicy"),
        metadata: clusterWide,
        spec: required(clusterPolicySpec, SPEC),
      },
      STATUS,
    ),
  },
  Pod: {
    apiVersion: "v1",
    scope: "Namespaced",
    schema: object<Pod>(
      { apiVersion: coreVersion, kind: kindOf("Pod"), metadata: namespaced, spec: required(podSpec(), SPEC) },
      { open: true },
    ),
  },
  Namespace: {
    apiVersion: "v1",
    scope: "Cluster",
    schema: object<Namespace>(
      { apiVersion: coreVersion, kind: kindOf("Namespace"), metadata: clusterWide },
      { open: true },
    ),
  },
};

function kindOf<K extends Known["kind"]>(kind: K): ReturnType<typeof required<K>> {
  // A computed key widens to string: TypeScript cannot see that it is K.
  return required(enumeration<K>({ [kind]: "This kind." } as Record<K, string>), "Kind.");
}

function podSpec(): Schema<Pod["spec"]> {
  return object<Pod["spec"]>(
    {
      serviceAccountName: defaulted(
        string(253, { format: DNS_SUBDOMAIN }),
        "default",
        "The service account, and with it the pod's SPIFFE ID.",
      ),
    },
    { open: true },
  );
}
