/** The request's own variables, made when an expression reads them. */
import { Timestamp } from "../../core/cel/index.ts";
import type { RequestFacts } from "../../core/policy/facts.ts";
import type { RequestHead } from "./http1/head.ts";

/** Fields that carry credentials: no expression reads them, so no explanation prints them. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "x-api-key",
  "x-goog-api-key",
  "api-key",
  "dpop",
]);

export class RequestView implements RequestFacts {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly size: number;
  readonly #head: RequestHead;
  readonly #now: number;
  #headers: Map<string, string> | undefined;
  #time: Timestamp | undefined;

  /** `now`: Unix time in milliseconds; `size`: bytes of the body. */
  constructor(id: string, head: RequestHead, size: number, now: number) {
    this.id = id;
    this.method = head.method;
    this.path = head.target;
    this.host = head.host;
    this.size = size;
    this.#head = head;
    this.#now = now;
  }

  get headers(): ReadonlyMap<string, string> {
    if (this.#headers === undefined) {
      this.#headers = new Map();
      const { fields } = this.#head;
      for (let i = 0; i < fields.length; i += 2) {
        const name = fields[i]!;
        if (CREDENTIALS.has(name)) continue;
        const before = this.#headers.get(name);
        // Repeated fields are one list (RFC 9110 section 5.3).
        this.#headers.set(name, before === undefined ? fields[i + 1]! : `${before}, ${fields[i + 1]}`);
      }
    }
    return this.#headers;
  }

  get time(): Timestamp {
    this.#time ??= new Timestamp(Math.floor(this.#now / 1000), (this.#now % 1000) * 1_000_000);
    return this.#time;
  }
}
