/** When an expression can be decided: the earliest phase in which everything that it reads is there. */
import type { RecordType } from "../cel/index.ts";
import { VARIABLES } from "./schema.ts";

/** In the order in which an exchange passes them. */
export const PHASES = ["Connect", "Request"] as const;
export type Phase = (typeof PHASES)[number];

const PHASE_OF: Readonly<Record<string, Phase>> = {
  source: "Connect",
  destination: "Connect",
  request: "Request",
  llm: "Request",
};

/** The variables that are there in a phase. */
export function variablesIn(phase: Phase): Readonly<Record<string, RecordType>> {
  const last = PHASES.indexOf(phase);
  return Object.fromEntries(Object.entries(VARIABLES).filter(([name]) => PHASES.indexOf(PHASE_OF[name]!) <= last));
}

/** The earliest phase of an expression that reads these paths ("source.spiffeId"). */
export function phaseOf(reads: readonly string[]): Phase {
  let latest = 0;
  for (const path of reads) {
    const name = path.split(".", 1)[0]!;
    latest = Math.max(latest, PHASES.indexOf(PHASE_OF[name] ?? "Request"));
  }
  return PHASES[latest]!;
}
