/**
 * Runs tests by tier: `node tools/test.ts [TIER …] [-- PART OF A FILE'S NAME …] [JEST'S OPTIONS]`; without a tier, all that
 * `npm test` stands for.
 *
 * Progress is jest's own. What could not run is named in one line with its reason; the last line is
 * `N passed, N failed` or `N passed, N failed, N skipped`. With CI=true what is skipped has failed: there every tier must
 * run whole.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DEFAULT_TIERS, ROOT, TIERS, testFiles, type Tier } from "./tiers.ts";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What one tier came to. `notes` are lines for a person. */
export interface TierResult extends Counts {
  readonly notes: readonly string[];
}

/** What jest-counts.mjs writes. */
export interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that could not be loaded: their tests are in no other number. */
  readonly numRuntimeErrorTestSuites: number;
}

/** A jest that ended badly without a failed test (a crash, an open handle) counts as one failure. */
export function countsOf(report: JestReport | undefined, exitCode: number): Counts {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Adds up the tiers. In CI whatever was skipped is a failure. */
export function total(results: readonly Counts[], ci: boolean): Counts {
  const sum = (of: (counts: Counts) => number): number => results.reduce((all, counts) => all + of(counts), 0);
  const counts = { passed: sum((c) => c.passed), failed: sum((c) => c.failed), skipped: sum((c) => c.skipped) };
  return ci ? { passed: counts.passed, failed: counts.failed + counts.skipped, skipped: 0 } : counts;
}

/** The line that ends a run. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}

async function runTier(tier: Tier, jestArguments: readonly string[]): Promise<TierResult> {
  const none: TierResult = { passed: 0, failed: 0, skipped: 0, notes: [] };
  const parts = jestArguments.filter((argument) => !argument.startsWith("-"));
  const options = jestArguments.filter((argument) => argument.startsWith("-"));
  const all = testFiles(tier);
  const files = parts.length === 0 ? all : all.filter((file) => parts.some((part) => file.includes(part)));
  if (all.length === 0) return { ...none, notes: [`${tier.name}: not there yet`] };
  if (files.length === 0) return { ...none, notes: [`${tier.name}: no file is named like ${parts.join(", ")}`] };
  const missing = tier.missing?.();
  if (missing !== undefined) return { ...none, skipped: 1, notes: [`${tier.name}: skipped: ${missing}`] };
  process.stdout.write(`\n${tier.name}: ${files.length} files\n`);
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "sallyport-run-"));
  try {
    const counted = path.join(scratch, "counts.json");
    const skips = path.join(scratch, "skips");
    const exitCode = await jest(tier, files, options, { SALLYPORT_COUNTS: counted, SALLYPORT_SKIPS: skips });
    const report = fs.existsSync(counted) ? (JSON.parse(fs.readFileSync(counted, "utf8")) as JestReport) : undefined;
    const counts = countsOf(report, exitCode);
    return { ...counts, notes: [`${tier.name}: ${closingLine(counts)}`, ...reasons(skips, tier, counts.skipped)] };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** Test files that skip something write the reason, a line each, to the file named by SALLYPORT_SKIPS. */
function reasons(file: string, tier: Tier, skipped: number): readonly string[] {
  const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
  const given = [...new Set(lines)].map((line) => `${tier.name}: skipped in part: ${line}`);
  return given.length === 0 && skipped > 0 ? [`${tier.name}: ${skipped} tests skipped without a reason`] : given;
}

async function jest(
  tier: Tier,
  files: readonly string[],
  extra: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      "--experimental-vm-modules",
      "--disable-warning=ExperimentalWarning",
      path.join(ROOT, "node_modules", "jest", "bin", "jest.js"),
      `--maxWorkers=${tier.workers}`,
      "--reporters=default",
      `--reporters=${path.join(ROOT, "tools", "jest-counts.mjs")}`,
      "--runTestsByPath",
      ...files,
      ...extra,
    ],
    {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, NODE_OPTIONS: "--disable-warning=ExperimentalWarning", ...env },
    },
  );
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

async function main(args: readonly string[]): Promise<number> {
  const split = args.indexOf("--");
  const names = split < 0 ? args : args.slice(0, split);
  const jestArguments = split < 0 ? [] : args.slice(split + 1);
  const unknown = names.filter((name) => !TIERS.some((tier) => tier.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`no tier ${unknown.join(", ")}; there are ${TIERS.map((tier) => tier.name).join(", ")}\n`);
    return 2;
  }
  const wanted = names.length === 0 ? DEFAULT_TIERS : names;
  const ci = process.env["CI"] === "true";
  const results: TierResult[] = [];
  for (const tier of TIERS.filter((tier) => wanted.includes(tier.name)))
    results.push(await runTier(tier, jestArguments));
  const counts = total(results, ci);
  const notes = results.flatMap((result) => result.notes);
  if (ci && counts.failed > total(results, false).failed) notes.push("in CI what is skipped has failed");
  process.stdout.write(`\n${notes.join("\n")}\n${closingLine(counts)}\n`);
  return counts.failed === 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2));
