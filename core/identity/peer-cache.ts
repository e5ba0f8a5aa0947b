/** Peers that were verified already, so that a connection that comes again skips the mathematics. */
import { hash } from "node:crypto";
import type { Bundles } from "./bundle.ts";
import { validatePeer, type PeerValidation, type VerifiedPeer } from "./validate.ts";

const DEFAULT_CAPACITY = 4096;

interface Entry {
  readonly peer: VerifiedPeer;
  /** Of the bundle that vouched for it. */
  readonly bundleVersion: string;
}

/**
 * Remembers verified peers by the hashes of their chains. What is remembered counts only while the bundle of the peer's
 * trust domain is the same and its validity lasts. Refusals are not remembered.
 */
export class PeerCache {
  readonly #entries = new Map<string, Entry>();
  readonly #capacity: number;

  /** `capacity`: how many peers are remembered; then the oldest gives way. */
  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** As `validatePeer`. */
  validate(chain: readonly Uint8Array[], bundles: Bundles, now: number): PeerValidation {
    if (chain.length === 0) return validatePeer(chain, bundles, now);
    const key = chain.map((der) => hash("sha256", der, "base64")).join("");
    const known = this.#entries.get(key);
    if (known !== undefined) {
      const { peer, bundleVersion } = known;
      const current = bundles.get(peer.id.trustDomain)?.version === bundleVersion;
      if (current && now >= peer.notBefore && now <= peer.notAfter) return { ok: true, peer };
      this.#entries.delete(key);
    }
    const result = validatePeer(chain, bundles, now);
    if (result.ok) this.#remember(key, result.peer, bundles);
    return result;
  }

  #remember(key: string, peer: VerifiedPeer, bundles: Bundles): void {
    const bundle = bundles.get(peer.id.trustDomain);
    if (bundle === undefined) return;
    if (this.#entries.size >= this.#capacity) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(key, { peer, bundleVersion: bundle.version });
  }
}
