/** Who asks for a certificate: a port. Standalone it is one-time tokens; in a cluster it will be the pod's own token. */
import type { VerifiedPeer } from "../../core/identity/index.ts";
import type { Subject } from "./issuer.ts";

export type Attestation =
  { readonly ok: true; readonly subject: Subject } | { readonly ok: false; readonly message: string };

export interface Attestor {
  /** Who holds this token; `publicKeyInfo` is the key that the certificate is wanted for, whose possession is proven. */
  attest(token: string, publicKeyInfo: Uint8Array): Promise<Attestation>;
  /** Whether somebody with a certificate of this trust domain may have the next one; the token is empty where there is none. */
  renew(peer: VerifiedPeer, token: string, publicKeyInfo: Uint8Array): Promise<Attestation>;
}
