/** The sidecar's own identity: asked for, and verified before it is believed. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  bundleOf,
  certificatesToPem,
  createSigningRequest,
  readCertificate,
  validatePeer,
  type SpiffeId,
  type TrustBundle,
} from "../../core/identity/index.ts";
import type { IssueResponse } from "../../proto/identity.ts";

/** An identity in force. The key is in memory only. */
export interface Identity {
  readonly id: SpiffeId;
  /** PEM, PKCS #8. */
  readonly key: string;
  /** PEM, leaf first. */
  readonly chain: string;
  /** The trust domain's bundle as the operator gave it. */
  readonly bundle: TrustBundle;
  /** Unix milliseconds. */
  readonly notAfter: number;
}

/** A key that a certificate is asked for; the same one until it comes. */
export class PendingKey {
  readonly csr: Buffer;
  readonly #privateKey: KeyObject;
  readonly #publicKeyInfo: Buffer;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#privateKey = privateKey;
    this.#publicKeyInfo = publicKey.export({ format: "der", type: "spki" });
    this.csr = createSigningRequest(publicKey, privateKey);
  }

  /** The identity that an answer gives this key; throws where the answer does not hold. `now` is Unix milliseconds. */
  accept(response: IssueResponse, trustDomain: string, now: number): Identity {
    const reading = bundleOf(trustDomain, response.roots);
    if (!reading.ok) throw new Error(reading.message);
    const { bundle } = reading;
    const result = validatePeer(response.chain, new Map([[trustDomain, bundle]]), now);
    if (!result.ok) throw new Error(`the certificate that came is no good (${result.code}): ${result.message}`);
    const { id, notAfter } = result.peer;
    if (id.uri !== response.spiffeId)
      throw new Error(`the certificate is ${id.uri}'s, and the answer says ${response.spiffeId}`);
    const leaf = readCertificate(response.chain[0]!);
    if (!leaf.ok || !leaf.certificate.publicKeyInfo.equals(this.#publicKeyInfo)) {
      throw new Error("the certificate that came is for another key");
    }
    const key = this.#privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    return { id, key, chain: certificatesToPem(response.chain), bundle, notAfter };
  }
}
