import type { Pod } from "../../core/api/index.ts";
import { workloadSpiffeId, type Workload } from "../../core/snapshot/index.ts";

/** The annotation that asks for a sidecar. */
export const INJECT = "sallyport.dev/inject";

/** A workload with a sidecar, and what it is called. */
export interface GuardedWorkload extends Workload {
  /** Name of the pod. */
  readonly name: string;
  readonly spiffeId: string;
}

/** Guarded where no pod is described at all, so that an empty folder shows what default deny is. */
const DEFAULT_POD: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "engine", namespace: "default", labels: { app: "engine" }, annotations: { [INJECT]: "true" } },
  spec: { serviceAccountName: "engine" },
};

export interface Workloads {
  /** Every pod that is described, asking or not. */
  readonly all: readonly GuardedWorkload[];
  /** By namespace and name. */
  readonly guarded: readonly GuardedWorkload[];
  /** Pods whose service account is guarded already under other labels: one SPIFFE ID has one configuration. */
  readonly ambiguous: readonly { readonly pod: GuardedWorkload; readonly takenBy: GuardedWorkload }[];
}

/** The pods that ask for a sidecar. */
export function workloadsOf(pods: readonly Pod[], trustDomain: string): Workloads {
  const all = pods.map((pod) => guard(pod, trustDomain));
  const asking = (pods.length === 0 ? [DEFAULT_POD] : pods)
    .filter(({ metadata }) => metadata.annotations?.[INJECT] === "true")
    .map((pod) => guard(pod, trustDomain))
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
  const guarded: GuardedWorkload[] = [];
  const ambiguous: { pod: GuardedWorkload; takenBy: GuardedWorkload }[] = [];
  for (const pod of asking) {
    const takenBy = guarded.find(({ spiffeId }) => spiffeId === pod.spiffeId);
    if (takenBy === undefined) guarded.push(pod);
    else ambiguous.push({ pod, takenBy });
  }
  return { all, guarded, ambiguous };
}

function guard({ metadata, spec }: Pod, trustDomain: string): GuardedWorkload {
  const { name, namespace = "default", labels = {} } = metadata;
  const { serviceAccountName: serviceAccount } = spec;
  return {
    name,
    namespace,
    serviceAccount,
    labels,
    spiffeId: workloadSpiffeId(trustDomain, namespace, serviceAccount),
  };
}
