import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { replaceFile, takeState } from "./state.ts";

let base = "";
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), "sallyport-state-"));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

it("is taken by one process, and free again afterwards", () => {
  const folder = path.join(base, "state");
  const state = takeState(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readFileSync(path.join(folder, "lock"), "utf8")).toBe(`${String(process.pid)}\n`);
  state.release();
  takeState(folder).release();
});

it("is refused while another process lives that has it", () => {
  writeFileSync(path.join(base, "lock"), `${String(process.ppid)}\n`);
  expect(() => takeState(base)).toThrow(
    `the state folder ${base} is used by another sallyport (process ${String(process.ppid)}): give another with --state DIR`,
  );
});

it("is taken over from a process that was killed, and from a lock that says nothing", () => {
  const { pid } = spawnSync("true");
  for (const holder of [String(pid), "", "x"]) {
    writeFileSync(path.join(base, "lock"), holder);
    takeState(base).release();
  }
});

it("says where it cannot be", () => {
  writeFileSync(path.join(base, "file"), "");
  expect(() => takeState(path.join(base, "file"))).toThrow(/state folder .*file cannot be used: .*--state DIR/u);
});

it("replaces files whole, with the mode that is asked for", () => {
  const file = path.join(base, "a");
  replaceFile(file, "old", 0o600);
  replaceFile(file, "new", 0o644);
  expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual(["new", 0o644]);
});
