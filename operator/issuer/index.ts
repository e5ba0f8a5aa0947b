/** Certificates for workloads: the authority, who may have one, and the signing. */
export type { Attestation, Attestor } from "./attestor.ts";
export { CertificateAuthority, type AuthorityOptions } from "./authority.ts";
export { FolderCaStore, type CaMaterial, type CaStore, type StoredAuthority } from "./ca-store.ts";
export { Issuer } from "./issuer.ts";
export type { Issued, IssueRefusal, IssueRefusalCode, IssuerOptions, Subject } from "./issuer.ts";
export { OneTimeTokens, type OneTimeTokensOptions } from "./one-time-tokens.ts";
