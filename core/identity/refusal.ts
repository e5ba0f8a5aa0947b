/** Why there is no identity; stable, for answers and audit records. */
export type PeerRefusalCode =
  | "identity_missing"
  | "identity_malformed"
  | "identity_expired"
  | "identity_not_yet_valid"
  | "identity_untrusted"
  | "trust_domain_unknown"
  | "identity_invalid";

export interface PeerRefusal {
  readonly code: PeerRefusalCode;
  readonly message: string;
}
