import { Buffer, isUtf8 } from "node:buffer";
import type { Detail, Mode, RuleAction } from "../api/types.ts";
import { encodeSnapshot } from "./encode.ts";
import { listOf, literal, mapOf, objectOf, optional, ShapeError, text, whole, type Shape } from "./shape.ts";
import { SNAPSHOT_SCHEMA } from "./types.ts";
import type { Snapshot, SnapshotIdentity, SnapshotPolicy, SnapshotRule, SnapshotWorkload, Tier } from "./types.ts";

/** The largest snapshot that is read. */
export const MAX_SNAPSHOT_BYTES = 4_194_304;

/** What this version can enforce; a snapshot that needs anything else is refused by its name. */
export const SNAPSHOT_FEATURES: readonly string[] = ["Expressions", "Federation", "Rules"];

export type SnapshotReading =
  { readonly ok: true; readonly snapshot: Snapshot } | { readonly ok: false; readonly message: string };

const name = text(253);
const strings = listOf(text(2048), 1024);
const denials = objectOf<SnapshotPolicy["denials"]>({ detail: literal<Detail>("None", "Code", "Rule") });

const rule = objectOf<SnapshotRule>({
  name,
  action: literal<RuleAction>("Allow", "Deny", "Require"),
  message: optional(text(512)),
  from: optional(strings),
  operations: optional(strings),
  models: optional(strings),
  features: optional(strings),
  tools: optional(strings),
  when: optional(text(4096)),
  require: optional(text(4096)),
  maxOutputTokens: optional(whole(1, 10_000_000)),
});

const policy = objectOf<SnapshotPolicy>({
  tier: literal<Tier>("Admin", "Team", "Baseline"),
  namespace: name,
  name,
  mode: literal<Mode>("Enforce", "Shadow"),
  variables: listOf(objectOf<SnapshotPolicy["variables"][number]>({ name, expression: text(4096) }), 64),
  rules: listOf(rule, 256),
  denials,
});

const shape: Shape<Snapshot> = objectOf<Snapshot>({
  schema: literal<typeof SNAPSHOT_SCHEMA>(SNAPSHOT_SCHEMA),
  features: listOf(text(64), 64),
  workload: objectOf<SnapshotWorkload>({
    spiffeId: text(2048),
    namespace: name,
    serviceAccount: name,
    labels: mapOf(text(63), 512),
  }),
  bundles: mapOf(listOf(text(65_536), 64), 1024),
  identities: listOf(objectOf<SnapshotIdentity>({ spiffeId: text(2048), namespace: name, name }), 100_000),
  allowTier: literal<Snapshot["allowTier"]>("Team", "Baseline"),
  policies: listOf(policy, 4096),
});

/**
 * Reads a snapshot as it was encoded: UTF-8, canonical JSON, closed shape. Another schema number, a feature or a field that
 * this version does not know is refused by name, because ignoring it could let somebody in.
 */
export function readSnapshot(bytes: Uint8Array): SnapshotReading {
  if (bytes.byteLength > MAX_SNAPSHOT_BYTES) return refuse(`has more than ${String(MAX_SNAPSHOT_BYTES)} bytes`);
  if (!isUtf8(bytes)) return refuse("is not UTF-8");
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let value: unknown;
  try {
    value = JSON.parse(buffer.toString("utf8"));
  } catch {
    return refuse("is not JSON");
  }
  const number = schemaOf(value);
  if (number !== SNAPSHOT_SCHEMA)
    return refuse(`has schema ${String(number)}, and this version reads ${String(SNAPSHOT_SCHEMA)}`);
  try {
    const snapshot = shape(value, "");
    const unknown = snapshot.features.find((feature) => !SNAPSHOT_FEATURES.includes(feature));
    if (unknown !== undefined) return refuse(`needs ${unknown}, which this version cannot enforce`);
    // Duplicate keys, or an order of another's making: what was read would not be what the version names.
    if (!encodeSnapshot(snapshot).bytes.equals(buffer)) return refuse("is not canonical JSON");
    return { ok: true, snapshot };
  } catch (error) {
    if (error instanceof ShapeError) return refuse(`is malformed: ${error.message}`);
    throw error;
  }
}

function refuse(why: string): SnapshotReading {
  return { ok: false, message: `the snapshot ${why}` };
}

/** Read before the rest, so that a newer document is refused for its number and not for its fields. */
function schemaOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "schema" in value ? value.schema : undefined;
}
