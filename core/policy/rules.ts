/** Rules made ready to decide: expressions compiled, names indexed, so that a decision looks only at those that can apply. */
import type { Detail, RuleAction } from "../api/types.ts";
import { FEATURES, type Feature } from "../llm/exchange.ts";
import type { Snapshot, SnapshotPolicy, SnapshotRule, Tier } from "../snapshot/types.ts";
import { Scope, type Condition, type ExpressionProblem } from "./condition.ts";
import type { RuleRef } from "./decision.ts";
import { anyGlob, type Matcher } from "./glob.ts";

export interface CompiledRule {
  readonly ref: RuleRef;
  readonly action: RuleAction;
  readonly detail: Detail;
  readonly message: string;
  readonly peers: Matcher | undefined;
  readonly operations: ReadonlySet<string> | undefined;
  readonly models: Matcher | undefined;
  readonly features: ReadonlySet<string>;
  readonly tools: Matcher | undefined;
  readonly when: Condition | undefined;
  readonly require: Condition | undefined;
  readonly maxOutputTokens: number | undefined;
}

/** The rules that can apply to one peer, operation and model; the rest is left to their expressions, tools and features. */
export interface Candidates {
  readonly denies: readonly CompiledRule[];
  readonly requires: readonly CompiledRule[];
  readonly allows: readonly CompiledRule[];
}

/** Model names come from callers, so what is remembered of them is bounded. */
const MAX_REMEMBERED = 4096;

export class RuleIndex {
  readonly rules: readonly CompiledRule[];
  readonly #known = new Map<string, boolean>();
  #remembered = new Map<string, Map<string, Map<string, Candidates>>>();
  #size = 0;

  constructor(rules: readonly CompiledRule[]) {
    this.rules = rules;
  }

  /** Whether an Allow rule takes in a peer. Peers have certificates of ours, so they are few; what is remembered is bounded all the same. */
  knows(peer: string): boolean {
    let known = this.#known.get(peer);
    if (known === undefined) {
      known = this.rules.some((rule) => rule.action === "Allow" && (rule.peers === undefined || rule.peers(peer)));
      if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
      this.#known.set(peer, known);
    }
    return known;
  }

  candidates(peer: string, operation: string, model: string): Candidates {
    const found = this.#remembered.get(operation)?.get(peer)?.get(model);
    return found ?? this.#remember(peer, operation, model);
  }

  #remember(peer: string, operation: string, model: string): Candidates {
    if (this.#size >= MAX_REMEMBERED) {
      this.#remembered = new Map();
      this.#size = 0;
    }
    const applicable = this.rules.filter((rule) => inScope(rule, peer, operation, model));
    const candidates: Candidates = {
      denies: applicable.filter((rule) => rule.action === "Deny"),
      requires: applicable.filter((rule) => rule.action === "Require"),
      allows: applicable.filter((rule) => rule.action === "Allow"),
    };
    let peers = this.#remembered.get(operation);
    if (peers === undefined) this.#remembered.set(operation, (peers = new Map()));
    let models = peers.get(peer);
    if (models === undefined) peers.set(peer, (models = new Map()));
    models.set(model, candidates);
    this.#size++;
    return candidates;
  }
}

/** Whether a rule's peers, operations and models take in these. An operation without a model is held by no `models` of a Deny or Require. */
export function inScope(rule: CompiledRule, peer: string, operation: string, model: string): boolean {
  if (rule.peers !== undefined && !rule.peers(peer)) return false;
  if (rule.operations !== undefined && !rule.operations.has(operation)) return false;
  if (rule.models === undefined) return true;
  return model === "" ? rule.action === "Allow" : rule.models(model);
}

export interface PolicySet {
  /** What decides. */
  readonly enforced: RuleIndex;
  /** What would decide if shadow policies counted; undefined when there are none. */
  readonly shadowed: RuleIndex | undefined;
  /** How much a caller is told when no rule is named: the least that any enforcing policy says. */
  readonly detail: Detail;
}

export type CompiledSet =
  | { readonly ok: true; readonly set: PolicySet }
  | { readonly ok: false; readonly problems: readonly (ExpressionProblem & { readonly policy: string })[] };

const TIERS: readonly Tier[] = ["Admin", "Team", "Baseline"];
const DETAILS: readonly Detail[] = ["None", "Code", "Rule"];

