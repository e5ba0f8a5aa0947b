/**
 * Differential fuzzing of the expression engine: `node test/fuzz/cel/run.ts [--cases N] [--seed S]`. Prints what rules
 * explained and every disagreement that none did, and fails if there is one.
 */
import { parseArgs } from "node:util";
import { messageOf } from "../../support/cache.ts";
import { buildCelGo } from "../../support/cel-go/build.ts";
import { describe, fuzz } from "./fuzz.ts";

const { values: flags } = parseArgs({
  options: { cases: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const celGo = await buildCelGo().catch((error: unknown) => {
  say(`without cel-go: ${messageOf(error)}`);
  return undefined;
});
const start = performance.now();
const report = await fuzz({
  cases: Number(flags.cases),
  seed: Number(flags.seed),
  ...(celGo === undefined ? {} : { celGo }),
  progress: (done) => (done % 100_000 === 0 ? say(`${done} cases`) : undefined),
});
for (const [rule, count] of [...report.explained].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  say(`${String(count).padStart(7)}  ${rule}`);
for (const one of report.unexplained) say(describe(one));
const compared = Object.entries(report.compared).map(([oracle, count]) => `${oracle} ${count}`);
say(
  `seed ${flags.seed}: ${flags.cases} cases (${report.values} values) against ${compared.join(", ")} in ${((performance.now() - start) / 1000).toFixed(1)} s; ${report.unexplained.length} unexplained`,
);
process.exitCode = report.unexplained.length === 0 ? 0 : 1;
