/** A whole operator for tests: authority in a temporary folder, tokens, config server and door. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workloadId, type SpiffeId } from "../../core/identity/index.ts";
import { encodeSnapshot, SNAPSHOT_SCHEMA, type Encoded, type Snapshot } from "../../core/snapshot/index.ts";
import { ConfigServer, type ConfigServerOptions, type SnapshotVerdict } from "../../operator/config/index.ts";
import {
  CertificateAuthority,
  FolderCaStore,
  Issuer,
  OneTimeTokens,
  type Subject,
} from "../../operator/issuer/index.ts";
import { startOperatorServer, type Issuance, type OperatorServer } from "../../operator/grpc/server.ts";

export const TRUST_DOMAIN = "example.local";

export interface TestOperatorOptions {
  readonly ttlSeconds?: number;
  /** A folder with an authority from before. */
  readonly folder?: string;
  readonly port?: number;
  readonly config?: ConfigServerOptions;
}

export interface TestOperator {
  readonly id: SpiffeId;
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly authority: CertificateAuthority;
  readonly tokens: OneTimeTokens;
  readonly config: ConfigServer;
  readonly verdicts: readonly SnapshotVerdict[];
  readonly issuances: readonly Issuance[];
  stop(graceMs?: number): Promise<void>;
}

export async function startTestOperator(options: TestOperatorOptions = {}): Promise<TestOperator> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "sallyport-operator-")));
  const common = { now: Date.now, randomBytes };
  const authority = await CertificateAuthority.open({
    store: new FolderCaStore(folder),
    trustDomain: TRUST_DOMAIN,
    ...common,
  });
  const tokens = new OneTimeTokens({ trustDomain: TRUST_DOMAIN, ...common });
  const verdicts: SnapshotVerdict[] = [];
  const issuances: Issuance[] = [];
  const config = new ConfigServer({ onVerdict: (verdict) => verdicts.push(verdict), ...options.config });
  const id = workloadId(TRUST_DOMAIN, "sallyport", "operator");
  const ttlSeconds = (of: SpiffeId): number => (of.uri === id.uri ? 3600 : (options.ttlSeconds ?? 3600));
  const server: OperatorServer = await startOperatorServer({
    host: "127.0.0.1",
    port: options.port ?? 0,
    id,
    issuer: new Issuer({ authority, ttlSeconds, randomBytes }),
    attestor: tokens,
    config,
    onIssuance: (issuance) => issuances.push(issuance),
  });
  return {
    id,
    folder,
    address: `127.0.0.1:${String(server.port)}`,
    port: server.port,
    authority,
    tokens,
    config,
    verdicts,
    issuances,
    stop: (graceMs) => server.stop(graceMs),
  };
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** A workload of the tests. */
export function subjectOf(name: string): Subject {
  return { namespace: "inference", serviceAccount: name, instance: `${name}-0` };
}

/** A small snapshot of a workload; `mark` makes it another. */
export function snapshotOf(name: string, mark: string, change: Partial<Snapshot> = {}): Encoded {
  return encodeSnapshot({
    schema: SNAPSHOT_SCHEMA,
    features: [],
    workload: {
      spiffeId: workloadId(TRUST_DOMAIN, "inference", name).uri,
      namespace: "inference",
      serviceAccount: name,
      labels: { mark },
    },
    bundles: {},
    identities: [],
    allowTier: "Team",
    policies: [],
    ...change,
  });
}

/** Waits until something holds; fails with what was waited for. */
export async function until(what: string, holds: () => boolean, timeoutMs = 5000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${String(timeoutMs)} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
