/** Processor time and memory of a process and all that it started, from Linux's /proc. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";

export interface CpuTime {
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

interface Stat {
  readonly parent: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly startTicks: number;
}

let ticks: number | undefined;

function ticksPerSecond(): number {
  ticks ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  return ticks;
}

/** The fields that proc(5) numbers 4, 14, 15 and 22; the command in parentheses may hold anything. */
function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined; // it has ended
  }
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [parent = 0, userTicks = 0, systemTicks = 0, startTicks = 0] = [1, 11, 12, 19].map((i) => fields[i]);
  return { parent, userTicks, systemTicks, startTicks };
}

/** The process and its descendants as they are now. */
export function processTree(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of fs.readdirSync("/proc")) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readStat(pid) : undefined;
    if (stat !== undefined) children.set(stat.parent, [...(children.get(stat.parent) ?? []), pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Time used so far by the tree; processes that have ended are not in it. */
export function cpuTime(root: number): CpuTime {
  let user = 0;
  let system = 0;
  for (const stat of processTree(root).map(readStat)) {
    user += stat?.userTicks ?? 0;
    system += stat?.systemTicks ?? 0;
  }
  return { userSeconds: user / ticksPerSecond(), systemSeconds: system / ticksPerSecond() };
}

/** Resident memory of the tree in bytes. */
export function residentBytes(root: number): number {
  let kibibytes = 0;
  for (const pid of processTree(root)) {
    const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
    kibibytes += Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1] ?? 0);
  }
  return kibibytes * 1024;
}

/** How long ago the process was started, in milliseconds; exact to a clock tick (10 ms). */
export function ageMs(pid: number): number {
  const stat = readStat(pid);
  if (stat === undefined) throw new Error(`process ${pid} has ended`);
  const uptime = Number(fs.readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return (uptime - stat.startTicks / ticksPerSecond()) * 1000;
}
