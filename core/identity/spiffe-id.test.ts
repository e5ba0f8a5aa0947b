import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { isTrustDomain, parseSpiffeId, trustDomainId, workloadId } from "./spiffe-id.ts";

describe("a SPIFFE ID", () => {
  test.each([
    ["spiffe://example.org", "example.org", ""],
    ["spiffe://example.org/a", "example.org", "/a"],
    ["spiffe://a-b_c.1/ns/x/sa/Y.Z_0-", "a-b_c.1", "/ns/x/sa/Y.Z_0-"],
    ["spiffe://example.org/...", "example.org", "/..."],
    [`spiffe://${"a".repeat(255)}/x`, "a".repeat(255), "/x"],
    [`spiffe://a/${"b".repeat(2037)}`, "a", `/${"b".repeat(2037)}`],
  ])("is read: %s", (uri, trustDomain, path) => {
    expect(parseSpiffeId(uri)).toEqual({ ok: true, id: { uri, trustDomain, path } });
  });

  test.each([
    "",
    "spiffe:/example.org/a",
    "SPIFFE://example.org/a",
    "Spiffe://example.org/a",
    "https://example.org/a",
    " spiffe://example.org/a",
    "spiffe://",
    "spiffe:///a",
    "spiffe://EXAMPLE.org/a",
    "spiffe://user@example.org/a",
    "spiffe://user:pass@example.org/a",
    "spiffe://example.org:443/a",
    "spiffe://example%2eorg/a",
    "spiffe://exämple.org/a",
    "spiffe://[::1]/a",
    "spiffe://example.org/",
    "spiffe://example.org//a",
    "spiffe://example.org/a/",
    "spiffe://example.org/a//b",
    "spiffe://example.org/.",
    "spiffe://example.org/..",
    "spiffe://example.org/a/../b",
    "spiffe://example.org/a/./b",
    "spiffe://example.org/a%2fb",
    "spiffe://example.org/a b",
    "spiffe://example.org/a?b",
    "spiffe://example.org?b",
    "spiffe://example.org/a#b",
    "spiffe://example.org#b",
    "spiffe://example.org/ä",
    "spiffe://example.org/a\n",
    "spiffe://example.org/a\\b",
    `spiffe://${"a".repeat(256)}/x`,
    `spiffe://a/${"b".repeat(2038)}`,
  ])("is refused: %j", (uri) => {
    expect(parseSpiffeId(uri)).toMatchObject({ ok: false });
  });

  test("is never normalised: what is read is what was written", () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ["spiffe"] }), (uri) => {
        const reading = parseSpiffeId(uri);
        return (
          !reading.ok || (reading.id.uri === uri && `spiffe://${reading.id.trustDomain}${reading.id.path}` === uri)
        );
      }),
    );
  });

  test("of a workload names its namespace and service account, and nothing can break out of either", () => {
    expect(workloadId("example.local", "apps", "chat.v1").uri).toBe("spiffe://example.local/ns/apps/sa/chat.v1");
    for (const part of ["", ".", "..", "a/b", "a b", "a%"]) {
      expect(() => workloadId("example.local", part, "chat")).toThrow(/SPIFFE ID/);
      expect(() => workloadId("example.local", "apps", part)).toThrow(/SPIFFE ID/);
    }
  });

  test("of a trust domain has no path", () => {
    expect(trustDomainId("example.local")).toEqual({
      uri: "spiffe://example.local",
      trustDomain: "example.local",
      path: "",
    });
    expect([isTrustDomain("example.local"), isTrustDomain("Example.local"), isTrustDomain("")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
