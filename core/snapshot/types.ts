/**
 * What one sidecar needs to decide by itself, and nothing else: its own rules, the peers that they name, the bundles that
 * vouch for those peers. Small, ordered, and versioned by its own content, so that equal content is never sent twice.
 */
import type { Detail, Mode, RuleAction } from "../api/types.ts";

/** Raised when a sidecar of the older number could read the document wrongly; it refuses a number that it does not know. */
export const SNAPSHOT_SCHEMA = 1;

export interface Snapshot {
  readonly schema: typeof SNAPSHOT_SCHEMA;
  /** Names of what a sidecar must know how to enforce; one it does not know makes it NACK and deny. */
  readonly features: readonly string[];
  readonly workload: SnapshotWorkload;
  /** Trust domain → root certificates, DER in base64. Never merged (SPIFFE Federation). */
  readonly bundles: Readonly<Record<string, readonly string[]>>;
  /** The named peers, by SPIFFE ID in ascending order. */
  readonly identities: readonly SnapshotIdentity[];
  /** Whether a team's own enforcing policy selects this pod; if not, Baseline's Allow rules apply. */
  readonly allowTier: "Team" | "Baseline";
  readonly policies: readonly SnapshotPolicy[];
}

export interface SnapshotWorkload {
  readonly spiffeId: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface SnapshotIdentity {
  readonly spiffeId: string;
  readonly namespace: string;
  readonly name: string;
}

export type Tier = "Admin" | "Team" | "Baseline";

export interface SnapshotPolicy {
  readonly tier: Tier;
  /** Empty for cluster-scoped policies. */
  readonly namespace: string;
  readonly name: string;
  readonly mode: Mode;
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  readonly rules: readonly SnapshotRule[];
  readonly denials: { readonly detail: Detail };
}

/** A rule with its references resolved. An absent list does not restrict; an empty `from` matches nobody. */
export interface SnapshotRule {
  readonly name: string;
  readonly action: RuleAction;
  readonly message?: string;
  /** SPIFFE IDs, prefixes that end in "/*", or "*" alone for every verified peer. */
  readonly from?: readonly string[];
  readonly operations?: readonly string[];
  readonly models?: readonly string[];
  readonly features?: readonly string[];
  readonly tools?: readonly string[];
  readonly when?: string;
  readonly require?: string;
  readonly maxOutputTokens?: number;
}
