/**
 * One bound for all bodies and whole answers that are held at once, and a share of it that no single caller can pass, so
 * that nobody's requests starve everybody else's.
 */

/** Takes and gives bytes in one caller's name. */
export interface Holder {
  /** False when they are not there; then nothing is taken. */
  take(bytes: number): boolean;
  /** Gives back what was taken. */
  give(bytes: number): void;
}

/** One caller may hold a quarter. */
const SHARE = 4;

export class MemoryBudget {
  readonly #perOwner: number;
  readonly #held = new Map<string, number>();
  #left: number;

  /** `bytes`: what all holders together may hold. */
  constructor(bytes: number) {
    this.#left = bytes;
    this.#perOwner = Math.ceil(bytes / SHARE);
  }

  get left(): number {
    return this.#left;
  }

  /** A holder for a caller, who is asked for when bytes are first taken: a connection's caller is known after its first head. */
  holder(owner: () => string): Holder {
    let name: string | undefined;
    return {
      take: (bytes) => this.#take((name ??= owner()), bytes),
      give: (bytes) => {
        if (name !== undefined) this.#give(name, bytes);
      },
    };
  }

  #take(owner: string, bytes: number): boolean {
    const held = (this.#held.get(owner) ?? 0) + bytes;
    if (bytes > this.#left || held > this.#perOwner) return false;
    this.#left -= bytes;
    this.#held.set(owner, held);
    return true;
  }

  #give(owner: string, bytes: number): void {
    const held = (this.#held.get(owner) ?? 0) - bytes;
    this.#left += bytes;
    if (held > 0) this.#held.set(owner, held);
    else this.#held.delete(owner);
  }
}
