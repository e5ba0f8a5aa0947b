/** Signs certificates for workloads whose identity is settled; what their requests ask for never adds anything. */
import { signLeaf, workloadId, type Hosts, type SigningRequest, type SpiffeId } from "../../core/identity/index.ts";
import { BACKDATING_MS, type CertificateAuthority } from "./authority.ts";

/** A workload, as it was attested. */
export interface Subject {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The pod, for people to read. */
  readonly instance: string;
  /** Names beside the SPIFFE ID, for clients that look for the host they called. */
  readonly hosts?: Hosts;
}

export type IssueRefusalCode =
  | "csr_malformed"
  | "csr_key"
  | "csr_signature"
  | "csr_subject"
  | "csr_attribute"
  | "csr_ca"
  | "csr_name"
  | "csr_extension"
  | "attestation_missing"
  | "attestation_failed";

export interface IssueRefusal {
  readonly ok: false;
  readonly code: IssueRefusalCode;
  readonly message: string;
}

export interface Issued {
  readonly ok: true;
  readonly id: SpiffeId;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** Unix milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface IssuerOptions {
  readonly authority: CertificateAuthority;
  /** Life of a workload's certificate in seconds; undefined for the default of an hour. */
  readonly ttlSeconds?: (id: SpiffeId) => number | undefined;
  readonly randomBytes: (size: number) => Buffer;
}

const DEFAULT_TTL_SECONDS = 3600;
const MIN_TTL_SECONDS = 1;
const MAX_TTL_SECONDS = 86_400;
const SERIAL_BYTES = 16;

export class Issuer {
  readonly #options: IssuerOptions;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  get authority(): CertificateAuthority {
    return this.#options.authority;
  }

  /** The ID of a subject in this trust domain. */
  idOf({ namespace, serviceAccount }: Subject): SpiffeId {
    return workloadId(this.#options.authority.trustDomain, namespace, serviceAccount);
  }

  /** Signs a certificate for the key of a request, whose possession was proven; `now` is Unix milliseconds. */
  issue(request: SigningRequest, subject: Subject, now: number): Issued | IssueRefusal {
    const id = this.idOf(subject);
    return judge(request, id) ?? this.sign(request.publicKeyInfo, id, subject.hosts, now);
  }

  /** Signs for a key that is known to be the subject's, such as the operator's own. */
  sign(publicKeyInfo: Uint8Array, id: SpiffeId, hosts: Hosts | undefined, now: number): Issued {
    const { authority, randomBytes, ttlSeconds } = this.#options;
    const wanted = ttlSeconds?.(id) ?? DEFAULT_TTL_SECONDS;
    const life = Math.min(Math.max(wanted, MIN_TTL_SECONDS), MAX_TTL_SECONDS) * 1000;
    const { issuer } = authority;
    const notBefore = Math.max(wholeSeconds(now - BACKDATING_MS), issuer.certificate.notBefore);
    const notAfter = Math.min(wholeSeconds(now + life), issuer.certificate.notAfter);
    const leaf = signLeaf(
      {
        id,
        publicKeyInfo,
        serial: randomBytes(SERIAL_BYTES),
        notBefore,
        notAfter,
        ...(hosts === undefined ? {} : { hosts }),
      },
      issuer,
    );
    return { ok: true, id, chain: [leaf, ...authority.intermediates], notBefore, notAfter };
  }
}

/** A request may ask for nothing, or for exactly the name that its sender has anyway. */
function judge({ hasSubject, extensions, otherAttributes }: SigningRequest, id: SpiffeId): IssueRefusal | undefined {
  const [attribute] = otherAttributes;
  if (hasSubject) return refuse("csr_subject", "the request asks for a subject name");
  if (attribute !== undefined) return refuse("csr_attribute", `the request has attribute ${attribute}`);
  if (extensions === undefined) return undefined;
  const { basicConstraints, subjectAltName, ...rest } = extensions;
  if (basicConstraints?.ca === true) return refuse("csr_ca", "the request asks for a CA certificate");
  if (subjectAltName !== undefined) {
    const { uris, others } = subjectAltName;
    const foreign = uris.find((uri) => uri !== id.uri);
    if (foreign !== undefined)
      return refuse("csr_name", `the request asks for ${foreign}, and its sender is ${id.uri}`);
    if (uris.length + others !== 1) return refuse("csr_name", `the request asks for names beside ${id.uri}`);
  }
  const { unsupported, ...known } = rest;
  const asked = [
    ...Object.keys(known),
    ...unsupported,
    ...(basicConstraints === undefined ? [] : ["basicConstraints"]),
  ];
  return asked.length === 0 ? undefined : refuse("csr_extension", `the request asks for the extension ${asked[0]!}`);
}

function refuse(code: IssueRefusalCode, message: string): IssueRefusal {
  return { ok: false, code, message };
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
