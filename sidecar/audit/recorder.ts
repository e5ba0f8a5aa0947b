/** The exchange's side of the audit: Begin before, End after, Denied instead. */
import type { BeginRecord, DeniedRecord, EndRecord } from "../../core/audit/record.ts";
import { Refusals } from "./refusals.ts";
import { receiptFor, type Receipt } from "./receipt.ts";
import type { Spool } from "./spool.ts";

export class Recorder {
  readonly #exchanges: Spool;
  readonly #refused: Spool;
  readonly #refusals = new Refusals();

  /** Two series, so that refusals, which anybody can cause, never push out exchanges. */
  constructor(exchanges: Spool, refused: Spool) {
    this.#exchanges = exchanges;
    this.#refused = refused;
  }

  /** Calls back with the receipt once the record is durable, or with the error that kept it from being so. */
  begin(record: BeginRecord, done: (receipt: Receipt | undefined, error: Error | undefined) => void): void {
    this.#exchanges.append(record, (error) => {
      if (error === undefined) done(receiptFor(record.id), undefined);
      else done(undefined, error);
    });
  }

  end(record: EndRecord): void {
    this.#exchanges.append(record);
  }

  denied(record: DeniedRecord): void {
    if (this.#refusals.admit(record)) this.#refused.append(record);
  }

  /** Called once a second: tells what was counted, and looks after the files. `now`: Unix milliseconds. */
  turn(now: number): void {
    this.#exchanges.check();
    this.#refused.check();
    for (const record of this.#refusals.turn(now)) this.#refused.append(record);
  }

  /** Writes what is left. `now`: Unix milliseconds. */
  close(now: number): void {
    this.turn(now);
    this.#exchanges.close();
    this.#refused.close();
  }
}
