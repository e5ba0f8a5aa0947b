/**
 * nginx (Debian's) as an mTLS proxy: the client's certificate by its fingerprint (it cannot read a URI name), the path, an
 * access log line a request. It does not read bodies. The same binary serves as a fast upstream.
 */
import { X509Certificate } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { cacheFolder, messageOf, once } from "../../test/support/cache.ts";
import { temporaryFolder } from "../../test/support/guardian.ts";
import { freePort } from "../../test/support/ports.ts";
import { runToEnd, start, succeed, type Running } from "../../test/support/processes.ts";
import type { Identities } from "./identities.ts";
import { Unavailable, type Target, type Upstream } from "./target.ts";
import { untilListening } from "./listening.ts";
import { ANSWER, CHAT_PATH } from "./wire.ts";

/** The installed one, or Debian's package unpacked into the cache, which installs and starts nothing. */
async function nginxBinary(): Promise<string> {
  const installed = await runToEnd("sh", ["-c", "command -v nginx"]);
  if (installed.code === 0) return installed.stdout.trim();
  try {
    const folder = await once(cacheFolder("nginx-debian"), async (folder) => {
      const download = `apt-get -qq download nginx || { apt-get -qq update && apt-get -qq download nginx; }`;
      await succeed("sh", ["-c", `${download}; dpkg -x nginx_*.deb . && rm nginx_*.deb`], {
        cwd: folder,
        timeoutMs: 120_000,
      });
    });
    const binary = path.join(folder, "usr", "sbin", "nginx");
    await succeed(binary, ["-v"]);
    return binary;
  } catch (error) {
    throw new Unavailable(`nginx: ${messageOf(error).split("\n").at(-1) ?? ""}`);
  }
}

async function startNginx(port: number, http: string): Promise<Running> {
  const binary = await nginxBinary();
  const folder = temporaryFolder("nginx");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = temporary.map((name) => `${name}_temp_path ${path.join(folder, name)};`).join(" ");
  const file = path.join(folder, "nginx.conf");
  fs.writeFileSync(
    file,
    `daemon off; master_process off; pid ${path.join(folder, "pid")}; error_log stderr error;
events { worker_connections 4096; }
http { ${paths}
  keepalive_requests 100000000; keepalive_timeout 1h; client_body_buffer_size 64k;
${http.replaceAll("$FOLDER", folder)}
}
`,
  );
  const running = start(binary, ["-c", file, "-p", folder, "-e", "stderr"]);
  await untilListening(port, running);
  return running;
}

/** A server that gives the fixed answer to every request. */
export async function startNginxUpstream(): Promise<Upstream & { stop(): Promise<void> }> {
  const port = await freePort();
  const answer = `location / { default_type application/json; return 200 '${ANSWER}'; }`;
  const running = await startNginx(port, `access_log off; server { listen 127.0.0.1:${port}; ${answer} }`);
  return { port, stop: async () => void (await running.stop()) };
}

export async function startNginxProxy(identities: Identities, upstream: Upstream): Promise<Target> {
  const port = await freePort();
  const folder = temporaryFolder("nginx-pki");
  const write = (name: string, text: string): string => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const ca = write("ca.pem", identities.ca);
  const cert = write("cert.pem", identities.server.cert);
  const key = write("key.pem", identities.server.key);
  const fingerprint = new X509Certificate(identities.client.cert).fingerprint.replaceAll(":", "").toLowerCase();
  const running = await startNginx(
    port,
    `access_log $FOLDER/access.log;
map $ssl_client_fingerprint $allowed { default 0; "${fingerprint}" 1; }
upstream engine { server 127.0.0.1:${upstream.port}; keepalive 256; keepalive_requests 100000000; }
server {
  listen 127.0.0.1:${port} ssl;
  ssl_protocols TLSv1.3; ssl_certificate ${cert}; ssl_certificate_key ${key};
  ssl_verify_client on; ssl_client_certificate ${ca};
  location / { return 403; }
  location = ${CHAT_PATH} {
    if ($allowed = 0) { return 403; }
    proxy_pass http://engine; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
  }
}`,
  );
  const trust = { ca: identities.ca };
  return {
    name: "nginx",
    port,
    pid: running.pid,
    client: { ...trust, ...identities.client },
    intruder: { ...trust, ...identities.intruder },
    stop: async () => void (await running.stop()),
  };
}
