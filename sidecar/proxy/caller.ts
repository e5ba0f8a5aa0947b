/** Who is on the other side of a connection: verified once, and again when the bundles change or the certificate ends. */
import { PeerCache, type PeerRefusal, type VerifiedPeer, type Bundles } from "../../core/identity/index.ts";
import type { SourceFacts } from "../../core/policy/facts.ts";
import type { Configuration, InForce } from "../configuration.ts";

export type Verification =
  | { readonly ok: true; readonly peer: VerifiedPeer; readonly source: SourceFacts }
  | ({ readonly ok: false } & PeerRefusal);

export class Callers {
  readonly configuration: Configuration;
  readonly cache: PeerCache;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
    this.cache = new PeerCache();
  }
}

export class Caller {
  readonly address: string;
  /** DER, leaf first; empty when the client sent no certificate. */
  readonly #chain: readonly Uint8Array[];
  readonly #callers: Callers;
  #verifiedFor: InForce | undefined;
  #verification: Verification | undefined;

  constructor(address: string, chain: readonly Uint8Array[], callers: Callers) {
    this.address = address;
    this.#chain = chain;
    this.#callers = callers;
  }

  /** Whether its certificate was good when it was last looked at. */
  get known(): boolean {
    return this.#verification?.ok === true;
  }

  /** What the caller is counted as: its SPIFFE ID once that was verified, else its address. */
  get name(): string {
    return this.#verification?.ok === true ? this.#verification.source.spiffeId : this.address;
  }

  /** The caller as of now. Cheap while neither the configuration nor the certificate's validity has changed. */
  verify(now: number): Verification {
    const inForce = this.#callers.configuration.inForce;
    const known = this.#verification;
    if (known !== undefined && this.#verifiedFor === inForce && known.ok && now < known.peer.notAfter) return known;
    this.#verifiedFor = inForce;
    this.#verification = this.#verify(inForce, now);
    return this.#verification;
  }

  #verify(inForce: InForce | undefined, now: number): Verification {
    const bundles: Bundles = inForce?.bundles ?? new Map();
    const result = this.#callers.cache.validate(this.#chain, bundles, now);
    if (!result.ok) return result;
    const { id } = result.peer;
    const place = /^\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(id.path);
    return {
      ok: true,
      peer: result.peer,
      source: {
        spiffeId: id.uri,
        identity: {
          trustDomain: id.trustDomain,
          namespace: place?.[1] ?? "",
          serviceAccount: place?.[2] ?? "",
          name: inForce?.names.get(id.uri) ?? "",
        },
        address: this.address,
      },
    };
  }
}
