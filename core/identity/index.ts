/** Who somebody is: SPIFFE IDs, X.509-SVIDs, trust bundles, signing requests, and the validation of peers. */
export { bundleOf, bundlesOf } from "./bundle.ts";
export type { BundleReading, Bundles, BundlesReading, TrustBundle } from "./bundle.ts";
export { Certificate, readCertificate, type CertificateReading } from "./certificate.ts";
export { createSigningRequest, readSigningRequest } from "./csr.ts";
export type { SigningRequest, SigningRequestReading } from "./csr.ts";
export { signIntermediate, signLeaf, signRoot } from "./issue.ts";
export type { Authority, AuthorityOptions, Hosts, LeafOptions, Validity } from "./issue.ts";
export { readBundleDocument, writeBundleDocument } from "./jwks.ts";
export type { BundleDocument, BundleDocumentReading } from "./jwks.ts";
export { PeerCache } from "./peer-cache.ts";
export { certificatesFromPem, certificatesToPem } from "./pem.ts";
export type { PeerRefusal, PeerRefusalCode } from "./refusal.ts";
export { isTrustDomain, parseSpiffeId, requireSpiffeId, trustDomainId, workloadId } from "./spiffe-id.ts";
export type { SpiffeId, SpiffeIdReading } from "./spiffe-id.ts";
export { isVerifiedPeer, validatePeer, type PeerValidation, type VerifiedPeer } from "./validate.ts";
