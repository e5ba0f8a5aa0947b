/**
 * The decision over one request: any Deny that applies, then every Require in scope, then one Allow of the applying tier;
 * nothing else allows. An error in a Deny or a Require denies; an Allow whose condition fails to evaluate does not allow.
 */
import type { ShadowVerdict } from "../audit/record.ts";
import { CelError } from "../cel/index.ts";
import { OPERATIONS } from "../llm/exchange.ts";
import { beginDecision, decisionCost, type Condition } from "./condition.ts";
import { allowance, type Decision, type DenialCode, type Denied } from "./decision.ts";
import type { Matcher } from "./glob.ts";
import type { Facts } from "./facts.ts";
import { inScope, missingFeatures, type CompiledRule, type PolicySet, type RuleIndex } from "./rules.ts";

type Verdict =
  | { readonly outcome: "Allow"; readonly by: CompiledRule; readonly ceiling: number | undefined }
  | {
      readonly outcome: "Deny";
      readonly code: DenialCode;
      readonly by: CompiledRule | undefined;
      readonly reason: string;
    };

/** Decides. Pure: the same set and facts give the same decision. */
export function decide(set: PolicySet, facts: Facts): Decision {
  const verdict = judge(set.enforced, facts);
  const cost = decisionCost();
  const shadow = set.shadowed === undefined ? undefined : differing(verdict, judge(set.shadowed, facts));
  if (verdict.outcome === "Allow") {
    return { outcome: "Allow", allowance: allowance(verdict.by.ref, verdict.ceiling), phase: "Request", cost, shadow };
  }
  return {
    outcome: "Deny",
    code: verdict.code,
    by: verdict.by?.ref,
    reason: verdict.reason,
    message: verdict.by?.message ?? "",
    detail: verdict.by?.detail ?? set.detail,
    phase: "Request",
    cost,
    shadow,
  };
}

/**
 * Whether some Allow rule, enforcing or in shadow, takes in a peer at all. Who is taken in by none is denied whatever it asks,
 * so its request need not be read.
 */
export function peerKnown(set: PolicySet, peer: string): boolean {
  return set.enforced.knows(peer) || set.shadowed?.knows(peer) === true;
}

/** The decision over a peer that no rule knows. */
export function strangerDenied(set: PolicySet): Denied {
  return {
    outcome: "Deny",
    code: "no_rule_allows",
    by: undefined,
    reason: "no rule allows this peer anything",
    message: "",
    detail: set.detail,
    phase: "Connect",
    cost: 0,
    shadow: undefined,
  };
}

/** Models of one answer that are looked at; an engine's list is its own, and may be made to be long. */
const MAX_MODELS = 2048;

/**
 * Which models a caller may be told of: those with which some operation can be allowed, and which no Deny without a
 * condition takes. For one list: beyond its first 2,048 names it says no.
 */
export function visibleModels(set: PolicySet, peer: string): Matcher {
  const concerned = set.enforced.rules.filter((rule) => rule.peers === undefined || rule.peers(peer));
  const allows = concerned.filter((rule) => rule.action === "Allow");
  const denies = concerned.filter(
    (rule) => rule.action === "Deny" && rule.when === undefined && rule.tools === undefined,
  );
  let looked = 0;
  return (model) =>
    ++looked <= MAX_MODELS &&
    OPERATIONS.some((operation) => {
      if (operation === "ListModels") return false;
      const takesIn = (rule: CompiledRule): boolean => inScope(rule, peer, operation, model);
      return allows.some(takesIn) && !denies.some(takesIn);
    });
}

