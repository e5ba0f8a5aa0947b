/** The product as a person starts it: `sallyport standalone` over a folder of its own, and what tests ask of it. */
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "./guardian.ts";
import type { Credentials } from "./pki.ts";
import { freePorts } from "./ports.ts";
import { childrenOf, start, type Exit, type Running } from "./processes.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");
export const SALLYPORT: string = path.join(ROOT, "bin", "sallyport.mjs");
export const TRUST_DOMAIN = "example.local";

export interface StandaloneOptions {
  /** File name → text; what the folder of resources holds at first. */
  readonly files: Readonly<Record<string, string>>;
  /** Base URL; without it the scripted engine that comes with the product. */
  readonly engine?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A state folder to go on from. */
  readonly state?: string;
  /** False: do not wait until the sidecar is ready. */
  readonly ready?: boolean;
}

/** What a client needs for a connection. */
export interface ClientIdentity extends Credentials {
  readonly ca: string;
}

export interface AuditRecord {
  readonly [field: string]: unknown;
}

export class Standalone {
  readonly process: Running;
  readonly folder: string;
  readonly state: string;
  readonly port: number;
  readonly adminPort: number;

  constructor(running: Running, folder: string, state: string, port: number, adminPort: number) {
    this.process = running;
    this.folder = folder;
    this.state = state;
    this.port = port;
    this.adminPort = adminPort;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** The authority that vouches for the sidecar and its clients. */
  get ca(): string {
    return fs.readFileSync(path.join(this.state, "ca.crt"), "utf8");
  }

  /** The certificate written for an LlmIdentity that no pod has. */
  client(namespace: string, name: string): ClientIdentity {
    const folder = path.join(this.state, "clients", `${namespace}-${name}`);
    const read = (file: string): string => fs.readFileSync(path.join(folder, file), "utf8");
    return { ca: this.ca, cert: read("tls.crt"), key: read("tls.key") };
  }

  /** The authority's own signing certificate and key, for certificates that it would never issue. */
  signing(): { readonly certificate: string; readonly key: string } {
    const [file] = fs
      .readdirSync(this.state, { recursive: true, encoding: "utf8" })
      .filter((file) => /(^|\/)ca\.json$/u.test(file));
    if (file === undefined) throw new Error(`no ca.json in ${this.state}`);
    const material = JSON.parse(fs.readFileSync(path.join(this.state, file), "utf8")) as {
      readonly intermediate: { readonly certificate: string; readonly key: string };
    };
    return material.intermediate;
  }

  /** Writes a resource file as an editor does: beside it, then renamed over it. */
  write(file: string, text: string): void {
    const temporary = path.join(this.folder, `.${file}.tmp`);
    fs.writeFileSync(temporary, text);
    fs.renameSync(temporary, path.join(this.folder, file));
  }

  async admin(target: "/livez" | "/readyz" | "/metrics"): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await fetch(`http://127.0.0.1:${this.adminPort}${target}`, { signal: AbortSignal.timeout(2_000) });
    return { status: answer.status, text: await answer.text() };
  }

  async isReady(): Promise<boolean> {
    return await this.admin("/readyz").then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async untilReady(timeoutMs = 20_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await this.isReady())) {
      if (this.process.ended || Date.now() > deadline) {
        throw new Error(`the sidecar did not become ready\n${this.process.tail()}`);
      }
      await sleep(20);
    }
  }

  /** All records of the audit that the disk has by now, in their order. */
  audit(): readonly AuditRecord[] {
    const files = fs
      .readdirSync(this.state, { recursive: true, encoding: "utf8" })
      .filter((file) => /(^|\/)(audit|refused)-\d+\.jsonl$/u.test(file))
      .sort();
    const lines = files.flatMap((file) => fs.readFileSync(path.join(this.state, file), "utf8").split("\n"));
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as AuditRecord);
  }

  /** The records of one request, once there are `count` of them. */
  async auditOf(requestId: string, count: number): Promise<readonly AuditRecord[]> {
    for (let tries = 0; tries < 100; tries++) {
      const records = this.audit().filter((record) => JSON.stringify(record).includes(requestId));
      if (records.length >= count) return records;
      await sleep(20);
    }
    throw new Error(`no ${count} audit records of ${requestId}\n${JSON.stringify(this.audit().slice(-5))}`);
  }

  /** The sidecar's process. */
  sidecarPid(): number {
    const children = childrenOf(this.process.pid);
    const found = children.find(({ command }) => command.includes("sidecar"));
    if (found === undefined) throw new Error(`no sidecar among ${JSON.stringify(children)}\n${this.process.tail()}`);
    return found.pid;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM", graceMs = 10_000): Promise<Exit> {
    return await this.process.stop(signal, graceMs);
  }
}

export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const base = temporaryFolder("standalone");
  const folder = path.join(base, "resources");
  const state = options.state ?? path.join(base, "state");
  fs.mkdirSync(folder);
  for (const [file, text] of Object.entries(options.files)) fs.writeFileSync(path.join(folder, file), text);
  const [port = 0, adminPort = 0] = await freePorts(2);
  const running = start(
    process.execPath,
    [
      SALLYPORT,
      "standalone",
      folder,
      `--listen=127.0.0.1:${port}`,
      `--admin=127.0.0.1:${adminPort}`,
      `--state=${state}`,
      `--trust-domain=${TRUST_DOMAIN}`,
      "--no-color",
      ...(options.engine === undefined ? [] : [`--engine=${options.engine}`]),
      ...(options.args ?? []),
    ],
    { cwd: base, ...(options.env === undefined ? {} : { env: options.env }) },
  );
  const standalone = new Standalone(running, folder, state, port, adminPort);
  if (options.ready !== false) await standalone.untilReady();
  return standalone;
}
