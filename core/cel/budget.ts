/**
 * What one evaluation may spend, if nobody says otherwise: some milliseconds even of code that V8 has not
 * compiled yet, well under one once it has. Loops charge a step for each turn, and functions whose work or result
 * grows with their input charge for its size (a step is some twenty nanoseconds at worst).
 * Evaluation is synchronous, so the budget of the one that runs is module state; the compiled program
 * sets it and puts the former one back.
 */
export const DEFAULT_BUDGET = 250_000;

/** Thrown, not returned: no `||` may absorb it. Only the engine catches it. */
export class BudgetExceeded {
  readonly message = "evaluation budget exceeded";
}

/**
 * The budget of the running evaluation: `left` is counted down by compiled code, and has no end where no
 * evaluation runs; `spent` is what the last one took.
 */
export const budget: { left: number; spent: number } = { left: Number.POSITIVE_INFINITY, spent: 0 };

/** Spends `steps`; throws {@link BudgetExceeded} when they are not there. Implementations of functions call this before work whose size depends on the input. */
export function charge(steps: number): void {
  budget.left -= steps;
  if (budget.left < 0) throw new BudgetExceeded();
}

/** Spends for going through `length` bytes or UTF-16 units of text with a function of JavaScript. */
export function chargeText(length: number): void {
  charge(length >>> 4);
}
