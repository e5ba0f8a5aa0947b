/** The certificate authority of one trust domain: a root, and the intermediate that signs for workloads. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  certificatesFromPem,
  certificatesToPem,
  readCertificate,
  signIntermediate,
  signRoot,
  trustDomainId,
  type Authority,
  type Certificate,
} from "../../core/identity/index.ts";
import type { CaStore, StoredAuthority } from "./ca-store.ts";

export interface AuthorityOptions {
  readonly store: CaStore;
  readonly trustDomain: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
}

const SECOND = 1000;
const DAY = 86_400 * SECOND;
const ROOT_LIFE = 3650 * DAY;
const INTERMEDIATE_LIFE = 30 * DAY;
/** For clocks that are behind ours. */
export const BACKDATING_MS: number = 120 * SECOND;
const SERIAL_BYTES = 16;

/** Holds the keys in memory; opened from a store, which a new one is saved to before it signs anything. */
export class CertificateAuthority {
  readonly trustDomain: string;
  readonly #options: AuthorityOptions;
  readonly #root: Authority;
  #intermediate: Authority;

  private constructor(options: AuthorityOptions, root: Authority, intermediate: Authority) {
    this.trustDomain = options.trustDomain;
    this.#options = options;
    this.#root = root;
    this.#intermediate = intermediate;
  }

  /**
   * Opens the authority, or makes one where the store is empty. Fails where the store holds another trust domain's, one that
   * has ended, or keys that do not belong to their certificates.
   */
  static async open(options: AuthorityOptions): Promise<CertificateAuthority> {
    const stored = await options.store.load();
    if (stored === undefined) {
      const root = newRoot(options);
      const intermediate = newIntermediate(options, root);
      await save(options.store, root, intermediate);
      return new CertificateAuthority(options, root, intermediate);
    }
    const root = read(stored.root, "root");
    const intermediate = read(stored.intermediate, "intermediate");
    checkStored(options, root, intermediate);
    const authority = new CertificateAuthority(options, root, intermediate);
    await authority.maintain();
    return authority;
  }

  /** Signs for workloads. */
  get issuer(): Authority {
    return this.#intermediate;
  }

  /** What follows a leaf in its chain, DER. */
  get intermediates(): readonly Uint8Array[] {
    return [this.#intermediate.certificate.raw];
  }

  /** What the trust domain's bundle holds. */
  get roots(): readonly Certificate[] {
    return [this.#root.certificate];
  }

  /** The roots as PEM, for files. */
  get rootsPem(): string {
    return certificatesToPem(this.roots.map((root) => root.raw));
  }

  /** Makes a new intermediate when half of the present one's life is over. To be called from time to time, not twice at once. */
  async maintain(): Promise<void> {
    const { notBefore, notAfter } = this.#intermediate.certificate;
    if (this.#options.now() < (notBefore + notAfter) / 2) return;
    const next = newIntermediate(this.#options, this.#root);
    await save(this.#options.store, this.#root, next);
    this.#intermediate = next;
  }
}

function newRoot({ trustDomain, now, randomBytes }: AuthorityOptions): Authority {
  const { publicKey, privateKey } = newKey();
  const certificate = signRoot(
    {
      commonName: "Root",
      id: trustDomainId(trustDomain),
      publicKey,
      serial: randomBytes(SERIAL_BYTES),
      pathLength: 1,
      notBefore: now() - BACKDATING_MS,
      notAfter: now() + ROOT_LIFE,
    },
    privateKey,
  );
  return { certificate, key: privateKey };
}

function newIntermediate({ trustDomain, now, randomBytes }: AuthorityOptions, root: Authority): Authority {
  const { publicKey, privateKey } = newKey();
  const certificate = signIntermediate(
    {
      commonName: "Issuer",
      id: trustDomainId(trustDomain),
      publicKey,
      serial: randomBytes(SERIAL_BYTES),
      pathLength: 0,
      notBefore: now() - BACKDATING_MS,
      notAfter: Math.min(now() + INTERMEDIATE_LIFE, root.certificate.notAfter),
    },
    root,
  );
  return { certificate, key: privateKey };
}

function newKey(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

async function save(store: CaStore, root: Authority, intermediate: Authority): Promise<void> {
  await store.save({ root: written(root), intermediate: written(intermediate) });
}

function written({ certificate, key }: Authority): StoredAuthority {
  const pem = key.export({ format: "pem", type: "pkcs8" });
  return { certificate: certificatesToPem([certificate.raw]), key: pem.toString() };
}

function read({ certificate: pem, key: keyPem }: StoredAuthority, name: string): Authority {
  const [der, ...more] = certificatesFromPem(pem);
  if (der === undefined || more.length > 0) throw new Error(`the stored ${name} is not one certificate`);
  const reading = readCertificate(der);
  if (!reading.ok) throw new Error(`the stored ${name} cannot be used: ${reading.message}`);
  const { certificate } = reading;
  let key: KeyObject;
  try {
    key = createPrivateKey(keyPem);
  } catch (error) {
    throw new Error(`the key of the stored ${name} cannot be read`, { cause: error });
  }
  const belongs = createPublicKey(key).export({ format: "der", type: "spki" }).equals(certificate.publicKeyInfo);
  if (!belongs) throw new Error(`the key of the stored ${name} is not its certificate's`);
  return { certificate, key };
}

function checkStored({ trustDomain, now }: AuthorityOptions, root: Authority, intermediate: Authority): void {
  const expected = trustDomainId(trustDomain).uri;
  const [uri = "none"] = root.certificate.extensions.subjectAltName?.uris ?? [];
  if (uri !== expected) throw new Error(`the stored authority is of ${uri}, not of ${expected}`);
  if (now() > root.certificate.notAfter) {
    throw new Error(`the stored root ended at ${new Date(root.certificate.notAfter).toISOString()}`);
  }
  const signed =
    intermediate.certificate.mayBeIssuedBy(root.certificate) && intermediate.certificate.isSignedBy(root.certificate);
  if (!signed) throw new Error("the stored intermediate is not the stored root's");
}
