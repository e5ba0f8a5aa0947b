/**
 * The door to the pod: TLS 1.3 with certificates asked for from both sides. A client whose certificate is missing or wrong
 * still gets a connection, and on it nothing but a refusal that says so: verification is ours (core/identity), not the TLS
 * library's, because each peer is held to the bundle of its own trust domain.
 */
import { constants } from "node:crypto";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { Caller, type Callers } from "./caller.ts";
import { ClientConnection, type ConnectionLimits } from "./connection.ts";
import type { MemoryBudget } from "./memory.ts";
import type { Handler } from "./reply.ts";

export interface ServerIdentity {
  /** PEM, in memory only. */
  readonly key: string;
  /** PEM, leaf first. */
  readonly chain: string;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  readonly limits: ConnectionLimits;
  readonly memory: MemoryBudget;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** A failure of the server itself, which goes on. */
  readonly onError: (error: Error) => void;
}

/** Certificates that are read of a peer's chain. */
const MAX_CHAIN = 8;
const HANDSHAKE_MS = 5_000;
/** Of all connections, those that callers without a good certificate may hold: one in so many. */
const STRANGERS = 4;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: tls.Server;
  readonly #connections = new Set<ClientConnection>();
  #draining = false;
  #strangers = 0;

  constructor(identity: ServerIdentity, callers: Callers, handler: Handler, options: ListenerOptions) {
    this.#options = options;
    this.#server = tls.createServer({
      ...context(identity),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: HANDSHAKE_MS,
      noDelay: true,
    });
    this.#server.maxConnections = options.maxConnections;
    this.#server.on("secureConnection", (socket) => {
      const caller = new Caller(socket.remoteAddress ?? "", chainOf(socket), callers);
      const known = caller.verify(options.now()).ok;
      if (!known && this.#strangers >= options.maxConnections / STRANGERS) {
        socket.destroy();
        return;
      }
      if (!known) this.#strangers++;
      const connection = new ClientConnection(socket, caller, handler, options.memory, options.limits, options.clock);
      this.#connections.add(connection);
      socket.once("close", () => {
        this.#connections.delete(connection);
        if (!known) this.#strangers--;
      });
      if (this.#draining) connection.drain();
    });
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
    // A connection that cannot be accepted (no descriptor left) is lost; the server is not.
    this.#server.on("error", options.onError);
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Resolves with the port once connections are accepted. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: this.#options.host, port: this.#options.port, backlog: 1024 }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** New connections are made with the new certificate; those that stand go on. */
  renew(identity: ServerIdentity): void {
    this.#server.setSecureContext(context(identity));
  }

  /** Holds every connection to its time limits; called a few times a second. */
  sweep(now: number): void {
    for (const connection of this.#connections) connection.sweep(now);
  }

  /** Takes no further connection and no further request; resolves when the last answer is done. */
  async drain(): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.drain();
    await closed;
  }

  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
  }
}

function context(identity: ServerIdentity): tls.SecureContextOptions {
  return {
    key: identity.key,
    cert: identity.chain,
    // None: verification is ours, and Node keeps the peer's intermediates from us where it verifies too.
    ca: [],
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
    // Sessions would outlive a change of the bundles: every connection shows its certificate anew.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** The certificates that the peer sent, DER, leaf first. Asked once: Node gives the whole chain only to the first who asks. */
function chainOf(socket: tls.TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  // Not getPeerX509Certificate: it keeps some kilobytes outside the heap for ever, each time (Node 24.21).
  let certificate: tls.DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // An empty object stands for no certificate; a self-signed one is its own issuer.
  while (certificate?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(certificate.raw);
    const issuer: tls.DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}
