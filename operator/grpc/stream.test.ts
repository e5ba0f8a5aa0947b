import { describe, expect, test } from "@jest/globals";
import { Buffer } from "node:buffer";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { certificatesToPem, requireSpiffeId, signLeaf } from "../../core/identity/index.ts";
import { TRUST_DOMAIN, until, type TestOperator } from "../../test/support/operator.ts";
import type { ConfigRequest, ConfigResponse } from "../../proto/config.ts";
import type { AgentIdentity } from "../../sidecar/agent/agent.ts";
import { readTrustBundle } from "../../sidecar/agent/trust.ts";
import { OperatorChannel } from "../../sidecar/agent/channel.ts";
import { agent, operator, publish, cleanups, cleanUpAfterEach } from "../../test/support/agents.ts";

cleanUpAfterEach();

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

  test("ends for an identity that has no configuration, and for more streams of one than there may be", async () => {
    const op = await operator({ config: { unpublishedMs: 100, maxStreamsEach: 2 } });
    const identity = await identityOf(op);
    const stranger = await open(op, identity);
    stranger.send(hello);
    await until("the end", () => stranger.errors.length === 1);
    expect(stranger.errors[0]).toContain("there is no configuration for spiffe://");
    publish(op, "engine", "one");
    for (const _ of [1, 2]) (await open(op, identity)).send(hello);
    await until("two", () => op.config.connected.length === 2);
    const third = await open(op, identity);
    third.send(hello);
    await until("an error", () => third.errors.length === 1);
    expect(third.errors[0]).toContain("more than 2 streams of spiffe://");
    // Longer than an identity without a configuration may wait.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(op.config.connected).toHaveLength(2);
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
