import { describe, expect, test } from "@jest/globals";
import type { ServiceClientConstructor } from "@grpc/grpc-js";
import * as grpc from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import * as config from "./config.ts";
import * as identity from "./identity.ts";
import { ISSUE, STREAM } from "./methods.ts";
import { fieldsOf, WireError } from "./wire.ts";

/** The oracle: the .proto files themselves, as the ordinary library reads them. */
const loaded = grpc.loadPackageDefinition(
  protoLoader.loadSync(["identity.proto", "config.proto"], {
    includeDirs: [join(import.meta.dirname)],
    keepCase: true,
    longs: Number,
    defaults: true,
    arrays: true,
    oneofs: true,
  }),
) as { sallyport: { v1: { Identity: ServiceClientConstructor; Config: ServiceClientConstructor } } };
const issue = loaded.sallyport.v1.Identity.service["Issue"]!;
const stream = loaded.sallyport.v1.Config.service["Stream"]!;

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const whole = fc.maxSafeNat();
const text = fc.string({ unit: "binary", maxLength: 60 }).filter((value) => value.isWellFormed());

describe("the wire format", () => {
  test("names the methods as the .proto files do", () => {
    expect(ISSUE.path).toBe(issue.path);
    expect(STREAM.path).toBe(stream.path);
    expect([STREAM.requestStream, STREAM.responseStream]).toEqual([stream.requestStream, stream.responseStream]);
  });

  test("writes an issue request as the library reads it, and reads what the library writes", () => {
    fc.assert(
      fc.property(bytes, text, text, (csr, token, configVersion) => {
        const ours = identity.encodeIssueRequest({ csr, token, configVersion });
        expect(issue.requestDeserialize(ours)).toEqual({ csr, token, config_version: configVersion });
        const theirs = issue.requestSerialize({ csr, token, config_version: configVersion });
        expect(identity.decodeIssueRequest(theirs)).toEqual({ csr, token, configVersion });
      }),
    );
  });

  test("writes an issue response as the library reads it, and reads what the library writes", () => {
    fc.assert(
      fc.property(
        fc.array(bytes),
        fc.array(bytes),
        text,
        whole,
        whole,
        (chain, roots, spiffeId, notBefore, notAfter) => {
          const message = { chain, roots, spiffeId, notBefore, notAfter };
          const foreign = { chain, roots, spiffe_id: spiffeId, not_before_ms: notBefore, not_after_ms: notAfter };
          expect(issue.responseDeserialize(identity.encodeIssueResponse(message))).toEqual(foreign);
          expect(identity.decodeIssueResponse(issue.responseSerialize(foreign))).toEqual(message);
        },
      ),
    );
  });

  test("writes the requests of a stream as the library reads them, and reads what the library writes", () => {
    const hello = fc.record({ build: text, features: fc.array(text), version: text, instance: text });
    const verdict = fc.record({ version: text, nonce: whole, reason: text });
    const anyRequest = fc.oneof(
      hello.map((value) => ["hello", value] as const),
      verdict.map((value) => ["ack", value] as const),
      verdict.map((value) => ["nack", value] as const),
    );
    fc.assert(
      fc.property(anyRequest, ([kind, value]) => {
        const ours = { kind, ...value } as config.ConfigRequest;
        expect(stream.requestDeserialize(config.encodeConfigRequest(ours))).toEqual({ message: kind, [kind]: value });
        expect(config.decodeConfigRequest(stream.requestSerialize({ [kind]: value }))).toEqual(ours);
      }),
    );
  });

  test("writes the responses of a stream as the library reads them, and reads what the library writes", () => {
    fc.assert(
      fc.property(text, whole, bytes, (version, nonce, snapshot) => {
        const message = { version, nonce, snapshot };
        expect(stream.responseDeserialize(config.encodeConfigResponse(message))).toEqual(message);
        expect(config.decodeConfigResponse(stream.responseSerialize(message))).toEqual(message);
      }),
    );
  });

  test("ignores fields that a newer version may add", () => {
    const known = config.encodeConfigResponse({ version: "v", nonce: 7, snapshot: Buffer.from("{}") });
    const added = Buffer.from([0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7d, 1, 2, 3, 4, 0x70, 0x05, 0x6a, 0x01, 0x61]);
    expect(config.decodeConfigResponse(Buffer.concat([added, known, added]))).toEqual(
      config.decodeConfigResponse(known),
    );
  });

  test("refuses what is not a message, and never fails in another way", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (array) => {
        for (const decode of [identity.decodeIssueRequest, identity.decodeIssueResponse, config.decodeConfigRequest]) {
          try {
            decode(array);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["a number of eleven bytes", [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ["a negative number", [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ["a number that ends early", [0x08, 0x80]],
    ["field number zero", [0x00, 0x01]],
    ["a field that is longer than its message", [0x0a, 0x05, 0x61]],
    ["a group", [0x0b, 0x0c]],
  ])("refuses %s", (_name, message) => {
    expect(() => [...fieldsOf(Buffer.from(message))]).toThrow(WireError);
  });
});
