import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { verifyChain, type EndRecord } from "../../core/audit/record.ts";
import { Spool, spoolFiles } from "./spool.ts";

const END: EndRecord = {
  kind: "End",
  id: "req_1",
  time: 0,
  outcome: "Completed",
  status: 200,
  code: "",
  promptTokens: 0,
  completionTokens: 0,
  answerBytes: 0,
  milliseconds: 0,
};

let directory = "";
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "spool-"));
});
afterEach(() => {
  jest.restoreAllMocks();
  fs.rmSync(directory, { recursive: true });
});

function open(more: Partial<ConstructorParameters<typeof Spool>[0]> = {}): Spool {
  return new Spool({ directory, workload: "w", series: "audit", now: () => 0, ...more });
}

function lines(): string[] {
  return spoolFiles(directory, "audit").flatMap((file) =>
    fs.readFileSync(path.join(directory, file.name), "utf8").split("\n").slice(0, -1),
  );
}

function appended(spool: Spool): Promise<Error | undefined> {
  return new Promise((resolve) => spool.append(END, resolve));
}

describe("the spool", () => {
  test("has a record on disk before it says so", async () => {
    const spool = open();
    expect(await appended(spool)).toBeUndefined();
    expect(lines()).toHaveLength(2);
    spool.close();
  });

  test("writes the records of one turn at once", async () => {
    const spool = open();
    const write = jest.spyOn(fs, "writeSync");
    await Promise.all([appended(spool), appended(spool), appended(spool)]);
    expect(write).toHaveBeenCalledTimes(1);
    spool.close();
  });

  test("goes on with the chain after a restart", async () => {
    const first = open();
    await appended(first);
    first.close();
    const second = open();
    await appended(second);
    second.close();
    expect(verifyChain(lines(), "").records).toBe(4);
    expect(spoolFiles(directory, "audit")).toHaveLength(2);
  });

  test("keeps so many files, and records what it lost", async () => {
    const lost: number[] = [];
    const spool = open({ fileBytes: 300, files: 2, onLost: (records) => lost.push(records) });
    for (let i = 0; i < 10; i++) await appended(spool);
    spool.close();
    const written = lines();
    expect(spoolFiles(directory, "audit").length).toBeLessThanOrEqual(2);
    expect(lost.length).toBeGreaterThan(0);
    expect(written.some((line) => JSON.parse(line).lost > 0)).toBe(true);
    expect(verifyChain(written, undefined).records).toBe(written.length);
  });

  test("says when a record could not be written, and goes on with a whole chain when it can again", async () => {
    const failures: Error[] = [];
    const lost: number[] = [];
    const spool = open({ onFailure: (error) => failures.push(error), onLost: (records) => lost.push(records) });
    // A disk that fills up in the middle of a line: the write leaves ten bytes and fails.
    jest.spyOn(fs, "writeSync").mockImplementationOnce((fd: number) => {
      fs.appendFileSync(`/proc/self/fd/${fd}`, '{"seq":2,"');
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    });
    expect((await appended(spool))?.message).toBe("the audit spool cannot be written");
    expect(failures).toHaveLength(1);
    expect(lost).toEqual([1]);
    expect(await appended(spool)).toBeUndefined();
    spool.close();
    expect(verifyChain(lines(), "").records).toBe(2);
  });

  test("keeps the full file whole when the next one cannot be begun, and tries again", async () => {
    const failures: Error[] = [];
    const spool = open({ fileBytes: 700, onFailure: (error) => failures.push(error) });
    const openSync = jest.spyOn(fs, "openSync").mockImplementationOnce(() => {
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    });
    for (let i = 0; i < 8; i++) expect(await appended(spool)).toBeUndefined();
    openSync.mockRestore();
    spool.close();
    expect(failures.map(({ message }) => message)).toEqual(["the audit cannot begin a new file"]);
    expect(spoolFiles(directory, "audit").length).toBeGreaterThan(1);
    const written = lines();
    expect(written.filter((line) => line.includes('"kind":"End"'))).toHaveLength(8);
    expect(verifyChain(written, "").records).toBe(written.length);
  });

  test("goes on with the chain behind an empty file that a crash left", async () => {
    const first = open();
    await appended(first);
    first.close();
    fs.writeFileSync(path.join(directory, "audit-000000000002.jsonl"), "");
    const second = open();
    await appended(second);
    second.close();
    expect(verifyChain(lines(), "").records).toBe(4);
  });

  test("notices that its folder was removed, counts what is lost and begins anew", async () => {
    const failures: string[] = [];
    const lost: number[] = [];
    const spool = open({ onFailure: ({ message }) => failures.push(message), onLost: (records) => lost.push(records) });
    await appended(spool);
    await appended(spool);
    fs.rmSync(directory, { recursive: true });
    spool.check();
    await appended(spool);
    spool.check();
    spool.close();
    expect(failures).toEqual(["the audit's file was removed while it was written"]);
    expect(lost).toEqual([2]);
    expect(lines().map((line) => JSON.parse(line).lost ?? "-")).toEqual([2, "-"]);
  });

  test("refuses records once it is closed", async () => {
    const spool = open();
    spool.close();
    expect((await appended(spool))?.message).toBe("the audit spool is closed");
  });
});
