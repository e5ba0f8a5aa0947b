import { encodeConfigResponse } from "../../proto/config.ts";

const NOTHING: Uint8Array = new Uint8Array();
/** Messages kept per snapshot: streams of about the same age need the same few. */
const MAX_ENCODED = 8;

/** A snapshot as it was published. Its messages are encoded once and shared by the streams whose nonces are equal. */
export class Published {
  readonly bytes: Buffer;
  readonly version: string;
  readonly features: readonly string[];
  /** Unix milliseconds. */
  readonly at: number;
  readonly #encoded = new Map<number, Buffer>();

  constructor(bytes: Buffer, version: string, features: readonly string[], at: number) {
    this.bytes = bytes;
    this.version = version;
    this.features = features;
    this.at = at;
  }

  /** The message that brings the snapshot. */
  message(nonce: number): Buffer {
    const known = this.#encoded.get(nonce);
    if (known !== undefined) return known;
    const message = encodeConfigResponse({ version: this.version, nonce, snapshot: this.bytes });
    if (this.#encoded.size >= MAX_ENCODED) this.#encoded.clear();
    this.#encoded.set(nonce, message);
    return message;
  }

  /** The message for a sidecar that has it already. */
  confirmation(nonce: number): Buffer {
    return encodeConfigResponse({ version: this.version, nonce, snapshot: NOTHING });
  }
}
