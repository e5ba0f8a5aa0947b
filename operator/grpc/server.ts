/**
 * The operator's door for sidecars: one port, gRPC over TLS 1.3. A client certificate is asked for and not required, for a
 * sidecar that comes for its first has none; each method decides what it needs. The handshake is ours and not the gRPC
 * library's, because verification is (core/identity): TLS sockets are handed to it once they stand.
 */
import { Server, ServerCredentials, ServerInterceptingCall, status } from "@grpc/grpc-js";
import type { handleBidiStreamingCall, ServerInterceptor } from "@grpc/grpc-js";
import { constants, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { certificatesToPem, type SpiffeId } from "../../core/identity/index.ts";
import type { ConfigRequest } from "../../proto/config.ts";
import { ISSUE, STREAM } from "../../proto/methods.ts";
import type { ConfigServer } from "../config/index.ts";
import type { Attestor, Issuer } from "../issuer/index.ts";
import { identityService, type Issuance } from "./identity-service.ts";
import { Peers } from "./peers.ts";

export type { Issuance } from "./identity-service.ts";

export interface OperatorServerOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** The operator's own ID, which sidecars expect. */
  readonly id: SpiffeId;
  readonly issuer: Issuer;
  readonly attestor: Attestor;
  readonly config: ConfigServer;
  /** Unix milliseconds. */
  readonly now?: () => number;
  readonly onIssuance?: (issuance: Issuance) => void;
  /** A failure of the operator's own upkeep, such as a new intermediate that cannot be saved. */
  readonly onError?: (error: unknown) => void;
  readonly maxConnections?: number;
  /** How long a connection may stay without a call. */
  readonly idleMs?: number;
  /** How long a call for a certificate may take, from its first byte to its answer. */
  readonly issueMs?: number;
}

export interface OperatorServer {
  readonly port: number;
  /** Ends streams and connections, by force after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

const MAX_REQUEST_BYTES = 65_536;
const MAX_RESPONSE_BYTES = 4_194_304 + 65_536;
const MAX_STREAMS_PER_CONNECTION = 16;
const DEFAULT_MAX_CONNECTIONS = 20_000;
const HANDSHAKE_MS = 10_000;
const KEEPALIVE_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
const UPKEEP_MS = 60_000;
const DEFAULT_IDLE_MS = 30_000;
const DEFAULT_ISSUE_MS = 15_000;
/** So that the status still arrives. */
const DROP_MS = 500;
const DEFAULT_GRACE_MS = 2_000;

/** Starts to listen; fails where it cannot. */
export async function startOperatorServer(options: OperatorServerOptions): Promise<OperatorServer> {
  const { issuer } = options;
  const now = options.now ?? Date.now;
  const peers = new Peers(issuer.authority);
  const grpc = grpcServer(options, peers, now);
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());

  const own = new OwnCertificate(issuer, options.id);
  const server = tls.createServer({
    ...own.context(now()),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    handshakeTimeout: HANDSHAKE_MS,
    noDelay: true,
  });
  server.maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  server.on("secureConnection", (socket) => {
    socket.on("error", () => socket.destroy());
    if (socket.alpnProtocol === "h2" && peers.add(socket)) injector.injectConnection(socket);
    else socket.destroy();
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.listen({ host: options.host, port: options.port, backlog: 1024 });
  try {
    await once(server, "listening");
    // A connection that cannot be accepted (no descriptor left) is lost; the server is not.
    server.on("error", (error) => options.onError?.(error));
  } catch (error) {
    grpc.forceShutdown();
    throw error;
  }

  const upkeep = setInterval(() => {
    issuer.authority
      .maintain()
      .then(() => {
        if (own.isDue(now())) server.setSecureContext(own.context(now()));
      })
      .catch((error: unknown) => options.onError?.(error));
  }, UPKEEP_MS).unref();

  return {
    port: (server.address() as AddressInfo).port,
    stop: async (graceMs = DEFAULT_GRACE_MS) => {
      clearInterval(upkeep);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      options.config.close();
      injector.drain(graceMs);
      const late = setTimeout(() => peers.destroy(), graceMs);
      await closed;
      clearTimeout(late);
      grpc.forceShutdown();
    },
  };
}

function grpcServer(options: OperatorServerOptions, peers: Peers, now: () => number): Server {
  const server = new Server({
    "grpc.enable_channelz": 0,
    "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
    "grpc.max_send_message_length": MAX_RESPONSE_BYTES,
    "grpc.max_concurrent_streams": MAX_STREAMS_PER_CONNECTION,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
    "grpc.max_connection_idle_ms": options.idleMs ?? DEFAULT_IDLE_MS,
    interceptors: [deadlineFor(ISSUE.path, options.issueMs ?? DEFAULT_ISSUE_MS, peers)],
  });
  const onIssuance = options.onIssuance ?? ignore;
  const { issuer, attestor } = options;
  server.addService({ Issue: ISSUE }, { Issue: identityService({ issuer, attestor, peers, now, onIssuance }) });
  const stream: handleBidiStreamingCall<ConfigRequest, Buffer> = (call) => {
    const verified = peers.verify(call.getPeer(), now());
    if (verified.ok) options.config.accept(call, verified.peer);
    else call.emit("error", { code: status.UNAUTHENTICATED, details: `${verified.code}: ${verified.message}` });
  };
  server.addService({ Stream: { ...STREAM, responseSerialize: (message: Buffer) => message } }, { Stream: stream });
  return server;
}

/** Ends calls of a method that last too long: a caller's own deadline is its own affair, and it may never end its request. */
function deadlineFor(path: string, ms: number, peers: Peers): ServerInterceptor {
  return (method, call) => {
    if (method.path !== path) return new ServerInterceptingCall(call);
    const timer = setTimeout(() => {
      call.sendStatus({ code: status.DEADLINE_EXCEEDED, details: `not done within ${String(ms)} ms` });
      // The request may stay half open for ever, and with it the connection.
      setTimeout(() => peers.drop(call.getPeer()), DROP_MS).unref();
    }, ms);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onCancel: () => clearTimeout(timer),
        }),
      sendStatus: (ending, next) => {
        clearTimeout(timer);
        next(ending);
      },
    });
  };
}

function ignore(): void {
  // Nobody wants to know.
}

/** The operator's own certificate: its own issuer signs it, and again when half of its life is over. */
class OwnCertificate {
  readonly #issuer: Issuer;
  readonly #id: SpiffeId;
  #renewAt = 0;

  constructor(issuer: Issuer, id: SpiffeId) {
    this.#issuer = issuer;
    this.#id = id;
  }

  isDue(now: number): boolean {
    return now >= this.#renewAt;
  }

  context(now: number): tls.SecureContextOptions {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const publicKeyInfo = publicKey.export({ format: "der", type: "spki" });
    const { chain, notAfter } = this.#issuer.sign(publicKeyInfo, this.#id, undefined, now);
    this.#renewAt = (now + notAfter) / 2;
    return {
      key: privateKey.export({ format: "pem", type: "pkcs8" }),
      cert: certificatesToPem(chain),
      // None: verification is ours, and Node keeps the peer's intermediates from us where it verifies too.
      ca: [],
      minVersion: "TLSv1.3",
      // Sessions would outlive a change of the bundle: every connection shows its certificate anew.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
  }
}
