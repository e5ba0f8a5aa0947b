import { bundleOf, certificatesFromPem, readBundleDocument, type TrustBundle } from "../../core/identity/index.ts";

/** The roots that the sidecar is given to begin with: PEM certificates, or a JWKS document (SPIFFE Trust Domain and Bundle). */
export function readTrustBundle(text: string, trustDomain: string): TrustBundle {
  const isDocument = text.trimStart().startsWith("{");
  const reading = isDocument ? readBundleDocument(text, trustDomain) : bundleOf(trustDomain, certificatesFromPem(text));
  if (!reading.ok) throw new Error(reading.message);
  const bundle = "document" in reading ? reading.document.bundle : reading.bundle;
  if (bundle.roots.length === 0) throw new Error(`the bundle of ${trustDomain} has no root`);
  return bundle;
}
