/** Who is on the other side of the operator's connections. */
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { bundleOf, PeerCache, type Bundles, type PeerValidation } from "../../core/identity/index.ts";
import type { CertificateAuthority } from "../issuer/index.ts";

const MAX_CHAIN = 8;

/**
 * The connections that are open, by the address of their other end, which is how gRPC names a call's connection. Only this
 * trust domain's workloads are known here.
 */
export class Peers {
  readonly #peers = new Map<string, { readonly socket: TLSSocket; readonly chain: readonly Uint8Array[] }>();
  readonly #cache = new PeerCache();
  readonly #bundles: Bundles;

  constructor(authority: CertificateAuthority) {
    const { trustDomain, roots } = authority;
    const reading = bundleOf(
      trustDomain,
      roots.map((root) => root.raw),
    );
    if (!reading.ok) throw new Error(reading.message);
    this.#bundles = new Map([[trustDomain, reading.bundle]]);
  }

  get connections(): number {
    return this.#peers.size;
  }

  /**
   * Whether the connection may be served. To be called before anybody else looks at the peer's certificate: Node hands the
   * rest of a chain out once.
   */
  add(socket: TLSSocket): boolean {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) return false;
    const name = `${remoteAddress}:${String(remotePort)}`;
    // Two connections of one name, by way of two addresses of ours: calls could not be told apart, so neither could callers.
    if (this.#peers.has(name)) return false;
    const peer = { socket, chain: chainOf(socket) };
    this.#peers.set(name, peer);
    socket.once("close", () => this.#peers.delete(name));
    return true;
  }

  /** Verifies the certificate of a connection; `now` is Unix milliseconds. */
  verify(name: string, now: number): PeerValidation {
    return this.#cache.validate(this.#peers.get(name)?.chain ?? [], this.#bundles, now);
  }

  /** Ends a connection; nothing where it is gone. */
  drop(name: string): void {
    this.#peers.get(name)?.socket.destroy();
  }

  destroy(): void {
    for (const { socket } of this.#peers.values()) socket.destroy();
  }
}

/** What the peer sent, DER, leaf first. Node gives the whole chain only to the first who asks, and only while it does not verify by itself. */
function chainOf(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  // Not getPeerX509Certificate: it keeps some kilobytes outside the heap for ever, each time (Node 24.21).
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // An empty object stands for no certificate; a self-signed one is its own issuer.
  while (certificate?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(certificate.raw);
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}
