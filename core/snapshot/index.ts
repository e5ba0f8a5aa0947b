/** From resources to what one sidecar needs. */
export * from "./types.ts";
export { compileFrom, compileSnapshot, type Workload } from "./compile.ts";
export { encodeSnapshot, versionOf, type Encoded } from "./encode.ts";
export { MAX_SNAPSHOT_BYTES, readSnapshot, SNAPSHOT_FEATURES, type SnapshotReading } from "./read.ts";
export { ruleFindings } from "./rule-findings.ts";
export { EMPTY_WORLD, indexWorld, workloadSpiffeId, worldOf } from "./world.ts";
export type { Finding, Trust, World, WorldIndex } from "./world.ts";
