/**
 * `npm run bench -- proxy`: what a request costs in the sidecar, beside Envoy and nginx on the same machine.
 *
 * Every proxy ends mutual TLS 1.3, decides by the client's SPIFFE identity, and logs each request. Before anything counts,
 * the client must get 200 and the intruder 403. Repeats are interleaved so that a busy moment hits all alike. A single
 * error voids a row. Only ratios are judged: they travel between machines, figures do not.
 */
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { spread, type Bar, type BenchOptions, type BenchResult, type Row } from "../result.ts";
import { residentBytes } from "./cpu.ts";
import { startEnvoy } from "./envoy.ts";
import { makeIdentities } from "./identities.ts";
import type { Job } from "./load.ts";
import { measure, probe, type Measured } from "./measure.ts";
import { startNginxProxy, startNginxUpstream } from "./nginx.ts";
import { readyMs, startSallyport } from "./sallyport.ts";
import { destination, Unavailable, type Target, type Upstream } from "./target.ts";
import { startTokenUpstream, TOKENS } from "./token-upstream.ts";
import { CHAT_PATH, chatBody } from "./wire.ts";

const CONNECTIONS = 32;
const PER_SECOND = 500;
const STREAMS = 100;
const MEBIBYTE = 1024 * 1024;

/** One kind of load, and the figures that it gives. */
interface Scenario {
  readonly name: string;
  readonly upstream: "plain" | "tokens";
  readonly job: (to: Job["to"], warmUpMs: number, windowMs: number) => Job;
  readonly figures: (measured: Measured, windowMs: number) => Readonly<Record<string, number>>;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "http1",
    upstream: "plain",
    job: (to, warmUpMs, windowMs) => ({ kind: "closed", to, warmUpMs, windowMs, connections: CONNECTIONS }),
    figures: ({ count, cpu, p50, p99 }, windowMs) => ({
      "requests/CPU-s": count / (cpu.userSeconds + cpu.systemSeconds),
      "user µs": (cpu.userSeconds * 1e6) / count,
      "system µs": (cpu.systemSeconds * 1e6) / count,
      "requests/s": (count * 1000) / windowMs,
      "p50 ms": p50 / 1000,
      "p99 ms": p99 / 1000,
    }),
  },
  {
    name: "paced",
    upstream: "plain",
    job: (to, warmUpMs, windowMs) => {
      return { kind: "paced", to, warmUpMs, windowMs, connections: CONNECTIONS, perSecond: PER_SECOND };
    },
    figures: ({ p50, p99 }) => ({ "p50 ms": p50 / 1000, "p99 ms": p99 / 1000 }),
  },
  {
    name: "sse",
    upstream: "tokens",
    job: (to, warmUpMs, windowMs) => ({ kind: "streams", to, warmUpMs, windowMs, streams: STREAMS, tokens: TOKENS }),
    figures: ({ count, cpu, p50, p99, firstByteP50 }) => ({
      "CPU µs/token": ((cpu.userSeconds + cpu.systemSeconds) * 1e6) / count,
      "token p50 ms": p50 / 1000,
      "token p99 ms": p99 / 1000,
      "first byte p50 ms": (firstByteP50 ?? NaN) / 1000,
    }),
  },
];

/** Starts every proxy that can be had in front of an upstream. What cannot be had is said and left out. */
async function startTargets(upstream: Upstream, notes: string[]): Promise<readonly Target[]> {
  const identities = await makeIdentities();
  const starts = [
    async () => await startSallyport(upstream),
    async () => await startEnvoy(identities, upstream, false),
    async () => await startEnvoy(identities, upstream, true),
    async () => await startNginxProxy(identities, upstream),
  ];
  const targets: Target[] = [];
  for (const start of starts) {
    try {
      targets.push(await start());
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      if (!notes.includes(error.message)) notes.push(error.message);
    }
  }
  return targets;
}

/** Undefined when the proxy lets in whom it should and nobody else. */
async function gate(target: Target): Promise<string | undefined> {
  const client = await probe(destination(target, "client"), CHAT_PATH, chatBody(false));
  if (client !== 200) return `the client got ${client}`;
  const intruder = await probe(destination(target, "intruder"), CHAT_PATH, chatBody(false));
  if (intruder !== 403) return `the intruder got ${intruder}`;
  const elsewhere = await probe(destination(target, "client"), "/v1/elsewhere", chatBody(false));
  return elsewhere === 403 || elsewhere === 404 ? undefined : `another path got ${elsewhere}`;
}

interface Window {
  readonly repeats: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
}

/** Runs a scenario over all targets, interleaved and in alternating order, and over the upstream itself (`direct`). */
async function runScenario(
  scenario: Scenario,
  targets: readonly Target[],
  upstream: Upstream,
  { repeats, warmUpMs, windowMs }: Window,
  say: (line: string) => void,
): Promise<readonly Row[]> {
  const subjects = [
    { name: "direct", to: { port: upstream.port }, pid: process.pid, closed: undefined },
    ...(await Promise.all(
      targets.map(async (target) => ({
        name: target.name,
        to: destination(target, "client"),
        pid: target.pid,
        closed: await gate(target),
      })),
    )),
  ];
  const figures = new Map<string, Record<string, number>[]>();
  const voids = new Map<string, string>();
  for (const { name, closed } of subjects) if (closed !== undefined) voids.set(name, closed);
  for (let repeat = 0; repeat < repeats; repeat++) {
    const order = repeat % 2 === 0 ? subjects : subjects.toReversed();
    for (const { name, to, pid } of order) {
      if (voids.has(name)) continue;
      const measured = await measure(scenario.job(to, warmUpMs, windowMs), pid);
      if (measured.errors.length > 0) voids.set(name, measured.errors.join("; "));
      else figures.set(name, [...(figures.get(name) ?? []), { ...scenario.figures(measured, windowMs) }]);
    }
    say(`${scenario.name}: repeat ${repeat + 1} of ${repeats}, load average ${(os.loadavg()[0] ?? NaN).toFixed(2)}`);
  }
  return subjects.map(({ name }) => rowOf(`${scenario.name} ${name}`, figures.get(name) ?? [], voids.get(name)));
}

