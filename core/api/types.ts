/**
 * The resources of `sallyport.dev/v1alpha1`, as people write them, after defaulting.
 *
 * A field is here from the day it is enforced, never before: what is not listed is refused, not ignored.
 * The schemas beside this file (schema/) hold each field's bounds, defaults and documentation; the compiler holds the
 * two together.
 */

export const GROUP = "sallyport.dev";
export const VERSION = "v1alpha1";
export const API_VERSION = "sallyport.dev/v1alpha1";

export interface ObjectMeta {
  readonly name: string;
  /** Absent on cluster-scoped kinds. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly generation?: number;
  /** RFC 3339; of two that claim the same, the older wins. */
  readonly creationTimestamp?: string;
}

export interface LabelSelectorRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
}

/** A Kubernetes label selector; the empty one selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
}

/** Who may appear: a workload of the cluster. */
export interface LlmIdentity {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: "LlmIdentity";
  readonly metadata: ObjectMeta;
  readonly spec: LlmIdentitySpec;
}

export interface LlmIdentitySpec {
  readonly type: "Workload";
  readonly workload: WorkloadIdentity;
}

export interface WorkloadIdentity {
  /** The SPIFFE ID is spiffe://<trust domain>/ns/<namespace>/sa/<serviceAccountName>. */
  readonly serviceAccountName: string;
  /** Life of a certificate in seconds, 1 h to 24 h; written as a duration ("1h"). */
  readonly ttlSeconds: number;
}

/** Who the platform lets in from elsewhere: another trust domain, with the bundle that vouches for it. */
export interface ClusterLlmIdentity {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: "ClusterLlmIdentity";
  readonly metadata: ObjectMeta;
  readonly spec: ClusterLlmIdentitySpec;
}

export interface ClusterLlmIdentitySpec {
  readonly type: "Federation";
  readonly federation: Federation;
}

export interface Federation {
  readonly trustDomain: string;
  /** The trust domain's bundle as a JWKS document (SPIFFE Trust Domain and Bundle, section 4). */
  readonly bundle: string;
}

export type Mode = "Enforce" | "Shadow";
export type RuleAction = "Allow" | "Deny" | "Require";
export type Detail = "None" | "Code" | "Rule";

/** What the selected pods' callers may do; written by a team, in its own namespace. */
export interface LlmPolicy {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: "LlmPolicy";
  readonly metadata: ObjectMeta;
  readonly spec: LlmPolicySpec;
}

/** The platform's twin of LlmPolicy: what no team can widen (Admin), or what holds where no team has spoken (Baseline). */
export interface ClusterLlmPolicy {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: "ClusterLlmPolicy";
  readonly metadata: ObjectMeta;
  readonly spec: ClusterLlmPolicySpec;
}

export interface LlmPolicySpec {
  readonly podSelector: LabelSelector;
  readonly mode: Mode;
  readonly variables: readonly Variable[];
  readonly rules: readonly Rule[];
  readonly denials: { readonly detail: Detail };
}

export interface ClusterLlmPolicySpec extends LlmPolicySpec {
  readonly tier: "Admin" | "Baseline";
  readonly namespaceSelector: LabelSelector;
}

export interface Variable {
  readonly name: string;
  readonly expression: string;
}

/** One rule. Absent fields do not restrict, but an Allow must name from, operations and models. */
export interface Rule {
  readonly name: string;
  readonly action: RuleAction;
  /** Shown to the caller when the rule denies. */
  readonly message?: string;
  /** Peers: or across the list. */
  readonly from?: readonly Peer[];
  /** "*" is every operation. */
  readonly operations?: readonly string[];
  /** Globs: "*" stands for any run of characters. */
  readonly models?: readonly string[];
  /** What the request may make use of beyond plain text (Allow only); what is not named is refused. */
  readonly features?: readonly string[];
  /** Globs over the names of the tools that the request offers (Allow: every one must match; Deny: any one). */
  readonly tools?: readonly string[];
  /** CEL; the rule applies when it is true. */
  readonly when?: string;
  /** CEL; Require only: must be true wherever the rule is in scope. */
  readonly require?: string;
  /** Allow only: the answer's ceiling in tokens, injected or clamped in the request. */
  readonly maxOutputTokens?: number;
}

/** One peer: exactly one of identity and spiffeId. */
export interface Peer {
  /** An LlmIdentity, by name; its namespace is the policy's own unless given. */
  readonly identity?: { readonly name: string; readonly namespace?: string };
  /** A SPIFFE ID; ending in "/*" it stands for every ID below it; "*" alone for every verified peer. */
  readonly spiffeId?: string;
}

/** Part of a Pod, as the injector and the reconcilers need it. */
export interface Pod {
  readonly apiVersion: "v1";
  readonly kind: "Pod";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly serviceAccountName: string };
}

export interface Namespace {
  readonly apiVersion: "v1";
  readonly kind: "Namespace";
  readonly metadata: ObjectMeta;
}

export type Resource = LlmIdentity | ClusterLlmIdentity | LlmPolicy | ClusterLlmPolicy;
export type Known = Resource | Pod | Namespace;
