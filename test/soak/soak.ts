/**
 * Hours of ordinary trouble: streams all the time, clients that leave half-way, engines that die, whole answers, denials,
 * reloads. At the end nothing may have been lost and nothing may have grown: `node test/soak/soak.ts --minutes N`.
 */
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { residentBytes } from "../../bench/proxy/cpu.ts";
import { chat, connectTls, postJson, type Caller } from "../support/clients.ts";
import { startFaultyEngine, type Fault, type FaultyEngine, type Received } from "../support/faulty-engine.ts";
import { startStandalone, type Standalone } from "../support/sallyport.ts";
import { FILES, policy } from "../integration/resources.ts";

const MEBIBYTE = 1024 * 1024;
const STREAMS = 100;
const SAMPLE_MS = 10_000;
const RELOAD_MS = 30_000;
/** One in so many clients leaves, one in so many engine answers dies. */
const LEAVE_ONE_IN = 20;
const DIE_ONE_IN = 20;
const DENY_ONE_IN = 10;
/** How the last quarter's median may differ from the second's: the first one warms up. */
const GROWTH_BYTES = 12 * MEBIBYTE;
const GROWTH_DESCRIPTORS = 10;
/** Samples of a run (ten minutes) below which growth is not judged: it would be the heap finding its size. */
const LONG_ENOUGH = 60;

export interface Sample {
  readonly seconds: number;
  readonly residentBytes: number;
  readonly descriptors: number;
}

export interface SoakResult {
  readonly exchanges: number;
  /** By how each ended for its client: `whole`, `error event`, `denied`, `left`, `cut without a word` … */
  readonly ends: Readonly<Record<string, number>>;
  readonly begins: number;
  readonly endRecords: number;
  readonly samples: readonly Sample[];
  /** What should not have been. */
  readonly faults: readonly string[];
}

/** Runs for so long; `say` gets a line each sample. */
export async function soak(minutes: number, say: (line: string) => void): Promise<SoakResult> {
  const engine = await startFaultyEngine();
  const sallyport = await startStandalone({ files: FILES, engine: engine.url, args: ["--log-level=error"] });
  engine.choose = troubled();
  const until = performance.now() + minutes * 60_000;
  const ends = new Map<string, number>();
  const samples: Sample[] = [];
  let exchanges = 0;
  let seed = 1;
  // the low bits of this generator repeat too soon
  const random = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 12;
  const client = async (): Promise<void> => {
    while (performance.now() < until) {
      const end = await oneExchange(sallyport, sallyport.client("apps", "chat-frontend"), random);
      ends.set(end, (ends.get(end) ?? 0) + 1);
      exchanges++;
    }
  };
  const clients = Array.from({ length: STREAMS }, client);
  const reloads = reloading(sallyport, until);
  const watching = watch(sallyport, until, samples, say);
  await Promise.all([...clients, reloads, watching]);
  await sleep(1_000);
  const result = judge(sallyport, engine, { exchanges, ends: Object.fromEntries(ends), samples });
  await sallyport.stop();
  await engine.refuse();
  return result;
}

/** Every twentieth answer dies, in one of several ways; the rest stream for a quarter of a second to two seconds. */
function troubled(): (request: Received) => Fault {
  let count = 0;
  const deaths: readonly Fault[] = [
    { kind: "dies", where: "in-stream", how: "end" },
    { kind: "dies", where: "in-stream", how: "reset" },
    { kind: "dies", where: "before-head", how: "reset" },
    { kind: "unfinished-stream" },
  ];
  return () => {
    count++;
    const death = deaths[(count / DIE_ONE_IN) % deaths.length];
    if (count % DIE_ONE_IN === 0 && death !== undefined) return death;
    return { kind: "stream", events: 5 + (count % 40), everyMs: 50 };
  };
}