function rowOf(name: string, runs: readonly Readonly<Record<string, number>>[], voided: string | undefined): Row {
  if (voided !== undefined) return { name, figures: {}, void: voided };
  const names = Object.keys(runs[0] ?? {}).filter((figure) => !(name.endsWith("direct") && /CPU|µs/u.test(figure)));
  const figures = names.map((figure) => [figure, spread(runs.map((run) => run[figure] ?? NaN))] as const);
  return { name, figures: Object.fromEntries(figures) };
}

async function idleRow(target: Target, say: (line: string) => void): Promise<Row> {
  await sleep(2_000);
  const figures: Record<string, number> = { "idle MiB": residentBytes(target.pid) / MEBIBYTE };
  say(`idle ${target.name}: ${figures["idle MiB"]?.toFixed(1)} MiB`);
  return { name: `idle ${target.name}`, figures };
}

export async function run({ quick, say }: BenchOptions): Promise<BenchResult> {
  const window = quick
    ? { repeats: 1, warmUpMs: 500, windowMs: 1_000 }
    : { repeats: 5, warmUpMs: 1_500, windowMs: 3_000 };
  const notes: string[] = [];
  const rows: Row[] = [];
  const plain = await plainUpstream(notes);
  const tokens = await startTokenUpstream();
  for (const kind of ["plain", "tokens"] as const) {
    const upstream = kind === "plain" ? plain : tokens;
    const targets = await startTargets(upstream, notes);
    try {
      if (kind === "plain") for (const target of targets) rows.push(await idleRow(target, say));
      for (const scenario of SCENARIOS.filter((scenario) => scenario.upstream === kind)) {
        rows.push(...(await runScenario(scenario, targets, upstream, window, say)));
      }
    } finally {
      await Promise.all(targets.map(async (target) => await target.stop()));
    }
  }
  rows.push(await readyRow(plain, quick ? 2 : 5));
  await Promise.all([plain.stop(), tokens.stop()]);
  const ratios = ratiosOf(rows);
  return { ratios, rows, bars: barsOf(ratios, rows), notes };
}

async function plainUpstream(notes: string[]): Promise<Upstream & { stop(): Promise<void> }> {
  try {
    return await startNginxUpstream();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    notes.push("the upstream is Node's, not nginx's");
    return await startTokenUpstream();
  }
}

async function readyRow(upstream: Upstream, repeats: number): Promise<Row> {
  return { name: "ready sallyport", figures: { "ready ms": spread(await readyMs(upstream, repeats)) } };
}

function figure(rows: readonly Row[], row: string, name: string): number {
  const value = rows.find((candidate) => candidate.name === row)?.figures[name];
  return value === undefined ? NaN : typeof value === "number" ? value : value.median;
}

/** Ours over theirs. Added latencies are what a proxy adds to the upstream's own. */
function ratiosOf(rows: readonly Row[]): Readonly<Record<string, number>> {
  const ratios: Record<string, number> = {};
  const ratio = (key: string, row: string, name: string, added: boolean): void => {
    for (const peer of ["envoyBody", "envoy", "nginx"]) {
      const base = added ? figure(rows, `${row} direct`, name) : 0;
      const value = (figure(rows, `${row} sallyport`, name) - base) / (figure(rows, `${row} ${peer}`, name) - base);
      if (Number.isFinite(value)) ratios[`${key}.${peer}`] = value;
    }
  };
  ratio("http1.requestsPerCpuSecond", "http1", "requests/CPU-s", false);
  ratio("paced.addedP50", "paced", "p50 ms", true);
  ratio("paced.addedP99", "paced", "p99 ms", true);
  ratio("sse.cpuPerToken", "sse", "CPU µs/token", false);
  ratio("sse.addedTokenP50", "sse", "token p50 ms", true);
  ratio("sse.addedTokenP99", "sse", "token p99 ms", true);
  ratio("sse.addedFirstByteP50", "sse", "first byte p50 ms", true);
  return ratios;
}

function barsOf(ratios: Readonly<Record<string, number>>, rows: readonly Row[]): readonly Bar[] {
  const peers = ["envoyBody", "envoy"].map((peer) => `http1.requestsPerCpuSecond.${peer}`);
  return [
    // without Envoy there is nothing to hold it against; the notes say so
    ...peers.filter((name) => name in ratios).map((name) => ({ name, value: ratios[name] ?? NaN, atLeast: 1 })),
    { name: "ready ms", value: figure(rows, "ready sallyport", "ready ms"), atMost: 300 },
    { name: "idle MiB", value: figure(rows, "idle sallyport", "idle MiB"), atMost: 90 },
  ];
}
