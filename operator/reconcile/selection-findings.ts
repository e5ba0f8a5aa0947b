/** Policies that govern nobody, as far as the pods of a world show. */
import { selects, type ClusterLlmPolicy, type LlmPolicy } from "../../core/api/index.ts";
import type { Finding, World, WorldIndex } from "../../core/snapshot/index.ts";

/** What core/snapshot finds, and what only a whole set of pods shows. */
export interface WorldFinding extends Omit<Finding, "code"> {
  readonly code: Finding["code"] | "SelectsNothing";
}

/** Policies whose selectors select none of the world's pods; nothing where the world has no pod at all. */
export function selectionFindings(world: World, index: WorldIndex): readonly WorldFinding[] {
  if (world.pods.length === 0) return [];
  return index.policies.flatMap((policy) => {
    const inScope = world.pods.filter(({ metadata }) => reaches(policy, metadata.namespace ?? "default", index));
    const { matchLabels, matchExpressions } = policy.spec.podSelector;
    if (inScope.some(({ metadata }) => selects(policy.spec.podSelector, metadata.labels ?? {}))) return [];
    const { kind, metadata, spec } = policy;
    const { namespace = "", name } = metadata;
    const where = kind === "LlmPolicy" ? `namespace ${namespace}` : "the selected namespaces";
    const what = `selects no Pod: the policy governs nobody`;
    if (inScope.length > 0) {
      const others = inScope.map((pod) => pod.metadata.name).slice(0, 5);
      const message = `${what} (in ${where} there ${others.length === 1 ? "is" : "are"} ${others.join(", ")})`;
      const labels = matchLabels !== undefined && matchExpressions === undefined ? ".matchLabels" : "";
      return [{ code: "SelectsNothing" as const, kind, namespace, name, path: `spec.podSelector${labels}`, message }];
    }
    const path = "namespaceSelector" in spec ? "spec.namespaceSelector" : "metadata.namespace";
    const message = `${what} (there is none in ${where})`;
    return [{ code: "SelectsNothing" as const, kind, namespace, name, path, message }];
  });
}

function reaches(policy: LlmPolicy | ClusterLlmPolicy, namespace: string, index: WorldIndex): boolean {
  return policy.kind === "LlmPolicy"
    ? policy.metadata.namespace === namespace
    : selects(policy.spec.namespaceSelector, index.namespaceLabels(namespace));
}
