/** `sallyport standalone`: a folder of policies in front of an engine, on this machine. */
import { EXIT, StartError, type Command } from "./command.ts";
import { readOptions, STANDALONE_HELP } from "./standalone/options.ts";
import { humanReport, jsonReport } from "./standalone/report.ts";
import { Session } from "./standalone/session.ts";

export const standaloneCommand: Command = {
  name: "standalone",
  summary: "put the policies of a folder in front of an engine, on this machine",
  help: STANDALONE_HELP,
  run: standalone,
};

/** Programs that start this one (npm, npx) pass a terminal's Ctrl-C on, though it reaches every process: that is one and not two. */
const SAME_SIGNAL_MS = 300;

async function standalone(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  const write = (text: string): void => void process.stdout.write(text);
  const report = options.json ? jsonReport(write, Date.now) : humanReport(write, options);
  const signals = new Signals();
  const session = await Session.start(options, report);
  signals.onSecond(() => session.kill());
  // A fault of ours must not leave sidecars behind that nobody looks after.
  process.on("exit", () => session.kill());
  const outcome = await Promise.race([signals.first, session.failed]);
  await session.stop();
  signals.close();
  if (signals.killed) return EXIT.killed;
  if (outcome === "signal") return EXIT.ok;
  if (outcome.code === "resources") return EXIT.failed;
  throw new StartError(outcome.message);
}

class Signals {
  readonly first: Promise<"signal">;
  killed = false;
  /** When the first of each kind came: bin/ passes an interrupt on as SIGTERM, which is no second one. */
  readonly #firstAt = new Map<NodeJS.Signals, number>();
  #second: () => void = () => {};
  readonly #listener: (signal: NodeJS.Signals) => void;

  constructor() {
    let resolve: (value: "signal") => void = () => {};
    this.first = new Promise((settle) => (resolve = settle));
    this.#listener = (signal): void => {
      const now = performance.now();
      const firstAt = this.#firstAt.get(signal);
      if (firstAt === undefined) {
        this.#firstAt.set(signal, now);
        resolve("signal");
      } else if (now - firstAt > SAME_SIGNAL_MS) {
        this.killed = true;
        this.#second();
      }
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, this.#listener);
  }

  onSecond(handler: () => void): void {
    this.#second = handler;
  }

  close(): void {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, this.#listener);
  }
}
