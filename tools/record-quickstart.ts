/**
 * `npm run record`: starts the quickstart for real, runs the commands that it prints, and draws what came of it as
 * docs/quickstart.svg. What differs from run to run (ports, times, identifiers) is written as one fixed text each, so that
 * the same product gives the same picture; a test holds the picture against a run.
 */
import fs from "node:fs";
import path from "node:path";
import { temporaryFolder } from "../test/support/guardian.ts";
import { freePorts } from "../test/support/ports.ts";
import { runToEnd, start } from "../test/support/processes.ts";
import { terminalSvg, type Colour, type Line } from "./terminal-svg.ts";

const ROOT = path.join(import.meta.dirname, "..");
export const PICTURE: string = path.join(ROOT, "docs", "quickstart.svg");

/** Lines of one command's output that the picture shows. */
const SHOWN_LINES = 3;
const READY_MS = 60_000;

/** One of the commands that the quickstart prints, and what came of it. */
export interface Tried {
  /** What the product says will happen. */
  readonly says: string;
  /** As printed. */
  readonly command: string;
  readonly exitCode: number | null;
  readonly output: string;
}

export interface Recording {
  /** What the product printed about itself. */
  readonly printed: readonly string[];
  readonly tried: readonly Tried[];
  /** For `normalise`: what stands for what. */
  readonly replacements: readonly (readonly [from: string, to: string])[];
}

/** Runs `npm start` with ports and a state folder of its own, and every command that it prints. */
export async function recordQuickstart(): Promise<Recording> {
  const state = path.join(temporaryFolder("quickstart"), "state");
  const [port = 0, admin = 0] = await freePorts(2);
  const flags = [`--listen=127.0.0.1:${port}`, `--admin=127.0.0.1:${admin}`, `--state=${state}`, "--no-color"];
  const running = start("npm", ["start", "--silent", "--", ...flags], { cwd: ROOT });
  try {
    await running.waitFor(/^ready /mu, READY_MS);
    await running.waitFor(/^ACK /mu, READY_MS);
    await running.waitFor(/^# nobody .*\ncurl .*\n/mu, READY_MS);
    const { stdout } = running;
    const tried: Tried[] = [];
    for (const [, says = "", command = ""] of stdout.matchAll(/^# (.*)\n(curl .*)$/gmu)) {
      const { code, stdout: output } = await runToEnd("sh", ["-c", command], { cwd: ROOT, timeoutMs: 30_000 });
      tried.push({ says, command, exitCode: code, output });
    }
    const printed = stdout.split("\n").filter((line) => /^(folder|state|engine|resources|ready|ACK) /u.test(line));
    const replacements = [
      [state, ".state"],
      [`127.0.0.1:${port}`, "127.0.0.1:8443"],
      [`127.0.0.1:${admin}`, "127.0.0.1:9443"],
    ] as const;
    return { printed: inOrder(printed), tried, replacements };
  } finally {
    await running.stop("SIGINT");
  }
}

/** The ACK comes before or after the line about readiness, as it happens. */
function inOrder(lines: readonly string[]): readonly string[] {
  const isAck = (line: string): boolean => line.startsWith("ACK ");
  return [...lines.filter((line) => !isAck(line)), ...lines.filter(isAck).slice(0, 1)];
}

/** The terminal's lines, with one fixed text for each thing that differs from run to run. */
export function quickstartLines({ printed, tried, replacements }: Recording): readonly Line[] {
  const normalise = (text: string): string =>
    replacements
      .reduce((all, [from, to]) => all.replaceAll(from, to), text)
      .replaceAll(/(scripted, at http:\/\/127\.0\.0\.1):\d+/gu, "$1:…")
      .replaceAll(/\b\d+(\.\d+)? ms\b/gu, "… ms")
      .replaceAll(/sha256:[0-9a-f]+/gu, "sha256:…")
      .replaceAll(/\breq_[0-9a-f]+/gu, "req_…");
  const lines: Line[] = [prompt("npm start")];
  for (const line of printed) lines.push(labelled(normalise(line)));
  for (const { says, command, output } of tried) {
    lines.push([], [{ text: `# ${normalise(says)}`, colour: "dim" }], prompt(normalise(command)));
    const all = output.split("\n").filter((line) => line.trim() !== "");
    const colour: Colour = output.includes('"error"') ? "red" : "green";
    for (const line of all.slice(0, SHOWN_LINES)) lines.push([{ text: normalise(line), colour }]);
    if (all.length > SHOWN_LINES)
      lines.push([{ text: `… and ${all.length - SHOWN_LINES} more events`, colour: "dim" }]);
  }
  return lines;
}

function prompt(command: string): Line {
  return [
    { text: "$ ", colour: "dim" },
    { text: command, colour: "bold" },
  ];
}

/** `ready      inference/llama …`: the first word is what happened. */
function labelled(line: string): Line {
  const [, word = "", rest = ""] = /^(\S+)(.*)$/u.exec(line) ?? [];
  const colour: Colour = word === "ready" || word === "ACK" ? "green" : "blue";
  return [
    { text: word, colour },
    { text: rest, colour: "plain" },
  ];
}

export function quickstartPicture(recording: Recording): string {
  return terminalSvg("sallyport", quickstartLines(recording));
}

if (process.argv[1] === import.meta.filename) {
  const recording = await recordQuickstart();
  fs.writeFileSync(PICTURE, quickstartPicture(recording));
  process.stdout.write(`${path.relative("", PICTURE)}: ${recording.tried.length} commands\n`);
}
