import { afterAll, expect, test } from "@jest/globals";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder, once } from "./cache.ts";
import { temporaryFolder } from "./guardian.ts";

const folder = temporaryFolder("cache");
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

test("an entry is made once, however many ask for it at the same time", async () => {
  let made = 0;
  const make = async (entry: string): Promise<void> => {
    made++;
    await sleep(50);
    fs.writeFileSync(path.join(entry, "file"), "whole");
  };
  const entry = path.join(folder, "once");
  const all = await Promise.all([once(entry, make), once(entry, make), once(entry, make)]);
  expect(all).toEqual([entry, entry, entry]);
  expect(made).toBe(1);
  expect(fs.readFileSync(path.join(entry, "file"), "utf8")).toBe("whole");
});

test("what failed leaves nothing behind and is tried again", async () => {
  const entry = path.join(folder, "failing");
  const fail = async (): Promise<void> => await Promise.reject(new Error("no network"));
  await expect(once(entry, fail)).rejects.toThrow("no network");
  expect(fs.existsSync(entry)).toBe(false);
  expect(fs.existsSync(`${entry}.lock`)).toBe(false);
  expect(await once(entry, async () => {})).toBe(entry);
});

test("what was interrupted is made anew, and a lock whose holder was killed holds nobody up", async () => {
  const entry = path.join(folder, "interrupted");
  fs.mkdirSync(entry);
  fs.writeFileSync(path.join(entry, "half"), "");
  fs.writeFileSync(`${entry}.lock`, "2147483646");
  await once(entry, async (made) => fs.writeFileSync(path.join(made, "whole"), ""));
  expect(fs.readdirSync(entry).sort()).toEqual([".complete", "whole"]);
});

test("the cache is outside the clone and can be moved", () => {
  const before = process.env["XDG_CACHE_HOME"];
  process.env["XDG_CACHE_HOME"] = "/somewhere";
  try {
    expect(cacheFolder("a", "b")).toBe("/somewhere/sallyport-test/a/b");
  } finally {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
  }
});
