/**
 * Rules that can never fire, or that say nothing: what a person who wrote them would want to know. Sound, not complete:
 * a finding is certain, and a rule without one may still be dead.
 */
import { BOOL, Environment, compile, type Constant } from "../cel/index.ts";
import type { SnapshotPolicy, SnapshotRule } from "../snapshot/types.ts";
import { anyGlob } from "./glob.ts";
import { LIBRARIES } from "./libraries.ts";
import { compilePolicy } from "./rules.ts";
import { VARIABLES } from "./schema.ts";

export type FindingCode =
  | "DeadRule" // can never apply
  | "AlwaysTrue" // a condition that never restricts
  | "AlwaysFails" // a requirement that never holds: the rule denies all of its scope
  | "ReadsNothing" // a condition that reads what the rule's operations never have
  | "SpellingMatters"; // a Deny by model beside an Allow of every model

export interface Finding {
  readonly code: FindingCode;
  /** Below the policy's spec, for instance rules[2].when. */
  readonly path: string;
  readonly message: string;
}

/** What is certain about a policy's rules. The policy must compile; one that does not has no findings but its problems. */
export function findingsOf(policy: SnapshotPolicy): Finding[] {
  const { rules, problems } = compilePolicy(policy);
  if (problems.length > 0) return [];
  return policy.rules.flatMap((rule, index) => {
    const path = `rules[${index}]`;
    const compiled = rules[index]!;
    return [
      ...neverMatches(rule, path),
      ...constantCondition(rule, path, compiled.when?.program.constant),
      ...(compiled.when?.program.constant === undefined ? contradiction(rule, path) : []),
      ...constantRequirement(path, compiled.require?.program.constant),
      ...(compiled.when === undefined ? [] : readsNothing(rule, `${path}.when`, compiled.when.program.reads)),
      ...(compiled.require === undefined ? [] : readsNothing(rule, `${path}.require`, compiled.require.program.reads)),
      ...shadowedBy(policy.rules, index, path),
      ...spelling(policy.rules, index, path),
    ];
  });
}

/** Lists that name nothing, and tools where there are none. */
function neverMatches(rule: SnapshotRule, path: string): Finding[] {
  const empty = (["from", "operations", "models", "tools"] as const).filter((field) => rule[field]?.length === 0);
  const findings = empty.map((field) =>
    dead(`${path}.${field}`, `${field} names nothing, so the rule applies to nothing`),
  );
  const operations = rule.operations ?? ["*"];
  if (
    rule.tools !== undefined &&
    rule.action !== "Allow" &&
    operations.every((operation) => !TOOL_OPERATIONS.has(operation))
  ) {
    findings.push(dead(`${path}.tools`, `${operations.join(" and ")} take no tools, so the rule applies to nothing`));
  }
  if (
    rule.models !== undefined &&
    rule.action !== "Allow" &&
    operations.every((operation) => operation === "ListModels")
  ) {
    findings.push(dead(`${path}.models`, "ListModels names no model, so the rule applies to nothing"));
  }
  return findings;
}

const TOOL_OPERATIONS: ReadonlySet<string> = new Set(["*", "Chat"]);

function constantCondition(rule: SnapshotRule, path: string, constant: Constant | undefined): Finding[] {
  if (constant === undefined || rule.when === undefined) return [];
  if (constant.value === true)
    return [{ code: "AlwaysTrue", path: `${path}.when`, message: `the condition is always true: ${constant.reason}` }];
  return [dead(`${path}.when`, `the condition is never true: ${constant.reason}`)];
}

function constantRequirement(path: string, constant: Constant | undefined): Finding[] {
  if (constant === undefined) return [];
  const where = `${path}.require`;
  return constant.value === true
    ? [{ code: "AlwaysTrue", path: where, message: `the requirement always holds: ${constant.reason}` }]
    : [
        {
          code: "AlwaysFails",
          path: where,
          message: `the requirement never holds, so the rule denies all of its scope: ${constant.reason}`,
        },
      ];
}

/** What only some operations have. */
const HAVE: Readonly<Record<string, ReadonlySet<string>>> = {
  "llm.tools": TOOL_OPERATIONS,
  "llm.toolCalls": TOOL_OPERATIONS,
  "llm.messages": TOOL_OPERATIONS,
  "llm.system": TOOL_OPERATIONS,
  "llm.attachments": TOOL_OPERATIONS,
};