/** Compiles a snapshot's policies. Every problem of every expression is reported; one is enough to refuse the whole. */
export function compilePolicies(snapshot: Pick<Snapshot, "policies" | "allowTier">): CompiledSet {
  const problems: (ExpressionProblem & { policy: string })[] = [];
  const compiled = [...snapshot.policies].sort(byPlace).map((policy) => {
    const { rules, problems: found } = compilePolicy(policy);
    for (const problem of found) problems.push({ ...problem, policy: policyName(policy) });
    return { policy, rules };
  });
  if (problems.length > 0) return { ok: false, problems };
  const enforcing = compiled.filter(({ policy }) => policy.mode === "Enforce");
  const teamInAll = compiled.some(({ policy }) => policy.tier === "Team");
  const details = enforcing.map(({ policy }) => DETAILS.indexOf(policy.denials.detail));
  return {
    ok: true,
    set: {
      enforced: new RuleIndex(
        counting(
          enforcing.flatMap(({ rules }) => rules),
          snapshot.allowTier,
        ),
      ),
      shadowed:
        enforcing.length === compiled.length
          ? undefined
          : new RuleIndex(
              counting(
                compiled.flatMap(({ rules }) => rules),
                teamInAll ? "Team" : snapshot.allowTier,
              ),
            ),
      detail: details.length === 0 ? "Code" : DETAILS[Math.min(...details)]!,
    },
  };
}

/** Compiles one policy's expressions and rules, for itself: what is checked at apply is what runs. */
export function compilePolicy(policy: SnapshotPolicy): {
  readonly rules: readonly CompiledRule[];
  readonly problems: readonly ExpressionProblem[];
} {
  const scope = new Scope(policy.variables);
  const rules = policy.rules.map((rule, index) => compileRule(policy, rule, `rules[${index}]`, scope));
  return { rules, problems: scope.problems };
}

function compileRule(policy: SnapshotPolicy, rule: SnapshotRule, path: string, scope: Scope): CompiledRule {
  return {
    ref: { tier: policy.tier, policy: policyName(policy), rule: rule.name },
    action: rule.action,
    detail: policy.denials.detail,
    message: rule.message ?? "",
    peers: rule.from === undefined ? undefined : peerMatcher(rule.from),
    operations: rule.operations === undefined || rule.operations.includes("*") ? undefined : new Set(rule.operations),
    models: rule.models === undefined ? undefined : anyGlob(rule.models),
    features: new Set(rule.features ?? []),
    tools: rule.tools === undefined ? undefined : anyGlob(rule.tools),
    when: rule.when === undefined ? undefined : scope.condition(rule.when, `${path}.when`, rule.action),
    require: rule.require === undefined ? undefined : scope.condition(rule.require, `${path}.require`, rule.action),
    maxOutputTokens: rule.maxOutputTokens,
  };
}

/** An Allow counts in the applying tier only; Deny and Require count in all. */
function counting(rules: readonly CompiledRule[], allowTier: Tier): readonly CompiledRule[] {
  return rules.filter((rule) => rule.action !== "Allow" || rule.ref.tier === allowTier);
}

function policyName(policy: SnapshotPolicy): string {
  return policy.namespace === "" ? policy.name : `${policy.namespace}/${policy.name}`;
}

function byPlace(a: SnapshotPolicy, b: SnapshotPolicy): number {
  return TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) || compareText(policyName(a), policyName(b));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** SPIFFE IDs exactly, or everything below a prefix that ends in "/*"; "*" is everyone whose certificate was verified. */
function peerMatcher(from: readonly string[]): Matcher {
  if (from.includes("*")) return () => true;
  const exact = new Set(from.filter((id) => !id.endsWith("/*")));
  const prefixes = from.filter((id) => id.endsWith("/*")).map((id) => id.slice(0, -1));
  return (peer) => exact.has(peer) || prefixes.some((prefix) => peer.startsWith(prefix) && peer.length > prefix.length);
}

/** The features that a request uses and a rule does not name. */
export function missingFeatures(rule: CompiledRule, used: readonly Feature[]): Feature[] {
  return FEATURES.filter((feature) => used.includes(feature) && !rule.features.has(feature));
}
