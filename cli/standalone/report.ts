/** What standalone tells while it runs: lines for people, or a JSON object a line for machines. */
import { formatProblem, type Problem } from "../../core/api/index.ts";
import type { Sample } from "./samples.ts";

export type Happening =
  | { readonly event: "starting"; readonly folder: string; readonly state: string; readonly trustDomain: string }
  | { readonly event: "engine"; readonly url: string; readonly scripted: boolean }
  | { readonly event: "resources"; readonly count: number; readonly kinds: Readonly<Record<string, number>> }
  | { readonly event: "note"; readonly message: string }
  /** Something in the resources that their author should know; they hold nevertheless. */
  | {
      readonly event: "finding";
      readonly code: string;
      readonly file: string;
      readonly line: number;
      readonly column: number;
      readonly path: string;
      readonly message: string;
    }
  | {
      readonly event: "refused";
      readonly problems: readonly Problem[];
      /** Whether something goes on to hold. */
      readonly running: boolean;
    }
  /** A change takes these away, and is taken if nothing more is written for so long. */
  | { readonly event: "waiting"; readonly losing: readonly string[]; readonly waitMs: number }
  | {
      readonly event: "changed";
      readonly resources: number;
      readonly published: number;
      /** Resources that went. */
      readonly gone: readonly string[];
    }
  | {
      readonly event: "ack" | "nack";
      readonly sidecar: string;
      readonly version: string;
      readonly elapsedMs: number;
      readonly reason: string;
    }
  | {
      readonly event: "ready";
      readonly sidecar: string;
      readonly listen: string;
      readonly admin: string;
      readonly elapsedMs: number;
    }
  | {
      readonly event: "died";
      readonly sidecar: string;
      readonly reason: string;
      /** Undefined: it is not started again. */
      readonly restartMs: number | undefined;
    }
  /** Its Pod is no longer in the folder: it lets its requests finish, and then it has. */
  | { readonly event: "leaving" | "left"; readonly sidecar: string; readonly seconds: number }
  | { readonly event: "log"; readonly sidecar: string; readonly line: string }
  | { readonly event: "try"; readonly samples: readonly Sample[] }
  | { readonly event: "draining"; readonly sidecars: number; readonly seconds: number }
  | { readonly event: "stopped" };

export type Report = (happening: Happening) => void;

/** A JSON object a line, with the time in Unix milliseconds. */
export function jsonReport(write: (text: string) => void, now: () => number): Report {
  return (happening) => write(`${JSON.stringify({ time: now(), ...happening })}\n`);
}

type Style = "dim" | "good" | "bad" | "warn" | "strong";
const CODES: Readonly<Record<Style, string>> = { dim: "2", good: "32", bad: "31", warn: "33", strong: "1" };

