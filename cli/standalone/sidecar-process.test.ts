import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { SidecarProcess, type SidecarEvent } from "./sidecar-process.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "sallyport-process-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a program that ends with a code by itself; returns what was told within a second and a half. */
async function ending(code: number): Promise<readonly SidecarEvent[]> {
  const program = path.join(folder, "program.js");
  writeFileSync(program, `console.log("no"); process.exitCode = ${String(code)};`);
  const events: SidecarEvent[] = [];
  const process = new SidecarProcess({
    program,
    args: [],
    newToken: () => "t",
    onEvent: (event) => events.push(event),
  });
  process.start();
  for (let tries = 0; tries < 150 && events.filter(({ type }) => type === "died").length < 2; tries++) await sleep(10);
  await process.stop(1_000);
  return events;
}

it("is started again after it failed", async () => {
  const died = (await ending(1)).filter(({ type }) => type === "died");
  expect(died.slice(0, 2)).toEqual([
    { type: "died", reason: "exit code 1", restartMs: 250 },
    { type: "died", reason: "exit code 1", restartMs: 500 },
  ]);
});

it("is not started again where it does not understand its flags", async () => {
  expect(await ending(2)).toEqual([
    { type: "log", line: "no" },
    { type: "died", reason: "exit code 2 (it does not understand its flags)", restartMs: undefined },
  ]);
});
