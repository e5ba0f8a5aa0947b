/** Who is on the other side of the operator's connections. */
import type { TLSSocket } from "node:tls";
import { bundleOf, PeerCache, type Bundles, type PeerValidation } from "../../core/identity/index.ts";
import type { CertificateAuthority } from "../issuer/index.ts";

const MAX_CHAIN = 8;

/**
 * The connections that are open, by the address of their other end, which is how gRPC names a call's connection. Only this
 * trust domain's workloads are known here.
 */
export class Peers {
  readonly #sockets = new Map<string, TLSSocket>();
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
    return this.#sockets.size;
  }

  add(socket: TLSSocket): void {
    const name = `${socket.remoteAddress ?? ""}:${String(socket.remotePort ?? 0)}`;
    this.#sockets.set(name, socket);
    socket.once("close", () => {
      if (this.#sockets.get(name) === socket) this.#sockets.delete(name);
    });
  }

  /** Verifies the certificate of a connection; `now` is Unix milliseconds. */
  verify(name: string, now: number): PeerValidation {
    const socket = this.#sockets.get(name);
    return this.#cache.validate(socket === undefined ? [] : chainOf(socket), this.#bundles, now);
  }

  destroy(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }
}

/** What the peer sent, DER, leaf first. */
function chainOf(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate = socket.getPeerX509Certificate();
  while (certificate !== undefined && chain.length < MAX_CHAIN) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
