/** The operator's parts that have nothing to do with where resources come from: the CA, attestation, the gRPC server. */
import { randomBytes } from "node:crypto";
import { requireSpiffeId, workloadId } from "../../core/identity/index.ts";
import type { Trust } from "../../core/snapshot/index.ts";
import { ConfigServer, type SnapshotVerdict } from "../../operator/config/index.ts";
import { startOperatorServer, type Issuance } from "../../operator/grpc/server.ts";
import { CertificateAuthority, FolderCaStore, Issuer, OneTimeTokens } from "../../operator/issuer/index.ts";
import type { GuardedWorkload } from "../../operator/reconcile/workloads.ts";

export interface OperatorOptions {
  readonly trustDomain: string;
  readonly caFolder: string;
  /** Life of the certificates of a SPIFFE ID; undefined for the default. */
  readonly ttlSeconds: (spiffeId: string) => number | undefined;
  readonly onVerdict: (verdict: SnapshotVerdict) => void;
  readonly onRefusal: (issuance: Issuance) => void;
  readonly onError: (error: unknown) => void;
}

export interface Operator {
  readonly id: string;
  /** HOST:PORT, on the loopback interface. */
  readonly address: string;
  readonly trust: Trust;
  /** PEM. */
  readonly roots: string;
  readonly issuer: Issuer;
  readonly config: ConfigServer;
  /** A one-time token for a workload's sidecar. */
  newToken(workload: GuardedWorkload): string;
  /** Ends a workload's right to certificates. */
  revoke(workload: GuardedWorkload): void;
  stop(): Promise<void>;
}

/** Namespace and service account of the operator's own SPIFFE ID. */
const OPERATOR = ["sallyport-system", "operator"] as const;
const HOST = "127.0.0.1";
/** So that clients which look for the host they called find it, on this machine. */
const LOOPBACK = [new Uint8Array([127, 0, 0, 1]), new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])];

export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { trustDomain, ttlSeconds, onVerdict, onRefusal, onError } = options;
  const store = new FolderCaStore(options.caFolder);
  const authority = await CertificateAuthority.open({ store, trustDomain, now: Date.now, randomBytes });
  const issuer = new Issuer({ authority, randomBytes, ttlSeconds: ({ uri }) => ttlSeconds(uri) });
  const tokens = new OneTimeTokens({ trustDomain, now: Date.now, randomBytes });
  const config = new ConfigServer({ onVerdict });
  const id = workloadId(trustDomain, ...OPERATOR).uri;
  const server = await startOperatorServer({
    host: HOST,
    port: 0,
    id: requireSpiffeId(id),
    issuer,
    attestor: tokens,
    config,
    onIssuance: (issuance) => {
      if (issuance.outcome === "refused") onRefusal(issuance);
    },
    onError,
  });
  return {
    id,
    address: `${HOST}:${String(server.port)}`,
    trust: { trustDomain, roots: authority.roots.map(({ raw }) => raw.toString("base64")) },
    roots: authority.rootsPem,
    issuer,
    config,
    newToken: ({ namespace, serviceAccount, name }) => {
      const hosts = { dnsNames: ["localhost", `${name}.${namespace}`], addresses: LOOPBACK };
      return tokens.create({ namespace, serviceAccount, instance: name, hosts });
    },
    revoke: ({ namespace, serviceAccount, name }) => tokens.revoke({ namespace, serviceAccount, instance: name }),
    stop: async () => await server.stop(),
  };
}
