import { fork } from "node:child_process";
import path from "node:path";
import { cpuTime, type CpuTime } from "./cpu.ts";
import type { Counted, Job, Message } from "./load.ts";

export interface Measured extends Counted {
  /** Of the watched process tree, within the window. */
  readonly cpu: CpuTime;
}

/** Runs one load in a process of its own, and reads the processor time of `pid`'s tree at both ends of its window. */
export async function measure(job: Job, pid: number): Promise<Measured> {
  const child = fork(path.join(import.meta.dirname, "load.ts"), {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let before: CpuTime | undefined;
  let measured: Measured | undefined;
  child.on("message", (message) => {
    const said = message as Message;
    if (said.event === "begin") {
      before = cpuTime(pid);
      return;
    }
    const after = cpuTime(pid);
    const userSeconds = after.userSeconds - (before?.userSeconds ?? NaN);
    const systemSeconds = after.systemSeconds - (before?.systemSeconds ?? NaN);
    measured = { ...said, cpu: { userSeconds, systemSeconds } };
  });
  const limit = setTimeout(() => child.kill("SIGKILL"), job.warmUpMs + job.windowMs + 20_000);
  child.send(job);
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  clearTimeout(limit);
  if (measured === undefined) throw new Error(`the load generator ended with ${code} and no figures`);
  return measured;
}

/** One request on a connection of its own: its status, or the reason why there was none. */
export async function probe(job: Job["to"], path: string, body: string): Promise<number | string> {
  const { AnswerReader, connect } = await import("./connection.ts");
  const { requestBytes } = await import("./wire.ts");
  try {
    const socket = await connect(job);
    return await new Promise<number | string>((resolve) => {
      const timer = setTimeout(() => socket.destroy(new Error("no answer in 5 s")), 5_000);
      const finish = (outcome: number | string): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(outcome);
      };
      const reader = new AnswerReader((answer) => finish(answer.status));
      socket.on("data", (bytes: Buffer) => reader.push(bytes));
      socket.on("error", (error) => finish(error.message));
      socket.on("close", () => finish("closed without an answer"));
      socket.write(requestBytes("bench", path, body));
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
