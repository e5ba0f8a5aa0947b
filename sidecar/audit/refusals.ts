/**
 * Bounds what refused requests may write: of equal refusals (same caller, same code) some a second are written in full, the
 * rest are counted and told by one record when the second is over. So nobody's flood pushes anything else out of the audit,
 * and no refusal goes unrecorded.
 */
import type { DeniedRecord, RepeatedRecord } from "../../core/audit/record.ts";

/** Equal refusals that are written in full within a second. */
const IN_FULL = 20;
/** Kinds of refusals that are told apart within a second; beyond it they are counted together by code. */
const MAX_KINDS = 1_000;

interface Kind {
  readonly caller: string;
  readonly code: string;
  seen: number;
}

export class Refusals {
  #kinds = new Map<string, Kind>();

  /** Whether this one is written in full. If not it is counted. */
  admit(record: DeniedRecord): boolean {
    const caller = record.peer === "" ? record.address : record.peer;
    let kind = this.#kinds.get(`${record.code} ${caller}`);
    if (kind === undefined) {
      const full = this.#kinds.size >= MAX_KINDS;
      const name = full ? `${record.code} ` : `${record.code} ${caller}`;
      kind = this.#kinds.get(name);
      if (kind === undefined)
        this.#kinds.set(name, (kind = { caller: full ? "" : caller, code: record.code, seen: 0 }));
    }
    return ++kind.seen <= IN_FULL;
  }

  /** A second is over: a record for each kind that was counted. `now`: Unix milliseconds. */
  turn(now: number): RepeatedRecord[] {
    const kinds = this.#kinds;
    if (kinds.size === 0) return [];
    this.#kinds = new Map();
    return [...kinds.values()]
      .filter(({ seen }) => seen > IN_FULL)
      .map(({ caller, code, seen }) => ({ kind: "Repeated", time: now, caller, code, count: seen - IN_FULL }));
  }
}
