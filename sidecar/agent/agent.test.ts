import { describe, expect, test } from "@jest/globals";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workloadId } from "../../core/identity/index.ts";
import {
  removeFolder,
  snapshotOf,
  startTestOperator,
  subjectOf,
  TRUST_DOMAIN,
  until,
} from "../../test/support/operator.ts";
import { agent, operator, publish, marks, isCached, cleanups, cleanUpAfterEach } from "../../test/support/agents.ts";
import net from "node:net";
import tls from "node:tls";

cleanUpAfterEach();

describe("an agent", () => {
  test("gets its identity, then its snapshot, and acknowledges it", async () => {
    const op = await operator();
    const version = publish(op, "engine", "one");
    const side = await agent(op);
    await until("ready", () => side.agent.state === "ready");
    await until("an ack", () => op.verdicts.length === 1);
    expect(side.identities.map(({ id }) => id)).toEqual(["spiffe://example.local/ns/inference/sa/engine"]);
    expect(marks(side)).toEqual(["one"]);
    expect(side.agent.version).toBe(version);
    expect(op.verdicts[0]).toMatchObject({
      spiffeId: side.identities[0]?.id,
      instance: "engine-0",
      version,
      verdict: "ack",
    });
    expect(op.config.connected).toMatchObject([{ instance: "engine-0", build: "test", ackedVersion: version }]);
    expect(side.states).toEqual(["ready"]);
  });

  test("gets a key and a chain that serve TLS, and nothing else is on disk", async () => {
    const op = await operator();
    publish(op, "engine", "one");
    const side = await agent(op);
    await until("the cache", () => side.agent.state === "ready" && isCached(side));
    const [identity] = side.identities;
    const server = tls.createServer({ key: identity!.key, cert: identity!.chain });
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    const socket = tls.connect({ port, host: "127.0.0.1", ca: identity!.roots, checkServerIdentity: () => undefined });
    await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    expect(socket.authorized).toBe(true);
    socket.destroy();
    server.close();
    expect(readdirSync(side.cacheDir)).toEqual(["snapshot"]);
    expect(statSync(join(side.cacheDir, "snapshot")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(side.cacheDir, "snapshot"), "utf8")).not.toContain("PRIVATE KEY");
  });

  test("takes each new snapshot, and the same one only once", async () => {
    const op = await operator();
    publish(op, "engine", "one");
    const side = await agent(op);
    await until("one", () => op.verdicts.length === 1);
    publish(op, "engine", "one");
    publish(op, "engine", "two");
    await until("two", () => op.verdicts.length === 2);
    expect(marks(side)).toEqual(["one", "two"]);
  });

  test("never sees another identity's snapshot", async () => {
    const op = await operator();
    publish(op, "other", "secret");
    const side = await agent(op);
    const other = await agent(op, { name: "other" });
    await until("the other's", () => other.snapshots.length === 1);
    publish(op, "engine", "own");
    await until("its own", () => side.snapshots.length === 1);
    expect(marks(side)).toEqual(["own"]);
    expect(marks(other)).toEqual(["secret"]);
  });

  test("refuses a snapshot of another workload even where the operator sends it", async () => {
    const op = await operator();
    op.config.publish(workloadId(TRUST_DOMAIN, "inference", "engine").uri, snapshotOf("other", "one").bytes);
    await agent(op);
    await until("a nack", () => op.verdicts.length === 1);
    expect(op.verdicts[0]).toMatchObject({ verdict: "nack" });
    expect(op.verdicts[0]?.reason).toContain("sa/other's, and this is");
  });

  test("refuses what it cannot take into force, says why, and keeps the last good one", async () => {
    const op = await operator();
    const good = publish(op, "engine", "good");
    const side = await agent(op);
    await until("an ack", () => op.verdicts.length === 1);
    side.judge = () => ({ ok: false, reason: "llama-chat: rules[0].when: no such variable" });
    publish(op, "engine", "bad");
    await until("a nack", () => op.verdicts.length === 2);
    expect(op.verdicts[1]).toMatchObject({ verdict: "nack", reason: "llama-chat: rules[0].when: no such variable" });
    expect(side.agent.version).toBe(good);
    expect(side.agent.state).toBe("ready");
    expect(op.config.connected[0]?.ackedVersion).toBe(good);
    side.judge = () => ({ ok: true });
    const next = publish(op, "engine", "next");
    await until("an ack", () => op.verdicts.length === 3);
    expect(op.verdicts[2]).toMatchObject({ verdict: "ack", version: next });
    await until(
      "the cache",
      () => isCached(side) && readFileSync(join(side.cacheDir, "snapshot"), "latin1").startsWith(next),
    );
  });

  test("refuses a snapshot whose handler throws, or that needs what it does not know", async () => {
    const op = await operator();
    const id = workloadId(TRUST_DOMAIN, "inference", "engine").uri;
    op.config.publish(id, snapshotOf("engine", "one", { features: ["Telepathy"] }).bytes, ["Telepathy"]);
    const side = await agent(op);
    await until("a nack", () => op.verdicts.length === 1);
    expect(op.verdicts[0]?.reason).toContain("needs Telepathy");
    side.judge = () => {
      throw new Error("out of cheese");
    };
    publish(op, "engine", "two");
    await until("a nack", () => op.verdicts.length === 2);
    expect(op.verdicts[1]?.reason).toContain("out of cheese");
    expect(side.agent.state).toBe("starting");
  });

  test("tells the operator of features that it lacks", async () => {
    const unsupported: unknown[] = [];
    const op = await operator({ config: { onUnsupported: (sidecar) => unsupported.push(sidecar) } });
    const id = workloadId(TRUST_DOMAIN, "inference", "engine").uri;
    op.config.publish(id, snapshotOf("engine", "one", { features: ["Rules", "Telepathy"] }).bytes, [
      "Rules",
      "Telepathy",
    ]);
    await agent(op, { change: { features: ["Rules"] } });
    await until("a report", () => unsupported.length === 1);
    expect(unsupported).toEqual([{ spiffeId: id, instance: "engine-0", features: ["Telepathy"] }]);
  });

  test("renews at half of its life, on a new stream, without a break and without its token", async () => {
    const op = await operator({ ttlSeconds: 2 });
    const version = publish(op, "engine", "one");
    const side = await agent(op);
    await until("a third identity", () => side.identities.length === 3, 10_000);
    await until("one stream", () => op.config.connected.length === 1);
    expect(new Set(side.identities.map(({ key }) => key)).size).toBe(3);
    expect(new Set(side.identities.map(({ id }) => id)).size).toBe(1);
    expect(op.config.connected).toMatchObject([{ ackedVersion: version }]);
    expect(side.states).toEqual(["ready"]);
    expect(marks(side)).toEqual(["one"]);
    expect(op.issuances.map(({ outcome }) => outcome)).toEqual(["issued", "issued", "issued"]);
    publish(op, "engine", "two");
    await until("two", () => side.snapshots.length === 2);
    expect(marks(side)).toEqual(["one", "two"]);
  });

  test("goes on when the operator is killed, connects to the next one, and gets what changed meanwhile", async () => {
    const op = await startTestOperator();
    cleanups.push(() => removeFolder(op.folder));
    publish(op, "engine", "one");
    const side = await agent(op);
    await until("ready", () => side.agent.state === "ready");
    await op.stop(0);
    await until("degraded", () => side.agent.state === "degraded");
    expect(marks(side)).toEqual(["one"]);
    expect(side.agent.version).not.toBe("");
    const next = await operator({ folder: op.folder, port: op.port });
    publish(next, "engine", "two");
    await until("ready", () => side.agent.state === "ready" && side.snapshots.length === 2);
    expect(marks(side)).toEqual(["one", "two"]);
  });

  test("is not sent what it has when it connects again", async () => {
    const op = await startTestOperator();
    cleanups.push(() => removeFolder(op.folder));
    const version = publish(op, "engine", "one");
    const side = await agent(op);
    await until("ready", () => side.agent.state === "ready");
    await op.stop(0);
    const next = await operator({ folder: op.folder, port: op.port });
    publish(next, "engine", "one");
    await until("an ack", () => next.verdicts.length === 1);
    expect(next.verdicts).toMatchObject([{ verdict: "ack", version }]);
    expect(marks(side)).toEqual(["one"]);
  });

  test("says that its identity has ended when the operator stays away, and comes back by itself with a new token", async () => {
    const op = await startTestOperator({ ttlSeconds: 1 });
    cleanups.push(() => removeFolder(op.folder));
    publish(op, "engine", "one");
    const folder = await mkdtemp(join(tmpdir(), "sallyport-token-"));
    cleanups.push(() => removeFolder(folder));
    const file = join(folder, "token");
    writeFileSync(file, op.tokens.create(subjectOf("engine")));
    const side = await agent(op, { change: { token: { file } } });
    await until("ready", () => side.agent.state === "ready");
    await op.stop(0);
    await until("expired", () => side.agent.state === "expired");
    const next = await operator({ folder: op.folder, port: op.port });
    publish(next, "engine", "one");
    writeFileSync(file, next.tokens.create(subjectOf("engine")));
    await until("ready", () => side.agent.state === "ready", 15_000);
    expect(side.states).toEqual(["ready", "degraded", "expired", "degraded", "ready"]);
  });

  test("uses the snapshot on disk as soon as it has an identity", async () => {
    const op = await operator();
    publish(op, "engine", "one");
    const first = await agent(op);
    await until("the cache", () => first.agent.state === "ready" && isCached(first));
    await first.agent.stop();
    op.config.withdraw(workloadId(TRUST_DOMAIN, "inference", "engine").uri);
    const second = await agent(op, { cacheDir: first.cacheDir });
    await until("ready", () => second.agent.state === "ready");
    expect(marks(second)).toEqual(["one"]);
  });

  test("stays closed with a snapshot on disk and no operator", async () => {
    const op = await startTestOperator();
    cleanups.push(() => removeFolder(op.folder));
    publish(op, "engine", "one");
    const first = await agent(op);
    await until("the cache", () => first.agent.state === "ready" && isCached(first));
    await first.agent.stop();
    const token = op.tokens.create(subjectOf("engine"));
    await op.stop(0);
    const second = await agent(op, { cacheDir: first.cacheDir, token });
    await until("a failed attempt", () =>
      second.lines.some(({ message }) => message === "no certificate from the operator"),
    );
    expect(second.agent.state).toBe("starting");
    expect(second.snapshots).toEqual([]);
    expect(second.lines[0]?.fields).toMatchObject({ reason: `connect ECONNREFUSED ${op.address}` });
  });

  test.each([
    ["cut", (content: Buffer) => content.subarray(0, content.length - 1)],
    ["changed", (content: Buffer) => Buffer.from(content.toString("latin1").replace("engine", "enginE"), "latin1")],
    ["empty", () => Buffer.alloc(0)],
    ["random", () => randomBytes(500)],
  ])("ignores a file on disk that is %s", async (_name, corrupt) => {
    const op = await operator();
    publish(op, "engine", "one");
    const first = await agent(op);
    const file = join(first.cacheDir, "snapshot");
    await until("the cache", () => first.agent.state === "ready" && isCached(first));
    await first.agent.stop();
    writeFileSync(file, corrupt(readFileSync(file)));
    const version = publish(op, "engine", "two");
    const second = await agent(op, { cacheDir: first.cacheDir });
    await until("ready", () => second.agent.state === "ready");
    expect(marks(second)).toEqual(["two"]);
    expect(second.lines.filter(({ message }) => message === "cached snapshot ignored")).toHaveLength(1);
    await until("a good file", () => existsSync(file) && readFileSync(file, "latin1").startsWith(version));
  });

  test("ignores the snapshot on disk of another workload", async () => {
    const op = await operator();
    publish(op, "engine", "one");
    const first = await agent(op);
    await until("the cache", () => first.agent.state === "ready" && isCached(first));
    const other = await agent(op, { name: "other", cacheDir: first.cacheDir });
    await until("an identity", () => other.identities.length === 1);
    await until("a line", () => other.lines.some(({ message }) => message === "cached snapshot ignored"));
    expect(other.snapshots).toEqual([]);
    expect(other.agent.state).toBe("starting");
  });

  test("has neither its token nor its key in what it logs", async () => {
    const op = await operator();
    publish(op, "engine", "one");
    const good = await agent(op);
    await until("ready", () => good.agent.state === "ready");
    const bad = await agent(op, { token: "not-a-token-that-anybody-gave" });
    await until("a refusal", () => bad.lines.length > 0);
    for (const { lines, token, identities } of [good, bad]) {
      const logged = JSON.stringify(lines);
      expect(lines.length).toBeGreaterThan(0);
      expect(logged).not.toContain(token);
      for (const { key } of identities) expect(logged).not.toContain(key.split("\n")[1]);
    }
  });

  test.each([
    [
      "an operator of another ID",
      { operatorId: "spiffe://example.local/ns/sallyport/sa/other" },
      "the operator is spiffe://example.local/ns/sallyport/sa/operator",
    ],
  ])("does not talk to %s", async (_name, change, message) => {
    const op = await operator();
    const side = await agent(op, { change });
    await until("a line", () => side.lines.length > 0);
    expect(JSON.stringify(side.lines)).toContain(message);
    expect(op.issuances).toEqual([]);
  });

  test("does not talk to an operator of another root", async () => {
    const [op, other] = [await operator(), await operator()];
    const side = await agent(op, { change: { trustBundle: other.authority.rootsPem } });
    await until("a line", () => side.lines.length > 0);
    expect(side.identities).toEqual([]);
    expect(op.issuances).toEqual([]);
  });

  test("waits for an operator that accepts connections and says nothing", async () => {
    const silent = net.createServer();
    silent.listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const sockets: net.Socket[] = [];
    silent.on("connection", (socket) => sockets.push(socket));
    const op = await operator();
    const { port } = silent.address() as net.AddressInfo;
    const side = await agent(op, { change: { operatorAddress: `127.0.0.1:${String(port)}` } });
    await until("a line", () => side.lines.length > 0, 8000);
    await side.agent.stop();
    for (const socket of sockets) socket.destroy();
    silent.close();
    expect(side.agent.state).toBe("starting");
  });

  test.each([
    ["an operator ID that is none", { operatorId: "https://example.local" }, "does not begin with spiffe://"],
    ["a trust bundle without a certificate", { trustBundle: "hello" }, "has no root"],
  ])("does not start with %s", async (_name, change, message) => {
    const op = await operator();
    await expect(agent(op, { change })).rejects.toThrow(message);
  });
});

test("an operator does not start where somebody listens already", async () => {
  const op = await operator();
  const folder = await mkdtemp(join(tmpdir(), "sallyport-operator-"));
  cleanups.push(() => removeFolder(folder));
  await expect(startTestOperator({ folder, port: op.port })).rejects.toThrow("EADDRINUSE");
});

test("a stopped agent leaves no descriptor open", async () => {
  const op = await operator();
  publish(op, "engine", "one");
  const warm = await agent(op);
  await until("ready", () => warm.agent.state === "ready");
  await warm.agent.stop();
  await until("no stream", () => op.config.connected.length === 0);
  const before = sockets();
  for (let i = 0; i < 3; i++) {
    const side = await agent(op);
    await until("ready", () => side.agent.state === "ready");
    await side.agent.stop();
  }
  await until("as many sockets as before", () => sockets() <= before);
});

function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}
