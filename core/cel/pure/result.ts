/** The outcome of a pure computation: a value, or the reason why there is none. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

/** Wraps a value as a successful result. */
export function success<T>(value: T): Result<T> {
  return { ok: true, value };
}

/** A failed result; the message is lower case and has no period. */
export function failure(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}
