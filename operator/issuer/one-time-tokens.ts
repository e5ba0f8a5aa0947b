/** Attestation of processes that this operator starts itself: each is given a secret that counts once. */
import { hash, timingSafeEqual } from "node:crypto";
import { workloadId, type VerifiedPeer } from "../../core/identity/index.ts";
import type { Attestation, Attestor } from "./attestor.ts";
import type { Subject } from "./issuer.ts";

export interface OneTimeTokensOptions {
  readonly trustDomain: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
  /** How long a token waits to be used. */
  readonly lifeMs?: number;
}

const TOKEN_BYTES = 32;
const DEFAULT_LIFE_MS = 600_000;
/** For an answer that got lost: the same key may ask again with the same token. */
const REPEAT_MS = 60_000;
const MAX_TOKENS = 10_000;
const MAX_TOKEN_CHARACTERS = 256;

interface Token {
  readonly digest: Buffer;
  readonly subject: Subject;
  expires: number;
  /** Hash of the key that it was used for. */
  usedFor: string | undefined;
}

/**
 * Each token is bound to one workload and to the first key that comes with it. A workload that was given a token may renew
 * with its certificate until it is revoked.
 */
export class OneTimeTokens implements Attestor {
  readonly #options: OneTimeTokensOptions;
  /** By a prefix of the token's hash, which says nothing about the token. */
  readonly #tokens = new Map<string, Token>();
  readonly #subjects = new Map<string, Subject>();

  constructor(options: OneTimeTokensOptions) {
    this.#options = options;
  }

  /** A new token for a workload. */
  create(subject: Subject): string {
    this.#forgetExpired();
    if (this.#tokens.size >= MAX_TOKENS) throw new Error(`more than ${String(MAX_TOKENS)} tokens wait to be used`);
    const id = workloadId(this.#options.trustDomain, subject.namespace, subject.serviceAccount);
    const token = this.#options.randomBytes(TOKEN_BYTES).toString("base64url");
    const digest = hash("sha256", token, "buffer");
    const expires = this.#options.now() + (this.#options.lifeMs ?? DEFAULT_LIFE_MS);
    this.#tokens.set(indexOf(digest), { digest, subject, expires, usedFor: undefined });
    this.#subjects.set(id.uri, subject);
    return token;
  }

  /** Ends a workload's right to certificates; those that it has last until they end. */
  revoke({ namespace, serviceAccount }: Subject): void {
    this.#subjects.delete(workloadId(this.#options.trustDomain, namespace, serviceAccount).uri);
    for (const [index, { subject }] of this.#tokens) {
      if (subject.namespace === namespace && subject.serviceAccount === serviceAccount) this.#tokens.delete(index);
    }
  }

  attest(text: string, publicKeyInfo: Uint8Array): Promise<Attestation> {
    return Promise.resolve(this.#attest(text, publicKeyInfo));
  }

  renew(peer: VerifiedPeer): Promise<Attestation> {
    const subject = this.#subjects.get(peer.id.uri);
    return Promise.resolve(
      subject === undefined ? refuse(`${peer.id.uri} is no workload of this operator's`) : { ok: true, subject },
    );
  }

  #attest(text: string, publicKeyInfo: Uint8Array): Attestation {
    if (text.length > MAX_TOKEN_CHARACTERS) return refuse("the token is too long");
    const digest = hash("sha256", text, "buffer");
    const token = this.#tokens.get(indexOf(digest));
    if (token === undefined || !timingSafeEqual(token.digest, digest))
      return refuse("the token is not known, or was used");
    const now = this.#options.now();
    if (now > token.expires) {
      this.#tokens.delete(indexOf(digest));
      return refuse(token.usedFor === undefined ? "the token has expired" : "the token is not known, or was used");
    }
    const key = hash("sha256", publicKeyInfo, "hex");
    if (token.usedFor === undefined) {
      token.usedFor = key;
      token.expires = now + REPEAT_MS;
    } else if (token.usedFor !== key) return refuse("the token was used already, for another key");
    return { ok: true, subject: token.subject };
  }

  #forgetExpired(): void {
    const now = this.#options.now();
    for (const [index, { expires }] of this.#tokens) if (now > expires) this.#tokens.delete(index);
  }
}

const INDEX_BYTES = 16;

function indexOf(digest: Buffer): string {
  return digest.toString("hex", 0, INDEX_BYTES);
}

function refuse(message: string): Attestation {
  return { ok: false, message };
}
