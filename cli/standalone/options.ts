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

export const STANDALONE_HELP = `usage: sallyport standalone DIR [FLAG…]

Puts the policies of a folder in front of an engine, on this machine: reads the resources, issues certificates from a CA of
its own, and starts a sidecar for each Pod that has the annotation sallyport.dev/inject: "true" (for a folder without
any Pod: one for the service account default/engine). Changes of the folder are taken while it runs; a change with an
error is told and not taken.

  --engine URL              the inference engine, http://HOST:PORT (default: a scripted one that comes along)
  --listen HOST:PORT        where the first sidecar serves (default 127.0.0.1:8443; the next ones take the ports after it)
  --admin HOST:PORT         where the first sidecar has /livez, /readyz and /metrics (default 127.0.0.1:9443)
  --state DIR               the CA, clients' certificates, the audit (default .state; kept between runs)
  --trust-domain NAME       of the SPIFFE IDs (default example.local)
  --drain-seconds N         how long open requests may take to finish at the end (default 30)
  --log-level LEVEL         of the sidecars (default warn)
  --max-body-bytes N        the largest request that is read
  --engine-first-byte-seconds N   how long the engine may take to begin its answer
  --engine-silent-seconds N       how long it may pause in an answer
  --json                    tell what happens as JSON, one object a line
  --no-color

  sallyport standalone examples/quickstart
  sallyport standalone policies --engine http://127.0.0.1:8000

Ctrl-C lets open requests finish; a second one does not wait.
Exit codes: 0 ended as asked, 1 the folder's resources are wrong at the start, 2 wrong usage, 3 could not start (a port is
taken, a file cannot be read), 130 ended by a second Ctrl-C.
`;

const PASSED_ON = [
  "drain-seconds",
  "log-level",
  "max-body-bytes",
  "engine-first-byte-seconds",
  "engine-silent-seconds",
] as const;

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
      "drain-seconds": { type: "string", default: "30" },
      "log-level": { type: "string", default: "warn" },
      "max-body-bytes": { type: "string" },
      "engine-first-byte-seconds": { type: "string" },
      "engine-silent-seconds": { type: "string" },
      json: { type: "boolean", default: false },
      color: { type: "boolean" },
    },
  });
  const [folder, ...more] = positionals;
  if (folder === undefined) throw new UsageError("standalone needs a folder of resources");
  if (more.length > 0) throw new UsageError(`standalone takes one folder, not also ${more.join(", ")}`);
  const trustDomain = values["trust-domain"];
  if (!isTrustDomain(trustDomain)) throw new UsageError(`--trust-domain ${trustDomain} is not a SPIFFE trust domain`);
  const flags = PASSED_ON.flatMap((name) => {
    const value = values[name];
    if (value !== undefined && name !== "log-level") whole(name, value);
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  return {
    folder,
    engine: values.engine === undefined ? undefined : engineUrl(values.engine),
    listen: endpoint("listen", values.listen),
    admin: endpoint("admin", values.admin),
    state: path.normalize(values.state),
    trustDomain,
    json: values.json,
    color: values.color ?? (process.stdout.isTTY && process.env["NO_COLOR"] === undefined),
    drainSeconds: whole("drain-seconds", values["drain-seconds"]),
    sidecarFlags: flags,
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

function whole(flag: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${flag} must be a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}

/** HOST:PORT, an IPv6 host in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `${host.includes(":") ? `[${host}]` : host}:${String(port)}`;
}
