/** What a request may use up, set aside before it is sent. */
import type { Usage } from "../llm/exchange.ts";

/** Made by the ledger alone; a Permit needs one. */
export interface Reservation {
  /** The exchange is over: what it used stays spent, the rest is given back. Called once. */
  settle(usage: Usage): void;
}

/** The reservation of a request to which no limit applies: nothing is set aside. */
export const UNLIMITED: Reservation = { settle: () => undefined };
