/**
 * `npm run nightly [-- --cases N --seed S --hours H]`: what takes too long for every change. Long differential fuzzing of the
 * expression language, every benchmark with its figures kept in bench/results/, then a soak of H hours. Fails when any
 * part does.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { parseArgs } from "node:util";

const ROOT = path.join(import.meta.dirname, "..");

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Math.floor(Date.now() / 86_400_000)) },
    hours: { type: "string", default: "1" },
  },
});

interface Step {
  readonly name: string;
  readonly args: readonly string[];
}

const STEPS: readonly Step[] = [
  {
    name: "fuzz the expression language",
    args: ["test/fuzz/cel/run.ts", "--cases", values.cases, "--seed", values.seed],
  },
  ...["decide", "cel", "llm", "proxy"].map((bench) => ({
    name: `bench ${bench}`,
    args: ["bench/run.ts", bench, "--save"],
  })),
  { name: "soak", args: ["test/soak/soak.ts", "--minutes", String(Number(values.hours) * 60), "--save"] },
];

const failed: string[] = [];
for (const { name, args } of STEPS) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = spawnSync(process.execPath, [...args], { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) failed.push(name);
}
process.stdout.write(failed.length === 0 ? "\nnightly: all well\n" : `\nnightly: failed: ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
