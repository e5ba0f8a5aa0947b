import { runCelGo } from "./cel-go.ts";
import { compares, isValue, runBufbuild, runMarcbachmann, runOurs, type Outcome } from "./engines.ts";
import { generate, type Case } from "./generate.ts";
import { Random } from "./random.ts";
import { explain, type Disagreement, type Oracle } from "./rules.ts";

export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
  /** The program of test/support/cel-go, where it could be built. */
  readonly celGo?: string;
  /** Told after each batch how many cases are done. */
  readonly progress?: (done: number) => void;
}

export interface FuzzReport {
  /** How many cases each engine was asked, and in how many of them ours gave a value. */
  readonly compared: Readonly<Record<Oracle, number>>;
  readonly values: number;
  /** How often each rule explained a disagreement, by `engine: name`. */
  readonly explained: ReadonlyMap<string, number>;
  /** Disagreements that nothing explains, at most {@link MAX_KEPT}. */
  readonly unexplained: readonly (Disagreement & { readonly seed: number })[];
}

/** Cases made, run and forgotten together. */
const BATCH = 5_000;
const MAX_KEPT = 50;

/** Compares our engine with the others on generated cases; case n of a seed is the same whatever their number. */
export async function fuzz({ cases, seed, celGo, progress }: FuzzOptions): Promise<FuzzReport> {
  const compared = { "cel-go": 0, bufbuild: 0, marcbachmann: 0 };
  const explained = new Map<string, number>();
  const unexplained: (Disagreement & { seed: number })[] = [];
  let values = 0;
  for (let from = 0; from < cases; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, cases - from) }, (_, i) => {
      const caseSeed = Math.imul(seed, 1_000_003) + from + i;
      return { caseSeed, given: generate(new Random(caseSeed)) };
    });
    const ours = batch.map(({ given }) => runOurs(given));
    values += ours.filter(({ outcome }) => isValue(outcome)).length;
    const judge = (oracle: Oracle, index: number, theirs: Outcome): void => {
      const { caseSeed, given } = batch[index] ?? fail();
      const { outcome, why } = ours[index] ?? fail();
      compared[oracle]++;
      if (outcome === theirs || (!isValue(outcome) && !isValue(theirs))) return;
      const disagreement: Disagreement = { oracle, given, ours: outcome, why, theirs };
      const rule = explain(disagreement);
      if (rule !== undefined)
        explained.set(`${oracle}: ${rule.name}`, (explained.get(`${oracle}: ${rule.name}`) ?? 0) + 1);
      else if (unexplained.length < MAX_KEPT) unexplained.push({ ...disagreement, seed: caseSeed });
    };
    const asked = (oracle: Oracle): readonly number[] =>
      batch.flatMap(({ given }, i) => (compares(oracle, given) ? [i] : []));
    for (const i of asked("bufbuild")) judge("bufbuild", i, runBufbuild(caseAt(batch, i)));
    for (const i of asked("marcbachmann")) judge("marcbachmann", i, runMarcbachmann(caseAt(batch, i)));
    if (celGo !== undefined) {
      const indices = asked("cel-go");
      const outcomes = await runCelGo(
        celGo,
        indices.map((i) => caseAt(batch, i)),
      );
      indices.forEach((index, i) => judge("cel-go", index, outcomes[i] ?? fail()));
    }
    progress?.(Math.min(cases, from + BATCH));
  }
  return { compared, values, explained, unexplained };
}

function caseAt(batch: readonly { readonly given: Case }[], i: number): Case {
  return (batch[i] ?? fail()).given;
}

function fail(): never {
  throw new Error("a case without an answer");
}

/** A disagreement for a person to look into. */
export function describe({ oracle, given, ours, why, theirs, seed }: FuzzReport["unexplained"][number]): string {
  const used = Object.entries(given.input).filter(([name]) => new RegExp(`\\b${name}\\b`).test(given.expr));
  return [
    `case ${seed}: ${given.expr}`,
    `  input ${JSON.stringify(Object.fromEntries(used))}`,
    `  ours ${ours} ${why}`,
    `  ${oracle} ${theirs}`,
    `  features ${[...given.tags].join(", ")}`,
  ].join("\n");
}
