/** What a client that does nothing, or never finishes, may hold of the operator. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http2 from "node:http2";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { workloadId } from "../../core/identity/index.ts";
import { ISSUE } from "../../proto/methods.ts";
import { ConfigServer } from "../config/index.ts";
import { CertificateAuthority, FolderCaStore, Issuer, OneTimeTokens } from "../issuer/index.ts";
import { startOperatorServer, type OperatorServer } from "./server.ts";

const TRUST_DOMAIN = "example.local";
let folder = "";
let server: OperatorServer;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "sallyport-limits-"));
  const common = { trustDomain: TRUST_DOMAIN, now: Date.now, randomBytes };
  const authority = await CertificateAuthority.open({ store: new FolderCaStore(folder), ...common });
  server = await startOperatorServer({
    host: "127.0.0.1",
    port: 0,
    id: workloadId(TRUST_DOMAIN, "sallyport", "operator"),
    issuer: new Issuer({ authority, randomBytes, ttlSeconds: () => undefined }),
    attestor: new OneTimeTokens(common),
    config: new ConfigServer(),
    idleMs: 300,
    issueMs: 300,
  });
});
afterEach(async () => {
  await server.stop(0);
  rmSync(folder, { recursive: true });
});

function connect(): http2.ClientHttp2Session {
  return http2.connect(`https://127.0.0.1:${String(server.port)}`, { rejectUnauthorized: false });
}

test("a connection without a call is closed", async () => {
  const client = connect();
  await once(client, "connect");
  const begun = performance.now();
  await once(client, "close");
  expect(performance.now() - begun).toBeLessThan(4_000);
});

test("a call for a certificate that never ends its request is ended, and its connection with it", async () => {
  const client = connect();
  const closed = once(client, "close");
  const call = client.request(
    { ":method": "POST", ":path": ISSUE.path, "content-type": "application/grpc", te: "trailers" },
    { endStream: false },
  );
  const seen: Record<string, unknown> = {};
  call.on("response", (headers) => Object.assign(seen, headers));
  call.on("trailers", (headers) => Object.assign(seen, headers));
  call.resume();
  await once(call, "end");
  // 4 is DEADLINE_EXCEEDED.
  expect(seen).toMatchObject({ "grpc-status": "4", "grpc-message": expect.stringContaining("300%20ms") });
  await closed;
});
