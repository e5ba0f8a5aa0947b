/** Which guards read a request and its answer. */
export interface GuardPlan {
  /** Whether the answer has to be read in full before any of it may pass. */
  readonly wholeAnswer: boolean;
}

/** The plan where no policy names a guard. */
export const NO_GUARDS: GuardPlan = { wholeAnswer: false };
