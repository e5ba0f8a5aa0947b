/**
 * Where the operator's resources come from: an API server, or a folder. A source tells of single objects; what it has told
 * is consistent whenever it says `synced`, and only then.
 */
import type { Known, Located, Problem } from "../../core/api/index.ts";

export type SourceEvent =
  /** A resource is new or has changed. */
  | { readonly type: "applied"; readonly document: Located<Known> }
  /** A resource is gone. `key` is core/api's resourceKey. */
  | { readonly type: "deleted"; readonly key: string }
  /** What was told up to here belongs together. `changedAt` is when the first of the changes was seen (clock of the source, ms). */
  | { readonly type: "synced"; readonly changedAt: number }
  /**
   * A change would take these away, and may be a file that is still being written: it is taken if it stands still so long.
   * What was told before goes on to hold until then.
   */
  | { readonly type: "waiting"; readonly losing: readonly string[]; readonly waitMs: number }
  /** A change was not taken: what was told before goes on to hold, whole. */
  | { readonly type: "refused"; readonly problems: readonly Problem[]; readonly changedAt: number };

export interface Source {
  /** Starts telling. Resolves when everything that is there was told and `synced`, or refused. Called once. */
  start(handler: (event: SourceEvent) => void): Promise<void>;
  /** Stops telling; leaves nothing open. */
  stop(): Promise<void>;
}
