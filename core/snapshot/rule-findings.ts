/** What is certain about the rules of a world's policies: those that can never apply, and conditions that say nothing. */
import { findingsOf } from "../policy/findings.ts";
import { compilePolicy } from "./compile.ts";
import type { Finding, WorldIndex } from "./world.ts";

/** Findings of every policy, with the path of the field. Peers that do not resolve are findings of the index, not of this. */
export function ruleFindings(index: WorldIndex): readonly Finding[] {
  return index.policies.flatMap((policy) => {
    const { kind, metadata, spec } = policy;
    const { namespace = "", name } = metadata;
    return findingsOf(compilePolicy(policy, index))
      .filter(({ path }) => !isUnresolved(path, spec.rules))
      .map(({ code, path, message }) => ({ code, kind, namespace, name, path: `spec.${path}`, message }));
  });
}

/** Whether a rule names peers, so that its empty list only means that none of them resolves. */
function isUnresolved(path: string, rules: readonly { readonly from?: readonly unknown[] }[]): boolean {
  const index = /^rules\[(\d+)\]\.from$/.exec(path)?.[1];
  return index !== undefined && (rules[Number(index)]?.from?.length ?? 0) > 0;
}
