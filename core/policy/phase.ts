/** When an expression can be decided: the earliest phase in which everything that it reads is there. */
import type { RuleAction } from "../api/types.ts";
import type { RecordType } from "../cel/index.ts";
import { VARIABLES } from "./schema.ts";

/** In the order in which an exchange passes them: a connection, its request's head and body, the prompt as guards see it, the answer. */
export const PHASES = ["Connect", "Request", "Prompt", "Answer"] as const;
export type Phase = (typeof PHASES)[number];

/** The phase from which on a variable is there. A variable is here from the day that something fills it. */
export type PhaseTable = Readonly<Record<string, Phase>>;

export const PHASE_OF: PhaseTable = {
  source: "Connect",
  destination: "Connect",
  request: "Request",
  llm: "Request",
};

/** The last phase in which a rule's action can still do what it says: an Allow and a Require open the door, or do not. */
const ACTS_UNTIL: Readonly<Record<RuleAction, Phase>> = { Allow: "Request", Deny: "Request", Require: "Request" };

/** The variables that are there in a phase. */
export function variablesIn(phase: Phase): Readonly<Record<string, RecordType>> {
  const there = Object.entries(VARIABLES).filter(([name]) => !isLater(PHASE_OF[name] ?? "Answer", phase));
  return Object.fromEntries(there);
}

/** The earliest phase of an expression that reads these paths ("source.spiffeId"). */
export function phaseOf(reads: readonly string[], table: PhaseTable = PHASE_OF): Phase {
  let latest: Phase = "Connect";
  for (const path of reads) {
    const [name = ""] = path.split(".", 1);
    const phase = table[name] ?? "Connect";
    if (isLater(phase, latest)) latest = phase;
  }
  return latest;
}

/** Why a rule of this action cannot read these paths; undefined when it can. */
export function phaseProblem(
  action: RuleAction,
  reads: readonly string[],
  table: PhaseTable = PHASE_OF,
): string | undefined {
  const phase = phaseOf(reads, table);
  const until = ACTS_UNTIL[action];
  if (!isLater(phase, until)) return undefined;
  const late = reads.find((path) => isLater(phaseOf([path], table), until)) ?? "";
  return `${late} is there from the phase ${phase} on, and ${action} acts in ${until} at the latest`;
}

function isLater(a: Phase, b: Phase): boolean {
  return PHASES.indexOf(a) > PHASES.indexOf(b);
}
