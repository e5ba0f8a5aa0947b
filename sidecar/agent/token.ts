/** Where the sidecar's token is: an inherited file descriptor, or a file that is replaced as its token ages. */
import { closeSync, readFileSync } from "node:fs";

export type TokenSource = { readonly fd: number } | { readonly file: string };

const MAX_TOKEN_CHARACTERS = 65_536;

/** Gives the token, and keeps it no longer than it must. */
export class Token {
  readonly #source: TokenSource;
  /** Of a file descriptor, which is read once; undefined before that, and empty once it is used. */
  #held: string | undefined;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** Empty where there is none any more. Throws where it cannot be read; the error does not contain it. */
  read(): string {
    const source = this.#source;
    if ("file" in source) return tidy(readFileSync(source.file, "utf8"), source.file);
    if (this.#held === undefined) {
      const text = readFileSync(source.fd, "utf8");
      closeSync(source.fd);
      this.#held = tidy(text, `file descriptor ${String(source.fd)}`);
    }
    return this.#held;
  }

  /** It has done its work. */
  used(): void {
    if (this.#held !== undefined) this.#held = "";
  }
}

function tidy(text: string, from: string): string {
  const token = text.trim();
  if (token === "") throw new Error(`there is no token in ${from}`);
  if (token.length > MAX_TOKEN_CHARACTERS) throw new Error(`the token in ${from} is too long`);
  return token;
}
