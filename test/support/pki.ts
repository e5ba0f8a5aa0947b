/** Certificates for tests and benches: good SPIFFE leaves, and bad ones, from authorities made on the spot. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createPrivateKey, webcrypto } from "node:crypto";

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const HOUR_MS = 3_600_000;

/** A certificate chain and its key, both PEM. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

export interface LeafOptions {
  /** URI subject alternative names; a good SVID has one. */
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly subject?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly ca?: boolean;
}

export class Authority {
  readonly certificate: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.certificate = certificate;
    this.#keys = keys;
  }

  get pem(): string {
    return `${this.certificate.toString("pem")}\n`;
  }

  #keyIdentifier(): string {
    const extension = this.certificate.getExtension(x509.SubjectKeyIdentifierExtension);
    if (extension === null) throw new Error("the authority's certificate has no subject key identifier");
    return extension.keyId;
  }

  async leaf(options: LeafOptions): Promise<Credentials> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const ca = options.ca === true;
    const names = [
      ...(options.uris ?? []).map((value) => ({ type: "url" as const, value })),
      ...(options.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
      ...(options.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
    ];
    const usage = ca ? x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature;
    const subject = options.subject ?? "";
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      // the name as it is encoded there: what is compared is bytes
      issuer: this.certificate.subjectName,
      notBefore: options.notBefore ?? new Date(Date.now() - HOUR_MS),
      notAfter: options.notAfter ?? new Date(Date.now() + HOUR_MS),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(ca, undefined, true),
        new x509.KeyUsagesExtension(usage, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, subject === "")]),
        new x509.AuthorityKeyIdentifierExtension(this.#keyIdentifier()),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return { cert: `${certificate.toString("pem")}\n`, key: await pkcs8(keys.privateKey) };
  }
}

/** A self-signed root; with a trust domain it carries that domain's SPIFFE ID. */
export async function makeAuthority(trustDomain?: string): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const uri = trustDomain === undefined ? [] : [{ type: "url" as const, value: `spiffe://${trustDomain}` }];
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Test CA",
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + 24 * HOUR_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ...(uri.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(uri)]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return new Authority(certificate, keys);
}

/** An authority that exists already, from its PEM certificate and key. */
export async function readAuthority(certificatePem: string, keyPem: string): Promise<Authority> {
  const certificate = new x509.X509Certificate(certificatePem);
  const der = createPrivateKey(keyPem).export({ format: "der", type: "pkcs8" });
  const privateKey = await webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
  const publicKey = await certificate.publicKey.export(ALGORITHM, ["verify"]);
  return new Authority(certificate, { privateKey, publicKey });
}

async function pkcs8(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}