function readsNothing(rule: SnapshotRule, path: string, reads: readonly string[]): Finding[] {
  const operations = rule.operations ?? ["*"];
  return Object.entries(HAVE).flatMap(([variable, having]): Finding[] => {
    if (!reads.includes(variable) || operations.length === 0 || operations.some((operation) => having.has(operation)))
      return [];
    return [{ code: "ReadsNothing", path, message: `${variable} is always empty for ${operations.join(" and ")}` }];
  });
}

/** Engines take other spellings of a model's name than the one that a Deny lists; what an Allow lists is the only sure way. */
function spelling(rules: readonly SnapshotRule[], index: number, path: string): Finding[] {
  const rule = rules[index]!;
  if (rule.action !== "Deny" || rule.models === undefined || rule.models.includes("*")) return [];
  const open = rules.find((other) => other.action === "Allow" && other.models?.includes("*") === true);
  if (open === undefined) return [];
  const message = `rule ${open.name} allows every model, and engines may take other spellings of a name that this rule denies: name the models in ${open.name}`;
  return [{ code: "SpellingMatters", path: `${path}.models`, message }];
}

const ENVIRONMENT = new Environment({ variables: VARIABLES, libraries: LIBRARIES });

/** A condition that asks for what the rule's own lists leave out. */
function contradiction(rule: SnapshotRule, path: string): Finding[] {
  // Variables of the policy are not in this environment: a condition that reads them is left alone.
  if (rule.when === undefined) return [];
  const given = [
    known("llm.operation", rule.operations?.includes("*") === true ? undefined : rule.operations),
    known("llm.model", exactModels(rule)),
    known("source.spiffeId", rule.from?.some((peer) => peer.endsWith("*")) === true ? undefined : rule.from),
  ].filter((text) => text !== "");
  if (given.length === 0) return [];
  const compiled = compile(`${given.join(" && ")} && (${rule.when}\n)`, ENVIRONMENT, { expect: BOOL });
  if (!compiled.ok || compiled.program.constant?.value !== false) return [];
  return [
    dead(`${path}.when`, `the condition is never true for what the rule names: ${compiled.program.constant.reason}`),
  ];
}

function known(variable: string, values: readonly string[] | undefined): string {
  if (values === undefined || values.length === 0) return "";
  return `(${values.map((value) => `${variable} == ${JSON.stringify(value)}`).join(" || ")})`;
}

/** The models that a rule can see; undefined where it names any by a glob, or sees requests that name none. */
function exactModels(rule: SnapshotRule): readonly string[] | undefined {
  if (rule.models === undefined || rule.models.some((model) => model.includes("*"))) return undefined;
  const listing =
    rule.operations === undefined || rule.operations.includes("*") || rule.operations.includes("ListModels");
  return rule.action === "Allow" && listing ? [...rule.models, ""] : rule.models;
}

/** An Allow whose whole scope an unconditional Deny of the same policy takes. */
function shadowedBy(rules: readonly SnapshotRule[], index: number, path: string): Finding[] {
  const rule = rules[index]!;
  if (rule.action !== "Allow") return [];
  const deny = rules.find(
    (other) => other.action === "Deny" && other.when === undefined && other.tools === undefined && covers(other, rule),
  );
  return deny === undefined ? [] : [dead(path, `rule ${deny.name} denies all that this rule allows`)];
}

function covers(wide: SnapshotRule, narrow: SnapshotRule): boolean {
  return (
    coversNames(wide.from, narrow.from) &&
    coversNames(wide.operations, narrow.operations) &&
    // An Allow with models takes in requests that name none, which a Deny with models does not concern.
    (wide.models === undefined || (!seesModelless(narrow) && coversNames(wide.models, narrow.models)))
  );
}

function seesModelless(rule: SnapshotRule): boolean {
  return (
    rule.operations === undefined ||
    rule.operations.some((operation) => operation === "*" || operation === "ListModels")
  );
}

function coversNames(wide: readonly string[] | undefined, narrow: readonly string[] | undefined): boolean {
  if (wide === undefined || wide.includes("*")) return true;
  // A glob covers a glob when it matches its text: `a*` takes in `ab*`, for `*` only ever stands for more.
  return narrow !== undefined && narrow.length > 0 && narrow.every(anyGlob(wide));
}

function dead(path: string, message: string): Finding {
  return { code: "DeadRule", path, message };
}
