/** The whole trail of a decision: each rule, whether it applied, and if not, which of its fields or conditions kept it from doing so. */
import { CelError, type Trace } from "../cel/index.ts";
import type { Condition } from "./condition.ts";
import { decide } from "./decide.ts";
import type { Decision, RuleRef } from "./decision.ts";
import type { Facts } from "./facts.ts";
import { missingFeatures, type CompiledRule, type PolicySet } from "./rules.ts";

export interface Explanation {
  readonly decision: Decision;
  /** In the order in which rules are weighed: Admin, Team, Baseline. */
  readonly trail: readonly RuleTrail[];
}

export interface RuleTrail {
  readonly rule: RuleRef;
  readonly action: CompiledRule["action"];
  /** What the rule came to for this request. */
  readonly verdict: "Applies" | "DoesNotApply" | "Holds" | "Fails" | "Error";
  /** Why, in words. */
  readonly because: string;
  /** The conditions that were evaluated. */
  readonly conditions: readonly ConditionTrail[];
}

export interface ConditionTrail {
  readonly field: "when" | "require";
  readonly source: string;
  /** The values of its parts, as the language writes them. */
  readonly values: readonly { readonly source: string; readonly value: string }[];
  readonly result: boolean | CelError;
}

/** Explains what `decide` decides. Slower than deciding: every rule is looked at, and every condition is traced. */
export function explain(set: PolicySet, facts: Facts): Explanation {
  return { decision: decide(set, facts), trail: set.enforced.rules.map((rule) => trailOf(rule, facts)) };
}

/** An explanation as lines for people: the outcome, then each rule with the conditions that were looked at. */
export function formatExplanation({ decision, trail }: Explanation): string {
  const outcome =
    decision.outcome === "Allow"
      ? `Allow by ${placeOf(decision.allowance.by)}`
      : `Deny (${decision.code}) ${decision.by === undefined ? "" : `by ${placeOf(decision.by)}: `}${decision.reason}`;
  const lines = [`${outcome}; phase ${decision.phase}, ${decision.cost} steps`];
  for (const { rule, action, verdict, because, conditions } of trail) {
    lines.push(`  ${action.padEnd(8)}${placeOf(rule)}: ${verdict}: ${because}`);
    for (const condition of conditions) {
      const { result } = condition;
      lines.push(
        `    ${condition.field}: ${condition.source.trim()} → ${result instanceof CelError ? `error: ${result.message}` : String(result)}`,
      );
      for (const { source, value } of condition.values)
        if (source !== condition.source) lines.push(`      ${source} = ${value}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function placeOf(rule: RuleRef): string {
  return `${rule.policy}/${rule.rule} (${rule.tier})`;
}

function trailOf(rule: CompiledRule, facts: Facts): RuleTrail {
  const conditions: ConditionTrail[] = [];
  const trail = (verdict: RuleTrail["verdict"], because: string): RuleTrail => ({
    rule: rule.ref,
    action: rule.action,
    verdict,
    because,
    conditions,
  });
  const outside = outOfScope(rule, facts);
  if (outside !== undefined) return trail("DoesNotApply", outside);
  if (rule.when !== undefined) {
    const when = traceCondition("when", rule.when, facts);
    conditions.push(when);
    if (when.result === false) return trail("DoesNotApply", "its condition is false");
    if (when.result !== true) return trail("Error", when.result.message);
  }
  if (rule.action !== "Require") return trail("Applies", "all that it names matches");
  const require = traceCondition("require", rule.require!, facts);
  conditions.push(require);
  if (require.result === true) return trail("Holds", "its requirement holds");
  return require.result === false
    ? trail("Fails", "its requirement does not hold")
    : trail("Error", require.result.message);
}

/** The first of a rule's structured fields that leaves this request out. */
function outOfScope(rule: CompiledRule, facts: Facts): string | undefined {
  const { operation, model, toolNames, features } = facts.llm;
  if (rule.peers !== undefined && !rule.peers(facts.source.spiffeId))
    return `from does not name ${facts.source.spiffeId}`;
  if (rule.operations !== undefined && !rule.operations.has(operation)) return `operations does not name ${operation}`;
  if (rule.models !== undefined) {
    if (model === "" && rule.action !== "Allow") return `models is set, and ${operation} names no model`;
    if (model !== "" && !rule.models(model)) return `models does not match ${JSON.stringify(model)}`;
  }
  if (rule.tools !== undefined) {
    const left = toolNames.filter((name) => !rule.tools!(name));
    if (rule.action === "Allow" && left.length > 0) return `tools does not match ${left.join(", ")}`;
    if (rule.action !== "Allow" && left.length === toolNames.length) return "tools matches none of the request's tools";
  }
  const missing = rule.action === "Allow" ? missingFeatures(rule, features) : [];
  return missing.length > 0 ? `features does not name ${missing.join(", ")}` : undefined;
}

function traceCondition(field: "when" | "require", condition: Condition, facts: Facts): ConditionTrail {
  const { source } = condition.program;
  const activation = condition.activation(facts);
  if (activation instanceof CelError) return { field, source, values: [], result: activation };
  const trace = condition.program.trace(activation);
  return { field, source, values: valuesOf(trace), result: truthOf(trace.result) };
}

function truthOf(result: Trace["result"]): boolean | CelError {
  if (typeof result === "boolean" || result instanceof CelError) return result;
  return new CelError("no_such_overload", "the condition is no bool");
}

const MAX_VALUES = 16;
const MAX_VALUE_LENGTH = 200;

function valuesOf(trace: Trace): ConditionTrail["values"] {
  return trace.steps
    .slice(0, MAX_VALUES)
    .map((step) => ({ source: step.source, value: shorten(formatValue(step.value)) }));
}

function formatValue(value: unknown): string {
  if (value instanceof CelError) return `error: ${value.message}`;
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${value.slice(0, MAX_VALUES).map(formatValue).join(", ")}${value.length > MAX_VALUES ? ", …" : ""}]`;
  if (value instanceof Map)
    return `{${[...value]
      .slice(0, MAX_VALUES)
      .map(([key, entry]) => `${formatValue(key)}: ${formatValue(entry)}`)
      .join(", ")}}`;
  if (typeof value === "object" && value !== null)
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner));
  return String(value);
}

function shorten(text: string): string {
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH)}…`;
}
