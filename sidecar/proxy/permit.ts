/**
 * The one door to the engine, as a type. The pool sends only what comes with a Permit, and a Permit takes what every step
 * before it has produced: a verified peer, a decision that allowed, a reservation, the guards' plan, and the receipt of an
 * audit Begin that is on disk. The class is not exported as a value, its private field keeps look-alikes out, and
 * `grantPermit` is called in one place (admission.ts); a test holds the last.
 */
import type { GuardPlan } from "../../core/guards/plan.ts";
import type { VerifiedPeer } from "../../core/identity/validate.ts";
import type { Reservation } from "../../core/ledger/reservation.ts";
import type { Allowance } from "../../core/policy/decision.ts";
import type { Receipt } from "../audit/receipt.ts";

/** What is sent: the bytes that were inspected, and nothing of the caller's head but what is listed here. */
export interface EngineRequest {
  readonly method: "GET" | "POST";
  /** A path of the dialect's own table, never the caller's text. */
  readonly path: string;
  /** Field lines for the engine, each ending in CRLF. */
  readonly fields: string;
  readonly body: Buffer;
}

export interface Grounds {
  readonly peer: VerifiedPeer;
  readonly allowance: Allowance;
  readonly reservation: Reservation;
  readonly guards: GuardPlan;
  readonly receipt: Receipt;
}

class Permit {
  readonly #request: EngineRequest;
  readonly grounds: Grounds;
  #used = false;

  constructor(grounds: Grounds, request: EngineRequest) {
    this.grounds = grounds;
    this.#request = request;
  }

  /** The request, once: a permit is for one exchange. */
  use(): EngineRequest {
    if (this.#used) throw new Error("a permit was used twice");
    this.#used = true;
    return this.#request;
  }
}
export type { Permit };

/** Makes a permit; for admission.ts alone. */
export function grantPermit(grounds: Grounds, request: EngineRequest): Permit {
  return new Permit(grounds, request);
}