async function oneExchange(sallyport: Standalone, caller: Caller, random: () => number): Promise<string> {
  const denied = random() % DENY_ONE_IN === 0;
  const leaves = !denied && random() % LEAVE_ONE_IN === 0;
  const socket = await connectTls(sallyport.port, caller);
  const body = chat(denied ? "forbidden-model" : "tiny", { stream: true });
  return await new Promise<string>((resolve) => {
    let text = "";
    const finish = (end: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(end);
    };
    const timer = setTimeout(() => finish("no end in 30 s"), 30_000);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (leaves && text.includes("token 1")) finish("left");
      else if (text.includes('"code":"denied_by_rule"')) finish(denied ? "denied" : "denied without a reason");
      else if (text.includes("data: [DONE]")) finish("whole");
      else if (text.includes('"error"') && text.includes("engine_")) finish("engine's error");
    });
    socket.on("error", (error) => finish(error.message));
    socket.on("close", () => finish("cut without a word"));
    socket.write(postJson("/v1/chat/completions", body));
  });
}

async function reloading(sallyport: Standalone, until: number): Promise<void> {
  for (let round = 0; performance.now() < until; round++) {
    await sleep(Math.min(RELOAD_MS, Math.max(0, until - performance.now())));
    sallyport.write("policy.yaml", policy(["tiny", `round-${round}`]));
  }
}

async function watch(
  sallyport: Standalone,
  until: number,
  samples: Sample[],
  say: (line: string) => void,
): Promise<void> {
  const began = performance.now();
  const pid = sallyport.sidecarPid();
  while (performance.now() < until) {
    await sleep(Math.min(SAMPLE_MS, Math.max(0, until - performance.now())));
    const sample = {
      seconds: Math.round((performance.now() - began) / 1000),
      residentBytes: residentBytes(pid),
      descriptors: fs.readdirSync(`/proc/${pid}/fd`).length,
    };
    samples.push(sample);
    say(`${sample.seconds} s: ${(sample.residentBytes / MEBIBYTE).toFixed(1)} MiB, ${sample.descriptors} descriptors`);
  }
}

/** Ends by which a client knows what came of its request. */
const GOOD_ENDS: ReadonlySet<string> = new Set(["whole", "denied", "left", "engine's error"]);

function judge(
  sallyport: Standalone,
  engine: FaultyEngine,
  seen: Pick<SoakResult, "exchanges" | "ends" | "samples">,
): SoakResult {
  const faults: string[] = [];
  for (const [end, count] of Object.entries(seen.ends)) if (!GOOD_ENDS.has(end)) faults.push(`${count} × ${end}`);
  const records = sallyport.audit();
  const idsOf = (kind: string): readonly string[] =>
    records.filter((record) => record["kind"] === kind).map((record) => String(record["id"]));
  const begins = idsOf("Begin");
  const ended = new Map<string, number>();
  for (const id of idsOf("End")) ended.set(id, (ended.get(id) ?? 0) + 1);
  const open = begins.filter((id) => ended.get(id) !== 1);
  if (open.length > 0) faults.push(`${open.length} exchanges without exactly one End, such as ${open[0]}`);
  if (begins.length !== engine.received.length) {
    faults.push(`${engine.received.length} requests reached the engine with ${begins.length} Begins`);
  }
  const quarter = (number: number): readonly Sample[] => {
    const size = Math.floor(seen.samples.length / 4);
    return seen.samples.slice(number * size, (number + 1) * size);
  };
  const grown = (of: (sample: Sample) => number): number => middle(quarter(3).map(of)) - middle(quarter(1).map(of));
  if (seen.samples.length >= LONG_ENOUGH) {
    const bytes = grown((sample) => sample.residentBytes);
    if (bytes > GROWTH_BYTES) faults.push(`memory grew by ${(bytes / MEBIBYTE).toFixed(1)} MiB`);
    const descriptors = grown((sample) => sample.descriptors);
    if (descriptors > GROWTH_DESCRIPTORS) faults.push(`${descriptors} descriptors more at the end`);
  }
  return { ...seen, begins: begins.length, endRecords: ended.size, faults };
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" }, save: { type: "boolean" } } });
  const result = await soak(Number(values.minutes), (line) => void process.stderr.write(`${line}\n`));
  const text = JSON.stringify(result, undefined, 2);
  if (values.save === true) {
    const file = path.join(import.meta.dirname, "..", "..", "bench", "results", "soak.json");
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `${text}\n`);
  }
  const { samples, ...summary } = result;
  process.stdout.write(`${JSON.stringify({ ...summary, samples: samples.length }, undefined, 2)}\n`);
  process.exitCode = result.faults.length === 0 ? 0 : 1;
}
