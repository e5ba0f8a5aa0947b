import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { encodeSnapshot, readSnapshot, versionOf, type Snapshot } from "./index.ts";

const SNAPSHOT: Snapshot = {
  schema: 1,
  features: ["Rules"],
  workload: {
    spiffeId: "spiffe://a/ns/b/sa/c",
    namespace: "b",
    serviceAccount: "c",
    labels: { app: "x", "10": "a", "9": "b" },
  },
  bundles: { a: ["AAAA"] },
  identities: [{ spiffeId: "spiffe://a/ns/b/sa/d", namespace: "b", name: "d" }],
  allowTier: "Team",
  policies: [
    {
      tier: "Team",
      namespace: "b",
      name: "p",
      mode: "Enforce",
      variables: [{ name: "v", expression: "true" }],
      rules: [{ name: "r", action: "Allow", from: ["*"], operations: ["*"], models: ["m"], maxOutputTokens: 4 }],
      denials: { detail: "Code" },
    },
  ],
};

function refusal(change: (copy: Record<string, unknown>) => unknown): string {
  const copy = structuredClone(SNAPSHOT) as unknown as Record<string, unknown>;
  const reading = readSnapshot(encodeSnapshot((change(copy) ?? copy) as Snapshot).bytes);
  return reading.ok ? "read" : reading.message;
}

it("reads what was written", () => {
  const { bytes, version } = encodeSnapshot(SNAPSHOT);
  expect(readSnapshot(bytes)).toEqual({ ok: true, snapshot: SNAPSHOT });
  expect(version).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(versionOf(bytes)).toBe(version);
  expect(encodeSnapshot({ ...SNAPSHOT, features: ["Rules"] }).version).toBe(version);
  expect(encodeSnapshot({ ...SNAPSHOT, allowTier: "Baseline" }).version).not.toBe(version);
});

it.each<readonly [what: string, change: (copy: Record<string, unknown>) => unknown, message: string]>([
  ["another schema", (copy) => ({ ...copy, schema: 2 }), "the snapshot has schema 2, and this version reads 1"],
  [
    "no schema",
    (copy) => ({ ...copy, schema: undefined }),
    "the snapshot has schema undefined, and this version reads 1",
  ],
  ["a list", () => [], "the snapshot has schema undefined, and this version reads 1"],
  [
    "a feature it cannot enforce",
    (copy) => ({ ...copy, features: ["Guards", "Rules"] }),
    "the snapshot needs Guards, which this version cannot enforce",
  ],
  [
    "a field at the top",
    (copy) => ({ ...copy, limits: [] }),
    "the snapshot is malformed: limits is not known to this version",
  ],
  [
    "a field deep inside",
    (copy) => ({ ...copy, policies: [{ ...SNAPSHOT.policies[0], guards: [] }] }),
    "the snapshot is malformed: policies[0].guards is not known to this version",
  ],
  [
    "an action of a later version",
    (copy) => ({ ...copy, policies: [{ ...SNAPSHOT.policies[0], rules: [{ name: "r", action: "Audit" }] }] }),
    'the snapshot is malformed: policies[0].rules[0].action must be Allow or Deny or Require, not "Audit"',
  ],
  [
    "a field that is missing",
    (copy) => ({ ...copy, allowTier: undefined }),
    "the snapshot is malformed: allowTier must be Team or Baseline, not missing",
  ],
  [
    "a list where a map stands",
    (copy) => ({ ...copy, bundles: [] }),
    "the snapshot is malformed: bundles must be an object, not a list",
  ],
])("refuses %s", (_what, change, message) => {
  expect(refusal(change)).toBe(message);
});

it.each<readonly [what: string, bytes: Buffer, message: string]>([
  ["nothing", Buffer.alloc(0), "the snapshot is not JSON"],
  ["half of one", encodeSnapshot(SNAPSHOT).bytes.subarray(0, 99), "the snapshot is not JSON"],
  ["bytes that are no text", Buffer.from([0xff, 0xfe]), "the snapshot is not UTF-8"],
  ["another order of keys", Buffer.from(JSON.stringify(SNAPSHOT)), "the snapshot is not canonical JSON"],
  [
    "a key given twice",
    Buffer.from(
      encodeSnapshot(SNAPSHOT)
        .bytes.toString()
        .replace('"allowTier":"Team"', '"allowTier":"Baseline","allowTier":"Team"'),
    ),
    "the snapshot is not canonical JSON",
  ],
  ["too much", Buffer.alloc(4_194_305, 0x20), "the snapshot has more than 4194304 bytes"],
  [
    "bottomless lists",
    Buffer.from(`{"schema":1,"features":${"[".repeat(500_000)}${"]".repeat(500_000)}}`),
    "the snapshot is malformed: features[0] must be a string, not a list",
  ],
])("refuses %s", (_what, bytes, message) => {
  expect(readSnapshot(bytes)).toEqual({ ok: false, message });
});

it("never throws, whatever is changed in a snapshot", () => {
  const { bytes } = encodeSnapshot(SNAPSHOT);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
      const changed = Buffer.from(bytes);
      changed[at] = byte;
      const reading = readSnapshot(changed);
      if (reading.ok) expect(encodeSnapshot(reading.snapshot).bytes).toEqual(changed);
    }),
    { numRuns: 2000 },
  );
});

it("does not let a key stand for a prototype's member", () => {
  const text = encodeSnapshot(SNAPSHOT).bytes.toString().replace('"labels":{', '"labels":{"__proto__":"x",');
  const reading = readSnapshot(Buffer.from(text));
  if (reading.ok) expect(Object.keys(reading.snapshot.workload.labels)).toContain("__proto__");
  else expect(reading.message).toBe("the snapshot is not canonical JSON");
});
