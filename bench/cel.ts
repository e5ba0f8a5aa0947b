/**
 * `npm run bench -- cel`: the time of one evaluation of nine request policies, ours beside cel-go (a Go program that times
 * itself), @bufbuild/cel, @marcbachmann/cel-js and the same condition written by hand in JavaScript, in turns in one run.
 * Bars: the geometric mean at most a quarter of cel-go's time, no policy above it.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import readline from "node:readline";
import type { Readable, Writable } from "node:stream";
import { messageOf } from "../test/support/cache.ts";
import { buildCelGo } from "../test/support/cel-go/build.ts";
import { engines, type Engine } from "./cel/engines.ts";
import { POLICIES } from "./cel/policies.ts";
import { medianOf, spread, type BenchOptions, type BenchResult, type Row, type Spread } from "./result.ts";

const ROUNDS = 9;
const QUICK_ROUNDS = 3;
/** How long one timing should take. */
const WINDOW_MS = 60;
const QUICK_WINDOW_MS = 10;

/** Nanoseconds of one evaluation over so many. */
type Timer = (policy: number, times: number) => number | Promise<number>;

interface Contender {
  readonly name: string;
  readonly time: Timer;
  /** Policies that it can run. */
  readonly runs: ReadonlySet<number>;
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const notes: string[] = [];
  const contenders: Contender[] = engines().map((engine) => inProcess(engine, notes));
  const celGo = await startCelGo().catch((error: unknown) => {
    notes.push(`without cel-go: ${messageOf(error).split("\n")[0] ?? ""}`);
    return undefined;
  });
  if (celGo !== undefined) contenders.push({ name: "cel-go", time: celGo.time, runs: new Set(POLICIES.keys()) });
  try {
    const times = await measure(contenders, options);
    return report(contenders, times, notes);
  } finally {
    await celGo?.stop();
  }
}

function inProcess(engine: Engine, notes: string[]): Contender {
  const programs = POLICIES.map((policy) => engine.prepare(policy));
  const runs = new Set<number>();
  for (const [i, program] of programs.entries()) {
    const outcome = program === undefined ? "cannot be compiled" : outcomeOf(program);
    if (outcome === "true") runs.add(i);
    else notes.push(`${engine.name} is not timed on ${POLICIES[i]?.name ?? ""}: ${outcome}`);
  }
  const time: Timer = (policy, times) => {
    const program = programs[policy];
    if (program === undefined) return NaN;
    const start = process.hrtime.bigint();
    for (let i = 0; i < times; i++)
      if (program() !== true) throw new Error(`${engine.name}: ${POLICIES[policy]?.name ?? ""} is not true`);
    return Number(process.hrtime.bigint() - start) / times;
  };
  return { name: engine.name, time, runs };
}

function outcomeOf(program: () => unknown): string {
  try {
    const value = program();
    return value === true
      ? "true"
      : `gives ${value instanceof Error ? messageOf(value) : (JSON.stringify(value) ?? typeof value)}`;
  } catch (error) {
    return `fails: ${messageOf(error).split("\n")[0] ?? ""}`;
  }
}

/** Times by contender and policy, one for each round; the first round warms up and sets how often each is run. */
async function measure(
  contenders: readonly Contender[],
  options: BenchOptions,
): Promise<readonly (readonly (readonly number[])[])[]> {
  const window = (options.quick ? QUICK_WINDOW_MS : WINDOW_MS) * 1e6;
  const times = contenders.map(() => POLICIES.map((): number[] => []));
  const counts = contenders.map(() => POLICIES.map(() => 0));
  for (let round = -1; round < (options.quick ? QUICK_ROUNDS : ROUNDS); round++) {
    for (const policy of POLICIES.keys()) {
      for (const [c, contender] of contenders.entries()) {
        if (!contender.runs.has(policy)) continue;
        const count = counts[c]?.[policy] ?? 0;
        if (count === 0) {
          await contender.time(policy, 2000);
          const once = await contender.time(policy, 2000);
          (counts[c] ?? [])[policy] = Math.max(100, Math.round(window / once));
        } else times[c]?.[policy]?.push(await contender.time(policy, count));
      }
    }
    options.say(round < 0 ? "warm" : `round ${round + 1}`);
  }
  return times;
}

function report(
  contenders: readonly Contender[],
  times: readonly (readonly (readonly number[])[])[],
  notes: readonly string[],
): BenchResult {
  const medians = (name: string): readonly number[] => {
    const c = contenders.findIndex((contender) => contender.name === name);
    return POLICIES.map((_, policy) => medianOf(spread(times[c]?.[policy] ?? [])));
  };
  const rows: Row[] = POLICIES.map(({ name }, policy) => {
    const figures: Record<string, Spread> = {};
    for (const [c, contender] of contenders.entries())
      if (contender.runs.has(policy)) figures[`${contender.name} ns`] = spread(times[c]?.[policy] ?? []);
    return { name, figures };
  });
  const celGo = medians("cel-go");
  const ratios: Record<string, number> = {};
  for (const contender of contenders) {
    if (contender.name === "cel-go") continue;
    const each = medians(contender.name)
      .map((time, i) => time / (celGo[i] ?? NaN))
      .filter(Number.isFinite);
    ratios[`cel.${contender.name}/cel-go`] = Math.exp(
      each.reduce((sum, ratio) => sum + Math.log(ratio), 0) / each.length,
    );
  }
  const ours = medians("ours").map((time, i) => time / (celGo[i] ?? NaN));
  POLICIES.forEach(({ name }, i) => (ratios[`cel.ours/cel-go.${name}`] = ours[i] ?? NaN));
  return {
    ratios,
    rows,
    bars: [
      { name: "ours / cel-go, geometric mean", value: ratios["cel.ours/cel-go"] ?? NaN, atMost: 0.25 },
      { name: "ours / cel-go, worst policy", value: Math.max(...ours), atMost: 1 },
    ],
    notes,
  };
}

interface CelGo {
  readonly time: Timer;
  readonly stop: () => Promise<void>;
}

async function startCelGo(): Promise<CelGo> {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(await buildCelGo(), ["bench"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("cel-go ended");
    return value;
  };
  child.stdin.write(
    `${JSON.stringify({ policies: POLICIES.map(({ expression, input, types }) => ({ expr: expression, input, types })) })}\n`,
  );
  if ((await answer()) !== "ready") throw new Error("cel-go did not get ready");
  return {
    time: async (policy, times) => {
      child.stdin.write(`${JSON.stringify([policy, times])}\n`);
      return Number(await answer());
    },
    stop: async () => {
      const closed = once(child, "close");
      child.stdin.end();
      await closed;
    },
  };
}
