/** The sidecar's command line. Nothing on it is a secret. */
import { parseArgs } from "node:util";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface SidecarOptions {
  readonly operator: string;
  /** SPIFFE ID that the operator must show. */
  readonly operatorId: string;
  /** File with the operator's trust bundle, PEM. */
  readonly trustBundle: string;
  readonly token: { readonly fd: number } | { readonly file: string };
  readonly listen: Endpoint;
  readonly admin: Endpoint;
  readonly engine: Endpoint;
  /** Folder of the last good snapshot. */
  readonly cache: string;
  /** Folder of the audit. */
  readonly spool: string;
  readonly instance: string;
  readonly logLevel: string;
  readonly drainSeconds: number;
  readonly firstByteSeconds: number;
  readonly silentSeconds: number;
  readonly answerSeconds: number;
  readonly maxBodyBytes: number;
}

export const USAGE = `usage: sidecar --operator HOST:PORT --operator-id SPIFFE_ID --trust-bundle FILE
               (--token-fd N | --token-file FILE) --listen HOST:PORT --engine URL --admin HOST:PORT
               --cache DIR --spool DIR [--instance NAME] [--log-level LEVEL] [--drain-seconds N]
               [--engine-first-byte-seconds N] [--engine-silent-seconds N]
               [--engine-answer-seconds N] [--max-body-bytes N]`;

/** Reads the command line; throws an error that names the flag that is wrong. */
export function readOptions(args: readonly string[]): SidecarOptions {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: false,
    options: {
      operator: { type: "string" },
      "operator-id": { type: "string" },
      "trust-bundle": { type: "string" },
      "token-fd": { type: "string" },
      "token-file": { type: "string" },
      listen: { type: "string" },
      engine: { type: "string" },
      admin: { type: "string" },
      cache: { type: "string" },
      spool: { type: "string" },
      instance: { type: "string", default: "" },
      "log-level": { type: "string", default: "info" },
      "drain-seconds": { type: "string", default: "30" },
      "engine-first-byte-seconds": { type: "string", default: "300" },
      "engine-silent-seconds": { type: "string", default: "120" },
      "engine-answer-seconds": { type: "string", default: "3600" },
      "max-body-bytes": { type: "string", default: String(4 * 1024 * 1024) },
    },
  });
  const text = (name: keyof typeof values): string => {
    const value = values[name];
    if (value === undefined || value === "") throw new Error(`--${name} is missing`);
    return value;
  };
  const number = (name: keyof typeof values, least: number, most: number): number => {
    const value = Number(text(name));
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new Error(`--${name} must be a whole number from ${least} to ${most}`);
    return value;
  };
  return {
    operator: text("operator"),
    operatorId: text("operator-id"),
    trustBundle: text("trust-bundle"),
    token: values["token-fd"] === undefined ? { file: text("token-file") } : { fd: number("token-fd", 3, 1024) },
    listen: endpoint("listen", text("listen")),
    admin: endpoint("admin", text("admin")),
    engine: engineOf(text("engine")),
    cache: text("cache"),
    spool: text("spool"),
    instance: values.instance,
    logLevel: level(text("log-level")),
    drainSeconds: number("drain-seconds", 0, 3600),
    firstByteSeconds: number("engine-first-byte-seconds", 1, 3600),
    silentSeconds: number("engine-silent-seconds", 1, 3600),
    answerSeconds: number("engine-answer-seconds", 1, 86_400),
    maxBodyBytes: number("max-body-bytes", 1024, 256 * 1024 * 1024),
  };
}

const LEVELS: readonly string[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

function level(text: string): string {
  if (!LEVELS.includes(text))
    throw new Error(`--log-level must be one of ${LEVELS.join(", ")}, not ${JSON.stringify(text)}`);
  return text;
}

/** host:port, [v6]:port. */
function endpoint(name: string, text: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new Error(`--${name} must be HOST:PORT, not ${JSON.stringify(text)}`);
  return { host: match[1] ?? match[2]!, port };
}

function engineOf(text: string): Endpoint {
  const match = /^http:\/\/([^/?#@]+)\/?$/.exec(text);
  if (match === null) throw new Error(`--engine must be http://HOST:PORT without a path, not ${JSON.stringify(text)}`);
  const host = match[1]!;
  return endpoint("engine", /:\d{1,5}$/.test(host) ? host : `${host}:80`);
}
