import path from "node:path";
import { parseArgs } from "node:util";
import { isTrustDomain } from "../../core/identity/index.ts";
import { UsageError } from "../command.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface StandaloneOptions {
  readonly folder: string;
  /** Undefined: the scripted engine. */
  readonly engine: string | undefined;
  readonly listen: Endpoint;
  readonly admin: Endpoint;
  readonly state: string;
  readonly trustDomain: string;
  readonly json: boolean;
  readonly color: boolean;
  readonly drainSeconds: number;
  /** Handed to the sidecar as they are. */
  readonly sidecarFlags: readonly string[];
}

/** A whole number that is handed to the sidecar, which holds the same bounds (sidecar/options.ts). */
interface Bound {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly fallback: number;
  readonly says: string;
}

export const BOUNDS: readonly Bound[] = [
  { name: "drain-seconds", least: 0, most: 3_600, fallback: 30, says: "for open requests to finish at the end" },
  { name: "max-body-bytes", least: 1_024, most: 268_435_456, fallback: 4_194_304, says: "the largest request read" },
  { name: "engine-first-byte-seconds", least: 1, most: 3_600, fallback: 300, says: "for the engine's answer to begin" },
  { name: "engine-silent-seconds", least: 1, most: 3_600, fallback: 120, says: "for the engine to pause in an answer" },
  { name: "engine-answer-seconds", least: 1, most: 86_400, fallback: 3_600, says: "for the whole of an answer" },
];

export const LOG_LEVELS: readonly string[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

function boundsHelp(): string {
  return BOUNDS.map(
    ({ name, least, most, fallback, says }) =>
      `  ${`--${name} N`.padEnd(32)}${says}, ${String(least)} to ${String(most)} (default ${String(fallback)})`,
  ).join("\n");
}

export const STANDALONE_HELP: string = `usage: sallyport standalone DIR [FLAG…]

Puts the policies of a folder in front of an engine, on this machine: reads the resources, issues certificates from a CA of
its own, and starts a sidecar for each Pod that has the annotation sallyport.dev/inject: "true" (for a folder without
any Pod: one for the service account default/engine). Changes of the folder are taken while it runs; a change with an
error is told and not taken.

  --engine URL              the inference engine, http://HOST:PORT (default: a scripted one that comes along)
  --listen HOST:PORT        where the first sidecar serves (default 127.0.0.1:8443; the next ones take the ports after it)
  --admin HOST:PORT         where the first sidecar has /livez, /readyz and /metrics (default 127.0.0.1:9443)
  --state DIR               the CA, clients' certificates, the audit (default .state; kept between runs)
  --trust-domain NAME       of the SPIFFE IDs (default example.local)
  --log-level LEVEL         of the sidecars: ${LOG_LEVELS.join(", ")} (default warn)
  --json                    tell what happens as JSON, one object a line
  --no-color

Bounds of the sidecars, whole numbers:

${boundsHelp()}
  sallyport standalone examples/quickstart
  sallyport standalone policies --engine http://127.0.0.1:8000

Ctrl-C lets open requests finish; a second one does not wait.
Exit codes: 0 ended as asked, 1 the folder's resources are wrong at the start, 2 wrong usage, 3 could not start (a port is
taken, a file cannot be read), 130 ended by a second Ctrl-C.
`;

/** Reads the command line; throws a UsageError that names the flag that is wrong. */
export function readOptions(args: readonly string[]): StandaloneOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: true,
    allowNegative: true,
    options: {
      engine: { type: "string" },
      listen: { type: "string", default: "127.0.0.1:8443" },
      admin: { type: "string", default: "127.0.0.1:9443" },
      state: { type: "string", default: ".state" },
      "trust-domain": { type: "string", default: "example.local" },
      "log-level": { type: "string", default: "warn" },
      "drain-seconds": { type: "string", default: "30" },
      "max-body-bytes": { type: "string" },
      "engine-first-byte-seconds": { type: "string" },
      "engine-silent-seconds": { type: "string" },
      "engine-answer-seconds": { type: "string" },
      json: { type: "boolean", default: false },
      color: { type: "boolean" },
    },
  });
  const [folder, ...more] = positionals;
  if (folder === undefined) throw new UsageError("standalone needs a folder of resources");
  if (more.length > 0) throw new UsageError(`standalone takes one folder, not also ${more.join(", ")}`);
  const trustDomain = values["trust-domain"];
  if (!isTrustDomain(trustDomain)) throw new UsageError(`--trust-domain ${trustDomain} is not a SPIFFE trust domain`);
  const logLevel = values["log-level"];
  if (!LOG_LEVELS.includes(logLevel))
    throw new UsageError(`--log-level must be one of ${LOG_LEVELS.join(", ")}, not ${JSON.stringify(logLevel)}`);
  const given = new Map<string, unknown>(Object.entries(values));
  const numbers = new Map<string, number>();
  for (const bound of BOUNDS) {
    const text = given.get(bound.name);
    if (typeof text === "string") numbers.set(bound.name, whole(bound, text));
  }
  return {
    folder,
    engine: values.engine === undefined ? undefined : engineUrl(values.engine),
    listen: endpoint("listen", values.listen),
    admin: endpoint("admin", values.admin),
    state: path.normalize(values.state),
    trustDomain,
    json: values.json,
    color: values.color ?? (process.stdout.isTTY && process.env["NO_COLOR"] === undefined),
    drainSeconds: numbers.get("drain-seconds") ?? 0,
    sidecarFlags: [`--log-level=${logLevel}`, ...[...numbers].map(([name, value]) => `--${name}=${String(value)}`)],
  };
}

/** HOST:PORT, [v6]:PORT. */
function endpoint(flag: string, text: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65_535) {
    throw new UsageError(`--${flag} must be HOST:PORT, such as 127.0.0.1:8443, not ${JSON.stringify(text)}`);
  }
  return { host, port };
}

function engineUrl(text: string): string {
  const match = /^http:\/\/([^/?#@\s]+)\/?$/.exec(text);
  if (match?.[1] === undefined) {
    throw new UsageError(`--engine must be http://HOST:PORT without a path, not ${JSON.stringify(text)}`);
  }
  return `http://${match[1]}`;
}

function whole({ name, least, most }: Bound, text: string): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN;
  // Not a number is neither.
  if (!(value >= least && value <= most)) {
    const range = `${String(least)} to ${String(most)}`;
    throw new UsageError(`--${name} must be a whole number from ${range}, not ${JSON.stringify(text)}`);
  }
  return value;
}

/** HOST:PORT, an IPv6 host in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `${host.includes(":") ? `[${host}]` : host}:${String(port)}`;
}
