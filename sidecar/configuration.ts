/** What is in force: the policies of the newest good snapshot, and what belongs to them. Replaced whole, never changed. */
import { compilePolicies, type PolicySet } from "../core/policy/rules.ts";
import type { DestinationFacts } from "../core/policy/facts.ts";
import type { Snapshot } from "../core/snapshot/types.ts";
import { bundlesOf, type Bundles } from "../core/identity/bundle.ts";

export interface InForce {
  readonly version: string;
  readonly policies: PolicySet;
  readonly bundles: Bundles;
  readonly destination: DestinationFacts;
  /** Names of LlmIdentities by SPIFFE ID. */
  readonly names: ReadonlyMap<string, string>;
}

export type Applied = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export class Configuration {
  #inForce: InForce | undefined;

  /** Undefined until the first good snapshot: then nothing is allowed. */
  get inForce(): InForce | undefined {
    return this.#inForce;
  }

  /** Takes a snapshot into force, or says why not; then what was in force stays. */
  apply(snapshot: Snapshot, version: string): Applied {
    const compiled = compilePolicies(snapshot);
    if (!compiled.ok) {
      const [first] = compiled.problems;
      const more = compiled.problems.length > 1 ? ` (and ${compiled.problems.length - 1} more)` : "";
      return {
        ok: false,
        reason: `${first!.policy}: ${first!.path}:${first!.line}:${first!.column}: ${first!.message}${more}`,
      };
    }
    const bundles = bundlesOf(snapshot.bundles);
    if (!bundles.ok) return { ok: false, reason: bundles.message };
    const { workload } = snapshot;
    this.#inForce = {
      version,
      policies: compiled.set,
      bundles: bundles.bundles,
      destination: {
        spiffeId: workload.spiffeId,
        namespace: workload.namespace,
        serviceAccount: workload.serviceAccount,
        labels: workload.labels,
      },
      names: new Map(snapshot.identities.map((identity) => [identity.spiffeId, identity.name])),
    };
    return { ok: true };
  }
}
