/** Proof that an exchange's Begin is on disk. Made by the recorder alone. */
class Receipt {
  readonly #id: string;

  constructor(id: string) {
    this.#id = id;
  }

  get id(): string {
    return this.#id;
  }
}
export type { Receipt };

/** For recorder.ts alone (a test holds that). */
export function receiptFor(id: string): Receipt {
  return new Receipt(id);
}
