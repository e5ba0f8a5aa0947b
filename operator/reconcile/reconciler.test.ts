import { describe, expect, it } from "@jest/globals";
import { readDocuments, resourceKey } from "../../core/api/index.ts";
import { readSnapshot, versionOf } from "../../core/snapshot/index.ts";
import type { Source, SourceEvent } from "../source/source.ts";
import { Reconciler, type ReconcilerEvent } from "./reconciler.ts";

const POD = `---
apiVersion: v1
kind: Pod
metadata: {name: llama, namespace: inference, labels: {app: llama}, annotations: {sallyport.dev/inject: "true"}}
spec: {serviceAccountName: llama}
`;
const POLICY = `---
apiVersion: sallyport.dev/v1alpha1
kind: LlmPolicy
metadata: {name: chat, namespace: inference}
spec:
  podSelector: {matchLabels: {app: llama}}
  rules:
  - name: a
    action: Allow
    from: [{identity: {name: front, namespace: apps}}]
    operations: ["*"]
    models: ["*"]
`;
const IDENTITY = `---
apiVersion: sallyport.dev/v1alpha1
kind: LlmIdentity
metadata: {name: front, namespace: apps}
spec: {type: Workload, workload: {serviceAccountName: front}}
`;
const LLAMA = "spiffe://example.local/ns/inference/sa/llama";

/** A source that is told what to tell. */
class Told implements Source {
  #handler: (event: SourceEvent) => void = () => {};

  async start(handler: (event: SourceEvent) => void): Promise<void> {
    this.#handler = handler;
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    return Promise.resolve();
  }

  apply(yaml: string, changedAt = 0): void {
    const { documents, problems } = readDocuments(yaml, "a.yaml");
    expect(problems).toEqual([]);
    for (const document of documents) this.#handler({ type: "applied", document });
    this.#handler({ type: "synced", changedAt });
  }

  delete(yaml: string): void {
    for (const { resource } of readDocuments(yaml, "a.yaml").documents) {
      this.#handler({ type: "deleted", key: resourceKey(resource) });
    }
    this.#handler({ type: "synced", changedAt: 0 });
  }
}

interface Bench {
  readonly source: Told;
  readonly reconciler: Reconciler;
  readonly events: ReconcilerEvent[];
  /** What is published now. */
  readonly out: ReadonlyMap<string, Buffer>;
  /** Every publication and withdrawal. */
  readonly log: string[];
  now: number;
}

async function bench(): Promise<Bench> {
  const source = new Told();
  const out = new Map<string, Buffer>();
  const log: string[] = [];
  const events: ReconcilerEvent[] = [];
  const state = { now: 0 };
  const reconciler = new Reconciler({
    source,
    trust: { trustDomain: "example.local", roots: ["AAAA"] },
    clock: () => state.now,
    onEvent: (event) => events.push(event),
    publisher: {
      publish: (spiffeId, bytes) => {
        out.set(spiffeId, bytes);
        log.push(`publish ${spiffeId}`);
      },
      withdraw: (spiffeId) => {
        out.delete(spiffeId);
        log.push(`withdraw ${spiffeId}`);
      },
    },
  });
  await reconciler.start();
  return Object.assign(state, { source, reconciler, events, out, log });
}

function compiled(events: readonly ReconcilerEvent[]): Extract<ReconcilerEvent, { type: "compiled" }> {
  const last = events.findLast((event) => event.type === "compiled");
  if (last === undefined) throw new Error("nothing was compiled");
  return last;
}

describe("the reconciler", () => {
  it("guards a workload of its own where nothing is described, and allows it nothing", async () => {
    const { source, out, events } = await bench();
    source.apply("");
    expect([...out.keys()]).toEqual(["spiffe://example.local/ns/default/sa/engine"]);
    const reading = readSnapshot([...out.values()][0] ?? Buffer.alloc(0));
    expect(reading).toMatchObject({ ok: true, snapshot: { policies: [], workload: { labels: { app: "engine" } } } });
    expect(compiled(events).workloads.guarded.map(({ name }) => name)).toEqual(["engine"]);
  });

  it("guards the pods that ask for it, and no others", async () => {
    const { source, out } = await bench();
    source.apply(POD + POD.replace("name: llama", "name: bare").replace('"true"', '"false"'));
    expect([...out.keys()]).toEqual([LLAMA]);
  });

  it("publishes only what is another snapshot than before", async () => {
    const { source, log } = await bench();
    source.apply(POD + POLICY + IDENTITY);
    source.apply(POLICY);
    source.apply("---\napiVersion: v1\nkind: Namespace\nmetadata: {name: elsewhere}\n");
    source.apply(POLICY.replace("name: chat", "name: other").replace("app: llama", "app: mistral"));
    expect(log).toEqual([`publish ${LLAMA}`]);
    source.delete(IDENTITY);
    expect(log).toEqual([`publish ${LLAMA}`, `publish ${LLAMA}`]);
  });

  it("withdraws what no workload has any more", async () => {
    const { source, log, out } = await bench();
    source.apply(POD);
    source.delete(POD);
    expect(log.slice(1)).toEqual(["publish spiffe://example.local/ns/default/sa/engine", `withdraw ${LLAMA}`]);
    expect([...out.keys()]).toEqual(["spiffe://example.local/ns/default/sa/engine"]);
  });

  it("tells where a reference that does not resolve stands", async () => {
    const { source, events } = await bench();
    source.apply(POD + POLICY);
    expect(compiled(events).findings).toMatchObject([
      { code: "UnresolvedReference", file: "a.yaml", line: 15, path: "spec.rules[0].from[0].identity" },
    ]);
    source.apply(IDENTITY);
    expect(compiled(events).findings).toEqual([]);
  });

  it("gives one configuration to a service account, and says which pod has none of its own", async () => {
    const { source, out, events } = await bench();
    source.apply(POD + POD.replace("name: llama", "name: zeta").replace("app: llama", "app: zeta"));
    expect(out.size).toBe(1);
    expect(compiled(events).workloads.ambiguous).toMatchObject([{ pod: { name: "zeta" }, takenBy: { name: "llama" } }]);
  });

  it("times each sidecar's word from the change that was seen, and drops words on what is over", async () => {
    const bed = await bench();
    bed.source.apply(POD, 100);
    const version = versionOf(bed.out.get(LLAMA) ?? Buffer.alloc(0));
    const verdict = { spiffeId: LLAMA, instance: "llama", version, verdict: "ack", reason: "" } as const;
    bed.now = 140;
    bed.reconciler.onVerdict(verdict);
    bed.reconciler.onVerdict({ ...verdict, version: "sha256:old" });
    bed.reconciler.onVerdict({ ...verdict, verdict: "nack", reason: "no" });
    const told = bed.events.flatMap((event) => (event.type === "verdict" ? [event] : []));
    expect(told).toEqual([
      { type: "verdict", verdict, elapsedMs: 40, first: true },
      { type: "verdict", verdict: { ...verdict, verdict: "nack", reason: "no" }, elapsedMs: 40, first: false },
    ]);
  });
});
