const FIRST_MS = 100;
const MAX_MS = 30_000;

/** Waits that double from 0.1 s to 30 s, each cut by up to half at random, so that a thousand sidecars do not come at once. */
export class Backoff {
  readonly #random: () => number;
  #next = FIRST_MS;

  /** `random` gives numbers from 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The wait before the next attempt, in milliseconds. */
  next(): number {
    const wait = this.#next;
    this.#next = Math.min(wait * 2, MAX_MS);
    return wait * (1 - this.#random() / 2);
  }

  reset(): void {
    this.#next = FIRST_MS;
  }
}
