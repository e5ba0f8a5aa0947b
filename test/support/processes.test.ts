import { afterAll, expect, test } from "@jest/globals";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "./ports.ts";
import { childrenOf, runToEnd, start, succeed } from "./processes.ts";
import { temporaryFolder } from "./guardian.ts";

const folder = temporaryFolder("processes");
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    if (!alive(pid)) return true;
    await sleep(20);
  }
  return false;
}

test("ports are free and different", async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
});

test("a process is waited for by what it prints, and says so when it ends without", async () => {
  const running = start("sh", ["-c", "echo one; sleep 0.1; echo two >&2; sleep 30"]);
  expect((await running.waitFor(/^tw(o)/mu))[1]).toBe("o");
  await running.stop();
  const ended = start("sh", ["-c", "echo here; exit 3"]);
  await expect(ended.waitFor(/never/u)).rejects.toThrow(/"code":3[^]*here/u);
});

test("a failing program raises with what it printed; one that takes too long is killed", async () => {
  await expect(succeed("sh", ["-c", "echo why >&2; exit 1"])).rejects.toThrow(/ended with 1\nwhy/u);
  await expect(runToEnd("sleep", ["30"], { timeoutMs: 50 })).rejects.toThrow("more than 50 ms");
});

test("stopping a process ends what it started too", async () => {
  const running = start("sh", ["-c", "sleep 60 & echo child $!; trap '' TERM; wait; sleep 60"]);
  const child = Number((await running.waitFor(/child (\d+)/u))[1]);
  expect(alive(child)).toBe(true);
  await running.stop("SIGTERM", 100);
  expect(await gone(child)).toBe(true);
});

test("a process's children are found with their commands", async () => {
  const running = start("sh", ["-c", "sleep 61 & sleep 62 & sleep 0.3; echo both; wait"]);
  await running.waitFor(/both/u);
  const commands = childrenOf(running.pid).map(({ command }) => command);
  expect(commands.toSorted((a, b) => a.localeCompare(b))).toEqual(["sleep 61", "sleep 62"]);
  await running.stop();
});

test("when a test is killed, what it started and its temporary folder go", async () => {
  const script = path.join(folder, "test.ts");
  const from = (file: string): string => JSON.stringify(pathToFileURL(path.join(import.meta.dirname, file)).href);
  fs.writeFileSync(
    script,
    `import { start } from ${from("processes.ts")};
     import { temporaryFolder } from ${from("guardian.ts")};
     console.log("started", start("sleep", ["60"]).pid, temporaryFolder("killed"));`,
  );
  const test = start(process.execPath, ["--disable-warning=ExperimentalWarning", script]);
  const [, pid = "", temporary = ""] = await test.waitFor(/started (\d+) (\S+)/u);
  expect(alive(Number(pid))).toBe(true);
  test.signal("SIGKILL");
  expect(await gone(Number(pid))).toBe(true);
  for (let tries = 0; tries < 100 && fs.existsSync(temporary); tries++) await sleep(20);
  expect(fs.existsSync(temporary)).toBe(false);
  await test.stop();
});