function judge(index: RuleIndex, facts: Facts): Verdict {
  beginDecision();
  const { denies, requires, allows } = index.candidates(facts.source.spiffeId, facts.llm.operation, facts.llm.model);
  for (const rule of denies) {
    if (!usesTool(rule, facts)) continue;
    const applies = rule.when === undefined || rule.when.test(facts);
    if (applies === true) return deny("denied_by_rule", rule, "the rule denies it");
    if (applies !== false) return deny("evaluation_error", rule, failureOf("when", rule.when, applies));
  }
  for (const rule of requires) {
    if (!usesTool(rule, facts)) continue;
    const scoped = rule.when === undefined || rule.when.test(facts);
    if (scoped === false) continue;
    if (scoped !== true) return deny("evaluation_error", rule, failureOf("when", rule.when, scoped));
    const holds = rule.require!.test(facts);
    if (holds === false) return deny("requirement_not_met", rule, "its requirement does not hold");
    if (holds !== true) return deny("evaluation_error", rule, failureOf("require", rule.require, holds));
  }
  let best: CompiledRule | undefined;
  for (const rule of allows) {
    if (!toolsAllowed(rule, facts) || !featuresAllowed(rule, facts)) continue;
    if (rule.when !== undefined && rule.when.test(facts) !== true) continue;
    // The most generous of the rules that allow counts, so that adding one never takes anything away.
    if (rule.maxOutputTokens === undefined) return { outcome: "Allow", by: rule, ceiling: undefined };
    if (best === undefined || rule.maxOutputTokens > best.maxOutputTokens!) best = rule;
  }
  if (best !== undefined) return { outcome: "Allow", by: best, ceiling: best.maxOutputTokens };
  return { outcome: "Deny", code: "no_rule_allows", by: undefined, reason: nearMiss(index, facts) };
}

/** What failed and where: an error's own message may quote the request, and what is recorded holds no prompt. */
function failureOf(field: "when" | "require", condition: Condition | undefined, error: CelError): string {
  if (error.offset < 0 || condition === undefined) return `${field}: ${error.code}`;
  const before = condition.program.source.slice(0, error.offset).split("\n");
  return `${field}: ${error.code} at ${before.length}:${Array.from(before.at(-1)!).length + 1}`;
}

function deny(code: DenialCode, by: CompiledRule, reason: string): Verdict {
  return { outcome: "Deny", code, by, reason };
}

/** For Deny and Require: any of the request's tools. */
function usesTool(rule: CompiledRule, facts: Facts): boolean {
  return rule.tools === undefined || facts.llm.toolNames.some(rule.tools);
}

/** For Allow: all of the request's tools. */
function toolsAllowed(rule: CompiledRule, facts: Facts): boolean {
  return rule.tools === undefined || facts.llm.toolNames.every(rule.tools);
}

function featuresAllowed(rule: CompiledRule, facts: Facts): boolean {
  for (const feature of facts.llm.features) if (!rule.features.has(feature)) return false;
  return true;
}

/** Why no rule allows, by the Allow rule that came closest. */
function nearMiss(index: RuleIndex, facts: Facts): string {
  const { spiffeId } = facts.source;
  const { operation, model } = facts.llm;
  const allows = index.rules.filter((rule) => rule.action === "Allow");
  if (allows.length === 0) return "no rule allows anything";
  const forPeer = allows.filter((rule) => rule.peers === undefined || rule.peers(spiffeId));
  if (forPeer.length === 0) return "no rule allows this peer anything";
  const forOperation = forPeer.filter((rule) => rule.operations === undefined || rule.operations.has(operation));
  if (forOperation.length === 0) return `no rule allows this peer the operation ${operation}`;
  const forModel = forOperation.filter((rule) => inScope(rule, spiffeId, operation, model));
  if (forModel.length === 0) return "no rule allows this peer that model for the operation";
  const [rule] = forModel as [CompiledRule];
  const named = `rule ${rule.ref.rule} of ${rule.ref.policy}`;
  if (!toolsAllowed(rule, facts)) return `${named} does not allow all tools of the request`;
  const missing = missingFeatures(rule, facts.llm.features);
  if (missing.length > 0) return `${named} does not name the feature ${missing.join(", ")}`;
  const when = rule.when?.test(facts);
  return when instanceof CelError
    ? `${named}: ${failureOf("when", rule.when, when)}`
    : `${named}: its condition is false`;
}

function differing(verdict: Verdict, shadowed: Verdict): ShadowVerdict | undefined {
  if (verdict.outcome === shadowed.outcome) return undefined;
  return { outcome: shadowed.outcome, policy: shadowed.by?.ref.policy ?? "", rule: shadowed.by?.ref.rule ?? "" };
}
