/**
 * `npm run bench -- NAME [--json] [--quick] [--save]`: runs one benchmark, prints its rows, ratios and bars, and fails when
 * a bar is missed. `--json` prints `{"ratios": …, "rows": …, …}` alone on stdout; `--save` keeps it in bench/results/.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { clears, formatBar, formatRows, type BenchOptions, type BenchResult } from "./result.ts";

interface Bench {
  readonly run: (options: BenchOptions) => Promise<BenchResult>;
}

/** A bench is NAME.ts or NAME/bench.ts in this folder. */
function benchFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const entry of fs.readdirSync(import.meta.dirname, { withFileTypes: true })) {
    const nested = path.join(import.meta.dirname, entry.name, "bench.ts");
    if (entry.isDirectory() && fs.existsSync(nested)) files.set(entry.name, nested);
    else if (/^[a-z0-9-]+\.ts$/u.test(entry.name) && !["run.ts", "result.ts"].includes(entry.name)) {
      files.set(entry.name.slice(0, -3), path.join(import.meta.dirname, entry.name));
    }
  }
  return files;
}

async function main(args: readonly string[]): Promise<number> {
  const flags = args.filter((arg) => arg.startsWith("--"));
  const [name, ...rest] = args.filter((arg) => !arg.startsWith("--"));
  const files = benchFiles();
  const file = name === undefined ? undefined : files.get(name);
  if (name === undefined || file === undefined) {
    process.stderr.write(`usage: npm run bench -- ${[...files.keys()].join("|")} [--json] [--quick] [--save]\n`);
    return 2;
  }
  const json = flags.includes("--json");
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const { run } = (await import(file)) as Bench;
  const loadBefore = os.loadavg()[0] ?? NaN;
  const result = await run({ quick: flags.includes("--quick"), say, args: rest });
  const [cpu] = os.cpus();
  const machine = { cores: os.cpus().length, cpu: cpu?.model ?? "", node: process.version, loadBefore };
  const whole = JSON.stringify({ bench: name, machine, ...result }, undefined, 2);
  if (flags.includes("--save")) save(name, whole);
  const bars = result.bars ?? [];
  if (json) process.stdout.write(`${whole}\n`);
  else print(result, loadBefore);
  return bars.every(clears) ? 0 : 1;
}

function save(name: string, text: string): void {
  const folder = path.join(import.meta.dirname, "results");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${name}.json`), `${text}\n`);
}

function print(result: BenchResult, loadBefore: number): void {
  const ratios = Object.entries(result.ratios).map(([name, value]) => `${name}: ${value.toFixed(3)}`);
  const notes = [...(result.notes ?? []), `load average before: ${loadBefore.toFixed(2)}`];
  const parts = [
    formatRows(result.rows),
    ratios.join("\n"),
    (result.bars ?? []).map(formatBar).join("\n"),
    notes.join("\n"),
  ];
  process.stdout.write(`${parts.filter((part) => part !== "").join("\n\n")}\n`);
}

process.exitCode = await main(process.argv.slice(2));