/** Lines for people. */
export function humanReport(write: (text: string) => void, options: { readonly color: boolean }): Report {
  const paint = (style: Style, text: string): string => {
    return options.color ? `\u001B[${CODES[style]}m${text}\u001B[0m` : text;
  };
  const line = (subject: string, text: string, style: Style = "dim"): void => {
    write(`${paint(style, subject.padEnd(10))} ${text}\n`);
  };
  return (happening) => {
    switch (happening.event) {
      case "starting":
        line("folder", happening.folder);
        line("state", `${happening.state} (trust domain ${happening.trustDomain})`);
        return;
      case "engine":
        line("engine", happening.scripted ? `scripted, at ${happening.url}` : happening.url);
        return;
      case "resources":
        line("resources", `${String(happening.count)}${kindsIn(happening.kinds)}`);
        return;
      case "note":
        line("note", happening.message);
        return;
      case "finding": {
        const { file, line: row, column, path, message } = happening;
        line("finding", `${file}:${String(row)}:${String(column)}: ${path}: ${message}`, "warn");
        return;
      }
      case "refused":
        for (const problem of happening.problems) write(`${paint("bad", formatProblem(problem))}\n`);
        if (happening.running) line("refused", "the change is not taken: the last good state goes on", "warn");
        return;
      case "waiting": {
        const { losing, waitMs } = happening;
        const still = `taken if nothing more is written for ${seconds(waitMs)}`;
        line("waiting", `the change takes away ${losing.join(", ")}: ${still}`, "warn");
        return;
      }
      case "changed":
        line("changed", changedWords(happening));
        if (happening.gone.length > 0) line("gone", happening.gone.join(", "));
        return;
      case "ack":
        line(
          "ACK",
          `${happening.sidecar} took ${short(happening.version)} in ${milliseconds(happening.elapsedMs)}`,
          "good",
        );
        return;
      case "nack":
        line("NACK", `${happening.sidecar} refused ${short(happening.version)}: ${happening.reason}`, "bad");
        return;
      case "ready": {
        const { sidecar, listen, admin, elapsedMs } = happening;
        const where = `${paint("strong", `https://${listen}`)} (metrics at http://${admin}/metrics)`;
        line("ready", `${sidecar} in ${milliseconds(elapsedMs)} at ${where}`, "good");
        return;
      }
      case "died": {
        const { sidecar, reason, restartMs } = happening;
        const next = restartMs === undefined ? "" : `; starting it again in ${milliseconds(restartMs)}`;
        line("died", `${sidecar}: ${reason}${next}`, "bad");
        return;
      }
      case "leaving":
        line("stopping", `${happening.sidecar}: open requests may take up to ${String(happening.seconds)} s`);
        return;
      case "left":
        line("stopped", `${happening.sidecar}: no longer in the folder`);
        return;
      case "log":
        write(`${paint("dim", `${happening.sidecar} |`)} ${logWords(happening.line)}\n`);
        return;
      case "try": {
        const commands = happening.samples.map(({ says, command }) => `${paint("dim", `# ${says}`)}\n${command}\n\n`);
        const heading = paint("strong", "Try it from this folder, in another terminal:");
        const ending = "Change the resources while this runs, and see what it says. Ctrl-C ends it.";
        write(`\n${heading}\n\n${commands.join("")}${ending}\n\n`);
        return;
      }
      case "draining":
        line("draining", `open requests may take up to ${String(happening.seconds)} s; Ctrl-C again does not wait`);
        return;
      case "stopped":
        write(`${paint("dim", "stopped")}\n`);
    }
  };
}

function kindsIn(kinds: Readonly<Record<string, number>>): string {
  const words = Object.entries(kinds).map(([kind, count]) => `${String(count)} ${kind}`);
  return words.length === 0 ? "" : `: ${words.join(", ")}`;
}

function seconds(ms: number): string {
  return `${String(ms / 1000)} s`;
}

function changedWords({ resources, published }: { readonly resources: number; readonly published: number }): string {
  const meaning =
    published === 0 ? "nothing new for a sidecar" : `${String(published)} sidecar${published === 1 ? "" : "s"} to tell`;
  return `${String(resources)} resources: ${meaning}`;
}

function short(version: string): string {
  return version.slice(0, "sha256:".length + 12);
}

function milliseconds(value: number): string {
  return `${String(Math.round(value))} ms`;
}

const LEVELS: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};
const HIDDEN = new Set(["level", "time", "msg", "instance"]);

/** A line of the sidecar's log in words; a line that is none of the log as it is. */
function logWords(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof value !== "object" || value === null || !("msg" in value)) return text;
  const fields = new Map(Object.entries(value));
  const rest = [...fields].filter(([key]) => !HIDDEN.has(key)).map(([key, field]) => ` ${key}=${fieldWords(field)}`);
  return `${LEVELS[Number(fields.get("level"))] ?? ""} ${String(fields.get("msg"))}${rest.join("")}`;
}

function fieldWords(field: unknown): string {
  if (typeof field === "object" && field !== null && "message" in field) return JSON.stringify(field.message);
  return typeof field === "string" && /^[\w.:/-]+$/.test(field) ? field : JSON.stringify(field);
}
