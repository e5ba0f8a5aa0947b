import { expect, test } from "@jest/globals";
import { X509Certificate } from "node:crypto";
import { makeAuthority } from "./pki.ts";

test("a leaf verifies against its authority and no other, and holds the SPIFFE ID alone", async () => {
  const authority = await makeAuthority("example.local");
  const other = await makeAuthority("other.local");
  const id = "spiffe://example.local/ns/apps/sa/chat";
  const leaf = new X509Certificate((await authority.leaf({ uris: [id] })).cert);
  expect(leaf.subjectAltName).toBe(`URI:${id}`);
  expect(leaf.verify(new X509Certificate(authority.pem).publicKey)).toBe(true);
  expect(leaf.verify(new X509Certificate(other.pem).publicKey)).toBe(false);
});
