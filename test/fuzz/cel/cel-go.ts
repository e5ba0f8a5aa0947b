import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Outcome } from "./engines.ts";
import type { Case } from "./generate.ts";

/** What cel-go makes of cases: the program reads them as lines and answers line for line. */
export async function runCelGo(program: string, cases: readonly Case[]): Promise<readonly Outcome[]> {
  const child = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const closed = once(child, "close") as Promise<[number | null]>;
  child.stdin.end(cases.map(({ expr, input }) => `${JSON.stringify({ expr, input })}\n`).join(""));
  const [code] = await closed;
  const lines = output.trimEnd().split("\n");
  if (code !== 0 || lines.length !== cases.length)
    throw new Error(`cel-go ended with ${code} after ${lines.length} of ${cases.length} answers`);
  return lines;
}
