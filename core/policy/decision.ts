/** A decision is a value: what, by which rule, why. */
import type { Detail } from "../api/types.ts";
import type { ShadowVerdict } from "../audit/record.ts";
import type { Phase } from "./phase.ts";
import type { Tier } from "../snapshot/types.ts";

export interface RuleRef {
  readonly tier: Tier;
  /** namespace/name of an LlmPolicy, name of a ClusterLlmPolicy. */
  readonly policy: string;
  readonly rule: string;
}

export type DenialCode =
  | "denied_by_rule" // a Deny rule applied
  | "requirement_not_met" // a Require rule in scope did not hold
  | "no_rule_allows" // nothing allowed it
  | "evaluation_error"; // an expression of a Deny or Require rule failed

/**
 * Proof that a decision allowed. Made by `decide` alone: the constructor is not exported as a value, and the private field
 * keeps look-alikes out.
 */
class Allowance {
  readonly #by: RuleRef;
  /** Ceiling of the answer in tokens; undefined for none. */
  readonly maxOutputTokens: number | undefined;

  constructor(by: RuleRef, maxOutputTokens: number | undefined) {
    this.#by = by;
    this.maxOutputTokens = maxOutputTokens;
  }

  /** The rule that allowed. */
  get by(): RuleRef {
    return this.#by;
  }
}
export type { Allowance };

/** What every decision tells. */
interface Decided {
  /** Where the exchange was when it was decided. */
  readonly phase: Phase;
  /** Steps that its expressions took. */
  readonly cost: number;
  readonly shadow: ShadowVerdict | undefined;
}

export interface Allowed extends Decided {
  readonly outcome: "Allow";
  readonly allowance: Allowance;
}

export interface Denied extends Decided {
  readonly outcome: "Deny";
  readonly code: DenialCode;
  /** The rule that denied; undefined when none allowed. */
  readonly by: RuleRef | undefined;
  /** For the operator: why, in words. */
  readonly reason: string;
  /** The rule's own words for the caller; empty when it has none. */
  readonly message: string;
  /** How much the caller is told. */
  readonly detail: Detail;
}

export type Decision = Allowed | Denied;

/** For `decide` only (a test holds that). */
export function allowance(by: RuleRef, maxOutputTokens: number | undefined): Allowance {
  return new Allowance(by, maxOutputTokens);
}
