/** Certificates for the identities that no pod of the folder has: the clients that a person plays by hand. */
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { certificatesToPem, parseSpiffeId } from "../../core/identity/index.ts";
import type { WorldIndex } from "../../core/snapshot/index.ts";
import type { Issuer } from "../../operator/issuer/index.ts";
import { replaceFile } from "./state.ts";

export interface Client {
  /** namespace/name of the LlmIdentity. */
  readonly identity: string;
  readonly spiffeId: string;
  readonly certificate: string;
  readonly key: string;
}

export class ClientCertificates {
  readonly #folder: string;
  readonly #issuer: Issuer;
  readonly #now: () => number;
  /** When each is renewed, by SPIFFE ID. */
  readonly #renewals = new Map<string, { readonly client: Client; readonly renewAt: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string, issuer: Issuer, now: () => number) {
    this.#folder = folder;
    this.#issuer = issuer;
    this.#now = now;
  }

  get clients(): readonly Client[] {
    return [...this.#renewals.values()].map(({ client }) => client);
  }

  /** Writes what is missing and removes what nobody is any more. `taken` are the SPIFFE IDs of pods. */
  update(index: WorldIndex, taken: ReadonlySet<string>): void {
    const wanted = [...index.identities].filter(([spiffeId]) => !taken.has(spiffeId));
    const names = new Map(wanted.map(([spiffeId, { metadata }]) => [spiffeId, metadata]));
    for (const spiffeId of this.#renewals.keys()) if (!names.has(spiffeId)) this.#renewals.delete(spiffeId);
    const folders = new Set<string>();
    for (const [spiffeId, { namespace = "", name }] of names) {
      // a-b/c and a/b-c are both a-b-c; "_" is in no name of Kubernetes.
      const plain = `${namespace}-${name}`;
      const folder = folders.has(plain) ? `${namespace}_${name}` : plain;
      folders.add(folder);
      const client = this.#clientIn(path.join(this.#folder, folder), `${namespace}/${name}`, spiffeId);
      const known = this.#renewals.get(spiffeId);
      if (known?.client.certificate !== client.certificate) this.#write(client);
    }
    for (const entry of readdirSync(this.#folder)) {
      if (!folders.has(entry)) rmSync(path.join(this.#folder, entry), { recursive: true });
    }
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.renew(), 30_000).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Makes those anew whose life is half over. */
  renew(): void {
    for (const { client, renewAt } of this.#renewals.values()) if (this.#now() >= renewAt) this.#write(client);
  }

  #clientIn(folder: string, identity: string, spiffeId: string): Client {
    return { identity, spiffeId, certificate: path.join(folder, "tls.crt"), key: path.join(folder, "tls.key") };
  }

  #write(client: Client): void {
    const reading = parseSpiffeId(client.spiffeId);
    if (!reading.ok) throw new Error(reading.message);
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const publicKeyInfo = publicKey.export({ format: "der", type: "spki" });
    const now = this.#now();
    const { chain, notAfter } = this.#issuer.sign(publicKeyInfo, reading.id, undefined, now);
    mkdirSync(path.dirname(client.key), { recursive: true, mode: 0o700 });
    replaceFile(client.key, privateKey.export({ format: "pem", type: "pkcs8" }).toString(), 0o600);
    replaceFile(client.certificate, certificatesToPem(chain), 0o600);
    this.#renewals.set(client.spiffeId, { client, renewAt: now + (notAfter - now) / 2 });
  }
}
