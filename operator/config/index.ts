/** Snapshots for sidecars: what is published, who has taken it, who has refused it. */
export { ConfigServer, MAX_SNAPSHOT_BYTES } from "./config-server.ts";
export type { ConfigServerOptions, ConnectedSidecar, SnapshotVerdict } from "./config-server.ts";
