/** How the command ends, for scripts and for people: the code, and a line that says what to do. */
import { describe, expect, test } from "@jest/globals";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { temporaryFolder } from "../support/guardian.ts";
import { freePorts } from "../support/ports.ts";
import { childrenOf, runToEnd, start, type Ended } from "../support/processes.ts";
import { SALLYPORT } from "../support/sallyport.ts";
import { FILES, policy } from "./resources.ts";

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder("exit");
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), text);
  return folder;
}

async function sallyport(...args: readonly string[]): Promise<Ended> {
  return await runToEnd(process.execPath, [SALLYPORT, ...args], { timeoutMs: 30_000 });
}

async function standalone(folder: string, ...more: readonly string[]): Promise<Ended> {
  const [port, admin] = await freePorts(2);
  const state = path.join(temporaryFolder("exit-state"), "state");
  const flags = [`--listen=127.0.0.1:${port}`, `--admin=127.0.0.1:${admin}`, `--state=${state}`];
  return await sallyport("standalone", folder, ...flags, ...more);
}

describe("sallyport check", () => {
  test("ends with 0 for resources that are as they should be", async () => {
    expect((await sallyport("check", folderOf(FILES))).code).toBe(0);
  });

  test("ends with 1 for resources that are not, and names every mistake's place", async () => {
    const text = policy().replace("operations:", "operation:").replace("action: Deny", "action: Dney");
    const { code, stdout, stderr } = await sallyport("check", folderOf({ ...FILES, "policy.yaml": text }));
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/policy\.yaml:9:13: spec\.rules\[0\]\.action[^]*"Deny"/u);
    expect(stdout + stderr).toMatch(/policy\.yaml:16:5: spec\.rules\[1\]\.operation/u);
  });
});

describe("sallyport standalone", () => {
  test("ends with 1 when the resources are wrong at the start", async () => {
    const { code, stdout, stderr } = await standalone(folderOf({ ...FILES, "policy.yaml": "kind: Nothing\n" }));
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/policy\.yaml:1:/u);
  });

  test("ends with 2 for wrong usage, naming the flag", async () => {
    const wrong = await standalone(folderOf(FILES), "--engine=ftp://nowhere");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("--engine");
    expect((await standalone(folderOf(FILES), "--enigne=http://127.0.0.1:1")).code).toBe(2);
    expect((await sallyport("standalone")).code).toBe(2);
    expect((await sallyport("standalon")).code).toBe(2);
  });

  test("ends with 3 when a port is taken, naming the flag that gives another", async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    const { code, stderr } = await standalone(folderOf(FILES), `--listen=127.0.0.1:${port}`);
    server.close();
    expect(code).toBe(3);
    expect(stderr).toContain("--listen");
  });

  test("ends with 3 when there is no such folder", async () => {
    const { code, stderr } = await standalone(path.join(temporaryFolder("exit"), "nowhere"));
    expect(code).toBe(3);
    expect(stderr).toContain("nowhere");
  });

  test("a sidecar that dies is started again, and it is told", async () => {
    const [port, admin] = await freePorts(2);
    const state = path.join(temporaryFolder("exit-state"), "state");
    const flags = [`--listen=127.0.0.1:${port}`, `--admin=127.0.0.1:${admin}`, `--state=${state}`, "--json"];
    const running = start(process.execPath, [SALLYPORT, "standalone", folderOf(FILES), ...flags]);
    const ready = /"event":"ready"/u;
    await running.waitFor(ready);
    const [child] = childrenOf(running.pid).filter(({ command }) => command.includes("sidecar"));
    const from = running.stdout.length;
    process.kill(child?.pid ?? NaN, "SIGKILL");
    await running.waitFor(/"event":"died"/u, 10_000, from);
    await running.waitFor(ready, 20_000, from);
    expect((await running.stop("SIGINT")).code).toBe(0);
  }, 60_000);
});
