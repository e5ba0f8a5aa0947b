import { describe, expect, test } from "@jest/globals";
import { Buffer } from "node:buffer";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import {
  certificatesFromPem,
  certificatesToPem,
  createSigningRequest,
  readCertificate,
  signLeaf,
  workloadId,
} from "../../core/identity/index.ts";
import { OID } from "../../core/identity/oids.ts";
import { subjectOf, TRUST_DOMAIN, until, type TestOperator } from "../../test/support/operator.ts";
import { readTrustBundle } from "../../sidecar/agent/trust.ts";
import { OperatorChannel } from "../../sidecar/agent/channel.ts";
import { agent, operator, cleanUpAfterEach } from "../../test/support/agents.ts";
import * as der from "../../core/identity/der-writer.ts";

cleanUpAfterEach();

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

function signed(body: Buffer, privateKey: Parameters<typeof createSigningRequest>[1]): Buffer {
  const algorithm = der.sequence(der.oid(OID.ecdsaWithSHA256));
  return der.sequence(body, algorithm, der.bitString(sign("sha256", body, privateKey)));
}
