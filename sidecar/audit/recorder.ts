/** The exchange's side of the audit: Begin before, End after, Denied instead. */
import type { BeginRecord, DeniedRecord, EndRecord } from "../../core/audit/record.ts";
import { receiptFor, type Receipt } from "./receipt.ts";
import type { Spool } from "./spool.ts";

export class Recorder {
  readonly #spool: Spool;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  /** Calls back with the receipt once the record is durable, or with the error that kept it from being so. */
  begin(record: BeginRecord, done: (receipt: Receipt | undefined, error: Error | undefined) => void): void {
    this.#spool.append(record, (error) => {
      if (error === undefined) done(receiptFor(record.id), undefined);
      else done(undefined, error);
    });
  }

  end(record: EndRecord): void {
    this.#spool.append(record);
  }

  /** Calls back once the record is durable or has failed to be: the caller is refused either way. */
  denied(record: DeniedRecord, done?: () => void): void {
    this.#spool.append(record, done);
  }
}
