/** Our sidecar, as `sallyport standalone` runs it: its own process is what is measured, the operator's is not. */
import { setTimeout as sleep } from "node:timers/promises";
import { startStandalone, type Standalone } from "../../test/support/sallyport.ts";
import { ageMs } from "./cpu.ts";
import type { Target, Upstream } from "./target.ts";
import { MODEL } from "./wire.ts";

/** Ten rules, of every action, with structured fields and expressions; the last one allows what the bench asks. */
const RESOURCES = `
apiVersion: v1
kind: Namespace
metadata: {name: inference}
---
apiVersion: v1
kind: Namespace
metadata: {name: apps}
---
apiVersion: v1
kind: Pod
metadata:
  name: engine-0
  namespace: inference
  labels: {app: engine}
  annotations: {sallyport.dev/inject: "true"}
spec: {serviceAccountName: engine}
---
apiVersion: sallyport.dev/v1alpha1
kind: LlmIdentity
metadata: {name: bench-client, namespace: apps}
spec: {type: Workload, workload: {serviceAccountName: bench-client}}
---
apiVersion: sallyport.dev/v1alpha1
kind: LlmIdentity
metadata: {name: intruder, namespace: apps}
spec: {type: Workload, workload: {serviceAccountName: intruder}}
---
apiVersion: sallyport.dev/v1alpha1
kind: LlmPolicy
metadata: {name: bench, namespace: inference}
spec:
  podSelector: {matchLabels: {app: engine}}
  rules:
  - {name: no-raw-models, action: Deny, models: ["raw-*", "*-uncensored"], message: Not these.}
  - {name: no-shells, action: Deny, tools: ["shell*", "exec"], message: No shells.}
  - {name: no-agents-at-large, action: Deny, when: 'request.headers.exists(name, name == "x-agent-debug")'}
  - {name: bounded-prompts, action: Require, require: 'llm.tokensEstimate < 100000'}
  - {name: bounded-talks, action: Require, operations: [Chat], require: 'size(llm.messages) <= 64'}
  - {name: known-namespaces, action: Require, require: 'source.identity.namespace in ["apps", "batch", "research"]'}
  - {name: batch, action: Allow, from: [{spiffeId: "spiffe://example.local/ns/batch/*"}], operations: [Completions], models: ["*"]}
  - {name: research, action: Allow, from: [{spiffeId: "spiffe://example.local/ns/research/*"}], operations: ["*"], models: ["*"]}
  - {name: embeddings, action: Allow, from: [{spiffeId: "*"}], operations: [Embeddings], models: ["embed-*"]}
  - name: chats
    action: Allow
    from: [{identity: {name: bench-client, namespace: apps}}]
    operations: [Chat]
    models: [${MODEL}]
    features: [Streaming]
    maxOutputTokens: 4096
`;

async function standalone(upstream: Upstream): Promise<Standalone> {
  const files = { "bench.yaml": RESOURCES };
  return await startStandalone({ files, engine: `http://127.0.0.1:${upstream.port}`, args: ["--log-level=warn"] });
}

export async function startSallyport(upstream: Upstream): Promise<Target> {
  const running = await standalone(upstream);
  return {
    name: "sallyport",
    port: running.port,
    pid: running.sidecarPid(),
    client: running.client("apps", "bench-client"),
    intruder: running.client("apps", "intruder"),
    stop: async () => void (await running.stop()),
  };
}

/**
 * Milliseconds from a sidecar's process start to its first 200 on /readyz, operator reachable. The sidecar is killed and
 * started again by what started it first, so the operator's own start is not in it.
 */
export async function readyMs(upstream: Upstream, repeats: number): Promise<readonly number[]> {
  const running = await standalone(upstream);
  const times: number[] = [];
  try {
    for (let repeat = 0; repeat < repeats; repeat++) {
      process.kill(running.sidecarPid(), "SIGKILL");
      while (await running.isReady()) await sleep(1);
      while (!(await running.isReady())) await sleep(1);
      times.push(ageMs(running.sidecarPid()));
      await sleep(500);
    }
  } finally {
    await running.stop();
  }
  return times;
}
