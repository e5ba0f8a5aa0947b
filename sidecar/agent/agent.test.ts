import { afterEach, describe, expect, test } from "@jest/globals";
import { Buffer } from "node:buffer";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { existsSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import {
  certificatesFromPem,
  certificatesToPem,
  createSigningRequest,
  readCertificate,
  requireSpiffeId,
  signLeaf,
  workloadId,
} from "../../core/identity/index.ts";
import { readTrustBundle } from "./trust.ts";
import * as der from "../../core/identity/der-writer.ts";
import { OID } from "../../core/identity/oids.ts";
import type { Snapshot } from "../../core/snapshot/index.ts";
import {
  removeFolder,
  snapshotOf,
  startTestOperator,
  subjectOf,
  TRUST_DOMAIN,
  until,
} from "../../operator/grpc/testing.ts";
import type { TestOperator, TestOperatorOptions } from "../../operator/grpc/testing.ts";
import type { ConfigRequest, ConfigResponse } from "../../proto/config.ts";
import { startAgent } from "./agent.ts";
import type { Agent, AgentIdentity, AgentOptions, AgentState, SnapshotVerdict } from "./agent.ts";
import { OperatorChannel } from "./channel.ts";

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function operator(options: TestOperatorOptions = {}): Promise<TestOperator> {
  const started = await startTestOperator(options);
  cleanups.push(async () => {
    await started.stop(0);
    await removeFolder(started.folder);
  });
  return started;
}

interface Line {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

interface TestAgent {
  readonly agent: Agent;
  readonly identities: AgentIdentity[];
  readonly snapshots: Snapshot[];
  readonly states: AgentState[];
  readonly lines: Line[];
  readonly cacheDir: string;
  readonly token: string;
  judge: (snapshot: Snapshot) => SnapshotVerdict;
}

interface AgentTestOptions {
  readonly name?: string;
  readonly cacheDir?: string;
  readonly token?: string;
  readonly change?: Partial<AgentOptions>;
}

async function agent(of: TestOperator, options: AgentTestOptions = {}): Promise<TestAgent> {
  const { name = "engine", change = {} } = options;
  const folder = await mkdtemp(join(tmpdir(), "sallyport-agent-"));
  cleanups.push(() => removeFolder(folder));
  const token = options.token ?? of.tokens.create(subjectOf(name));
  const file = join(folder, "token");
  writeFileSync(file, `${token}\n`);
  const identities: AgentIdentity[] = [];
  const snapshots: Snapshot[] = [];
  const states: AgentState[] = [];
  const lines: Line[] = [];
  const write = (level: string) => (fields: object, message: string) => lines.push({ level, fields, message });
  const cacheDir = options.cacheDir ?? join(folder, "cache");
  const result: Omit<TestAgent, "agent"> = {
    identities,
    snapshots,
    states,
    lines,
    cacheDir,
    token,
    judge: () => ({ ok: true }),
  };
  const started = startAgent(
    {
      operatorAddress: of.address,
      operatorId: of.id.uri,
      trustBundle: of.authority.rootsPem,
      token: { fd: openSync(file, "r") },
      cacheDir,
      instance: `${name}-0`,
      build: "test",
      features: [],
      log: { info: write("info"), warn: write("warn"), error: write("error") },
      ...change,
    },
    {
      onIdentity: (identity) => identities.push(identity),
      onSnapshot: (snapshot) => {
        const verdict = result.judge(snapshot);
        if (verdict.ok) snapshots.push(snapshot);
        return verdict;
      },
      onState: (state) => states.push(state),
    },
  );
  cleanups.push(() => started.stop());
  return Object.assign(result, { agent: started });
}

const isCached = ({ cacheDir }: TestAgent): boolean => existsSync(join(cacheDir, "snapshot"));

const publish = (of: TestOperator, name: string, mark: string): string =>
  of.config.publish(workloadId(TRUST_DOMAIN, "inference", name).uri, snapshotOf(name, mark).bytes);

const marks = ({ snapshots }: TestAgent): readonly (string | undefined)[] =>
  snapshots.map(({ workload }) => workload.labels["mark"]);

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
    await until("the cache", () => readFileSync(join(side.cacheDir, "snapshot"), "latin1").startsWith(next));
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
    await until("a good file", () => readFileSync(file, "latin1").startsWith(version));
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

describe("the operator's issuing", () => {
  /** Asks directly, past the agent. */
  async function ask(
    op: TestOperator,
    csr: Uint8Array,
    token: string,
    identity?: { key: string; chain: string },
  ): Promise<unknown> {
    const channel = new OperatorChannel({
      address: op.address,
      operatorId: op.id,
      bundle: readTrustBundle(op.authority.rootsPem, TRUST_DOMAIN),
      now: Date.now,
      ...(identity === undefined ? {} : { identity }),
    });
    try {
      return await channel.issue({ csr, token, configVersion: "" }, 3000);
    } finally {
      channel.close();
    }
  }

  const newKey = (): ReturnType<typeof generateKeyPairSync> => generateKeyPairSync("ec", { namedCurve: "P-256" });

  test("gives one key a certificate for a token, again if its answer was lost, and no other key", async () => {
    const op = await operator();
    const token = op.tokens.create(subjectOf("engine"));
    const [first, second] = [newKey(), newKey()];
    const csr = createSigningRequest(first.publicKey, first.privateKey);
    await expect(ask(op, csr, token)).resolves.toMatchObject({
      spiffeId: "spiffe://example.local/ns/inference/sa/engine",
    });
    await expect(ask(op, csr, token)).resolves.toBeDefined();
    const other = createSigningRequest(second.publicKey, second.privateKey);
    await expect(ask(op, other, token)).rejects.toThrow("the token was used already, for another key");
    expect(op.issuances.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["issued", ""],
      ["issued", ""],
      ["refused", "attestation_failed"],
    ]);
  });

  test("refuses a token that it never gave, none at all, and one that was revoked", async () => {
    const op = await operator();
    const { publicKey, privateKey } = newKey();
    const csr = createSigningRequest(publicKey, privateKey);
    await expect(ask(op, csr, "x".repeat(43))).rejects.toThrow("attestation_failed: the token is not known");
    await expect(ask(op, csr, "")).rejects.toThrow("attestation_missing");
    const token = op.tokens.create(subjectOf("engine"));
    op.tokens.revoke(subjectOf("engine"));
    await expect(ask(op, csr, token)).rejects.toThrow("attestation_failed");
  });

  test("refuses a request whose key its sender does not have, before the token is used", async () => {
    const op = await operator();
    const token = op.tokens.create(subjectOf("engine"));
    const [victim, thief] = [newKey(), newKey()];
    await expect(ask(op, createSigningRequest(victim.publicKey, thief.privateKey), token)).rejects.toThrow(
      "csr_signature",
    );
    const csr = createSigningRequest(victim.publicKey, victim.privateKey);
    await expect(ask(op, csr, token)).resolves.toBeDefined();
  });

  test.each([
    [
      "somebody else's ID",
      "csr_name",
      der.sequence(
        der.oid(OID.subjectAltName),
        der.octetString(der.sequence(uri("spiffe://example.local/ns/inference/sa/other"))),
      ),
    ],
    [
      "its own ID and another name",
      "csr_name",
      der.sequence(
        der.oid(OID.subjectAltName),
        der.octetString(
          der.sequence(
            uri("spiffe://example.local/ns/inference/sa/engine"),
            der.implicit(2, Buffer.from("bank.example")),
          ),
        ),
      ),
    ],
    [
      "CA:true",
      "csr_ca",
      der.sequence(der.oid(OID.basicConstraints), der.TRUE, der.octetString(der.sequence(der.TRUE))),
    ],
    ["a key usage", "csr_extension", der.sequence(der.oid(OID.keyUsage), der.octetString(der.namedBits([5])))],
    [
      "an extension of its own making",
      "csr_extension",
      der.sequence(der.oid("1.2.3.4"), der.TRUE, der.octetString(der.sequence())),
    ],
  ])("refuses a request for %s", async (_name, code, extension) => {
    const op = await operator();
    const csr = requestWith(extension);
    await expect(ask(op, csr, op.tokens.create(subjectOf("engine")))).rejects.toThrow(code);
    expect(op.issuances).toMatchObject([{ outcome: "refused", code }]);
  });

  test("signs a request for exactly its sender's own ID", async () => {
    const op = await operator();
    const own = der.sequence(
      der.oid(OID.subjectAltName),
      der.octetString(der.sequence(uri("spiffe://example.local/ns/inference/sa/engine"))),
    );
    await expect(ask(op, requestWith(own), op.tokens.create(subjectOf("engine")))).resolves.toBeDefined();
  });

  test("refuses keys of other kinds", async () => {
    const op = await operator();
    const token = op.tokens.create(subjectOf("engine"));
    for (const { publicKey, privateKey } of [
      generateKeyPairSync("rsa", { modulusLength: 1024 }),
      generateKeyPairSync("rsa", { modulusLength: 4096 }),
      generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
      generateKeyPairSync("ec", { namedCurve: "P-384" }),
    ]) {
      await expect(ask(op, createSigningRequest(publicKey, privateKey), token)).rejects.toThrow("csr_key");
    }
  });

  test("renews by certificate only for a workload that it knows, and never for another ID", async () => {
    const op = await operator();
    const { publicKey, privateKey } = newKey();
    const csr = createSigningRequest(publicKey, privateKey);
    const publicKeyInfo = publicKey.export({ format: "der", type: "spki" });
    const key = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const certify = (name: string, notAfter: number): string => {
      const id = workloadId(TRUST_DOMAIN, "inference", name);
      const serial = randomBytes(16);
      const leaf = signLeaf({ id, publicKeyInfo, serial, notBefore: notAfter - 60_000, notAfter }, op.authority.issuer);
      return certificatesToPem([leaf, ...op.authority.intermediates]);
    };
    op.tokens.create(subjectOf("engine"));
    const soon = Date.now() + 30_000;
    await expect(ask(op, csr, "", { key, chain: certify("engine", soon) })).resolves.toBeDefined();
    await expect(ask(op, csr, "", { key, chain: certify("stranger", soon) })).rejects.toThrow(
      "no workload of this operator's",
    );
    await expect(ask(op, csr, "", { key, chain: certify("engine", Date.now() - 1000) })).rejects.toThrow(
      "attestation_missing",
    );
  });

  test("makes leaves of one trust domain from one intermediate of one root", async () => {
    const op = await operator();
    const side = await agent(op);
    await until("an identity", () => side.identities.length === 1);
    const chain = certificatesFromPem(side.identities[0]!.chain).map((bytes) => {
      const reading = readCertificate(bytes);
      if (!reading.ok) throw new Error(reading.message);
      return reading.certificate;
    });
    expect(chain).toHaveLength(2);
    expect(chain[0]?.isSignedBy(chain[1]!)).toBe(true);
    expect(chain[1]?.isSignedBy(op.authority.roots[0]!)).toBe(true);
    const life = chain[0]!.notAfter - chain[0]!.notBefore;
    expect(life).toBe(3_600_000 + 120_000);
  });

  function uri(text: string): Buffer {
    return der.implicit(6, Buffer.from(text));
  }

  /** A request with one extension, made by hand. */
  function requestWith(extension: Buffer): Buffer {
    const { publicKey, privateKey } = newKey();
    const attribute = der.sequence(der.oid(OID.extensionRequest), der.setOf(der.sequence(extension)));
    const info = publicKey.export({ format: "der", type: "spki" });
    const body = der.sequence(der.unsigned(Buffer.from([0])), der.sequence(), info, der.element(0xa0, attribute));
    return signed(body, privateKey);
  }
});

describe("the operator's stream", () => {
  /** A stream by hand, with the answers in the order in which they come. */
  async function open(op: TestOperator, identity: AgentIdentity | undefined): Promise<Stream> {
    const channel = new OperatorChannel({
      address: op.address,
      operatorId: op.id,
      bundle: readTrustBundle(op.authority.rootsPem, TRUST_DOMAIN),
      now: Date.now,
      ...(identity === undefined ? {} : { identity }),
    });
    const call = channel.stream();
    const messages: ConfigResponse[] = [];
    const errors: string[] = [];
    call.on("data", (message: ConfigResponse) => messages.push(message));
    call.on("error", (error) => errors.push(error.message));
    cleanups.push(async () => {
      call.cancel();
      channel.close();
      return Promise.resolve();
    });
    return { messages, errors, send: (request) => call.write(request) };
  }

  interface Stream {
    readonly messages: readonly ConfigResponse[];
    readonly errors: readonly string[];
    readonly send: (request: ConfigRequest) => void;
  }

  const hello: ConfigRequest = { kind: "hello", build: "b", features: [], version: "", instance: "by-hand" };

  async function identityOf(op: TestOperator): Promise<AgentIdentity> {
    const side = await agent(op);
    await until("an identity", () => side.identities.length === 1);
    await side.agent.stop();
    await until("no stream", () => op.config.connected.length === 0);
    return side.identities[0]!;
  }

  test("is not there for somebody without a certificate", async () => {
    const op = await operator();
    const stream = await open(op, undefined);
    stream.send(hello);
    await until("an error", () => stream.errors.length === 1);
    expect(stream.errors[0]).toContain("identity_missing");
  });

  test("is not there for a certificate that has ended, nor for one of another authority", async () => {
    const [op, other] = [await operator(), await operator()];
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const publicKeyInfo = publicKey.export({ format: "der", type: "spki" });
    const key = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const id = requireSpiffeId("spiffe://example.local/ns/inference/sa/engine");
    const now = Date.now();
    for (const [issuer, notAfter, code] of [
      [op.authority, now - 1000, "identity_expired"],
      [other.authority, now + 60_000, "identity_untrusted"],
    ] as const) {
      const leaf = signLeaf(
        { id, publicKeyInfo, serial: randomBytes(16), notBefore: now - 90_000, notAfter },
        issuer.issuer,
      );
      const chain = certificatesToPem([leaf, ...issuer.intermediates]);
      const stream = await open(op, { key, chain, roots: "", notAfter, id: id.uri });
      stream.send(hello);
      await until("an error", () => stream.errors.length === 1);
      expect(stream.errors[0]).toContain(code);
    }
  });

  test("sends one message at a time, and the newest when its turn comes", async () => {
    const op = await operator();
    const identity = await identityOf(op);
    const first = publish(op, "engine", "one");
    const stream = await open(op, identity);
    stream.send(hello);
    await until("one", () => stream.messages.length === 1);
    publish(op, "engine", "two");
    const third = publish(op, "engine", "three");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stream.messages).toHaveLength(1);
    stream.send({ kind: "ack", version: first, nonce: 1, reason: "" });
    await until("the newest", () => stream.messages.length === 2);
    expect(stream.messages.map(({ version, nonce }) => [version, nonce])).toEqual([
      [first, 1],
      [third, 2],
    ]);
  });

  test("ignores verdicts with a stale nonce, of another version, or of the future", async () => {
    const op = await operator();
    const identity = await identityOf(op);
    const version = publish(op, "engine", "one");
    const stream = await open(op, identity);
    stream.send(hello);
    await until("one", () => stream.messages.length === 1);
    stream.send({ kind: "ack", version, nonce: 0, reason: "" });
    stream.send({ kind: "ack", version, nonce: 2, reason: "" });
    stream.send({ kind: "nack", version: "sha256:00", nonce: 1, reason: "no" });
    stream.send({ kind: "unknown" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(op.verdicts).toEqual([]);
    stream.send({ kind: "ack", version, nonce: 1, reason: "" });
    stream.send({ kind: "nack", version, nonce: 1, reason: "again" });
    await until("the verdict", () => op.verdicts.length === 1);
    expect(op.verdicts).toMatchObject([{ verdict: "ack", version, instance: "by-hand" }]);
  });

  test("ends for a second hello, and for a verdict that does not come", async () => {
    const op = await operator({ config: { verdictMs: 100 } });
    const identity = await identityOf(op);
    const twice = await open(op, identity);
    twice.send(hello);
    twice.send(hello);
    await until("an error", () => twice.errors.length === 1);
    expect(twice.errors[0]).toContain("a second hello");
    publish(op, "engine", "one");
    const mute = await open(op, identity);
    mute.send(hello);
    await until("an error", () => mute.errors.length === 1);
    expect(mute.errors[0]).toContain("no verdict within 100 ms");
    expect(op.config.connected).toEqual([]);
  });

  test("ends when the certificate of its connection does", async () => {
    const op = await operator({ ttlSeconds: 2 });
    const identity = await identityOf(op);
    const stream = await open(op, identity);
    stream.send(hello);
    await until("the end", () => stream.errors.length === 1);
    expect(stream.errors[0]).toContain("has ended");
    expect(Date.now()).toBeGreaterThan(identity.notAfter);
  });

  test("ends when its snapshot is withdrawn, and for more streams than there may be", async () => {
    const op = await operator({ config: { maxStreams: 1 } });
    const identity = await identityOf(op);
    const first = await open(op, identity);
    first.send(hello);
    await until("the first", () => op.config.connected.length === 1);
    const second = await open(op, identity);
    second.send(hello);
    await until("an error", () => second.errors.length === 1);
    expect(second.errors[0]).toContain("more than 1 streams");
    op.config.withdraw(identity.id);
    await until("an error", () => first.errors.length === 1);
    expect(first.errors[0]).toContain("no workload of this operator's any more");
    expect(op.config.connected).toEqual([]);
  });

  test("carries no snapshot that a sidecar would not read", async () => {
    const op = await operator();
    const large = Buffer.alloc(4 * 1024 * 1024 + 1);
    expect(() => op.config.publish("spiffe://example.local/ns/inference/sa/engine", large)).toThrow(
      "at most 4194304 are sent",
    );
  });

  test("carries the largest snapshot that a sidecar reads", async () => {
    const op = await operator();
    const identity = await identityOf(op);
    const stream = await open(op, identity);
    op.config.publish(identity.id, Buffer.alloc(4 * 1024 * 1024));
    stream.send(hello);
    await until("the message", () => stream.messages.length === 1);
    expect(stream.messages[0]?.snapshot).toHaveLength(4 * 1024 * 1024);
  });

  test("shows people no control characters of a sidecar's reason", async () => {
    const op = await operator();
    const identity = await identityOf(op);
    const version = publish(op, "engine", "one");
    const stream = await open(op, identity);
    stream.send(hello);
    await until("one", () => stream.messages.length === 1);
    stream.send({ kind: "nack", version, nonce: 1, reason: "a\u001b[2Jb\nc" });
    await until("the verdict", () => op.verdicts.length === 1);
    expect(op.verdicts[0]?.reason).toBe("a [2Jb c");
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

function signed(body: Buffer, privateKey: Parameters<typeof createSigningRequest>[1]): Buffer {
  const algorithm = der.sequence(der.oid(OID.ecdsaWithSHA256));
  return der.sequence(body, algorithm, der.bitString(sign("sha256", body, privateKey)));
}
