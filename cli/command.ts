/** What every subcommand has in common. */
import { types } from "node:util";

/** Exit codes, the same for every subcommand; documented in `sallyport --help`. */
export const EXIT = {
  ok: 0,
  /** What was checked is wrong, or what was asked is denied. */
  failed: 1,
  usage: 2,
  /** Something that it needs is not there: a port, a file, a folder. */
  couldNotStart: 3,
  /** Ended by a second Ctrl-C. */
  killed: 130,
} as const;

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /** Returns the exit code. Throws a UsageError for a wrong command line, a StartError for what is missing. */
  run(args: readonly string[]): Promise<number>;
}

export class UsageError extends Error {}

export class StartError extends Error {}

/** An error's message with those of its causes. */
export function messageOf(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

/** The code of an error that Node made, such as EADDRINUSE. */
export function codeOf(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
