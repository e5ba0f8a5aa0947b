import { expect, test } from "@jest/globals";
import { parseSpiffeId } from "./spiffe.ts";

test("reads trust domain and path", () => {
  expect(parseSpiffeId("spiffe://example.com/ns/apps/sa/chat")).toEqual({
    ok: true,
    value: { trustDomain: "example.com", path: "/ns/apps/sa/chat", segments: ["ns", "apps", "sa", "chat"] },
  });
  expect(parseSpiffeId("spiffe://td")).toEqual({ ok: true, value: { trustDomain: "td", path: "", segments: [] } });
});

test.each([
  "",
  "spiffe://",
  "spiffe:///a",
  "SPIFFE://td",
  "https://td",
  "spiffe://Td",
  "spiffe://td/",
  "spiffe://td//a",
  "spiffe://td/a/",
  "spiffe://td/.",
  "spiffe://td/../a",
  "spiffe://td/a%20b",
  "spiffe://td/a?b",
  "spiffe://td/a#b",
  "spiffe://user@td/a",
  "spiffe://td:80/a",
  "spiffe://tdé/a",
  " spiffe://td",
  "spiffe://td/a ",
  `spiffe://${"a".repeat(256)}`,
  `spiffe://td/${"a".repeat(2048)}`,
])("%s is none", (text) => {
  const result = parseSpiffeId(text);
  expect(result.ok ? "" : result.message).toContain("invalid SPIFFE ID");
});
