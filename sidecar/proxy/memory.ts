/** One bound for all bodies and whole answers that are held at once, whoever sends them. */
export class MemoryBudget {
  #left: number;

  /** `bytes`: what all holders together may hold. */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  get left(): number {
    return this.#left;
  }

  /** Takes bytes; false when they are not there, and then nothing is taken. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}
