/**
 * `npm run nightly [-- --hours N]`: what takes too long for every change. Fuzzing with a million cases, every bench with its
 * figures kept in bench/results/, and a soak of N hours (default 1). Each part runs whatever the others came to; the exit
 * code is 1 when one failed.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./tiers.ts";

interface Part {
  readonly name: string;
  /** Relative to the root, with its arguments. */
  readonly command: readonly string[];
}

function parts(hours: number): readonly Part[] {
  const benches = ["proxy", "cel", "decide", "llm"].filter((name) =>
    [`${name}.ts`, path.join(name, "bench.ts")].some((file) => fs.existsSync(path.join(ROOT, "bench", file))),
  );
  return [
    { name: "fuzz cel", command: ["test/fuzz/cel/run.ts", "--cases", "1000000", "--seed", String(Date.now() % 1e9)] },
    ...benches.map((name) => ({ name: `bench ${name}`, command: ["bench/run.ts", name, "--save"] })),
    { name: `soak ${hours} h`, command: ["test/soak/soak.ts", "--minutes", String(hours * 60), "--save"] },
  ];
}

async function run({ name, command }: Part): Promise<boolean> {
  process.stdout.write(`\n== ${name}\n`);
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...command], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return code === 0;
}

const { values } = parseArgs({ options: { hours: { type: "string", default: "1" } } });
const hours = Number(values.hours);
if (!(hours > 0 && hours <= 168)) {
  process.stderr.write("--hours takes a number of hours, at most 168\n");
  process.exitCode = 2;
} else {
  const failed: string[] = [];
  for (const part of parts(hours)) if (!(await run(part))) failed.push(part.name);
  process.stdout.write(failed.length === 0 ? "\nall passed\n" : `\nfailed: ${failed.join(", ")}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
