import { expect, it } from "@jest/globals";
import { readOptions as readSidecarOptions } from "../../sidecar/options.ts";
import { UsageError } from "../command.ts";
import { BOUNDS, formatEndpoint, LOG_LEVELS, readOptions, STANDALONE_HELP } from "./options.ts";

it("has defaults for all but the folder", () => {
  expect(readOptions(["policies"])).toMatchObject({
    folder: "policies",
    engine: undefined,
    listen: { host: "127.0.0.1", port: 8443 },
    admin: { host: "127.0.0.1", port: 9443 },
    state: ".state",
    trustDomain: "example.local",
    json: false,
    drainSeconds: 30,
    sidecarFlags: ["--log-level=warn", "--drain-seconds=30"],
  });
});

it("hands on what is the sidecar's", () => {
  const { sidecarFlags } = readOptions([
    "p",
    "--max-body-bytes=1024",
    "--engine-silent-seconds",
    "5",
    "--log-level=debug",
  ]);
  expect(sidecarFlags).toEqual([
    "--log-level=debug",
    "--drain-seconds=30",
    "--max-body-bytes=1024",
    "--engine-silent-seconds=5",
  ]);
});

it("takes engines and addresses in their usual forms", () => {
  const { engine, listen, color } = readOptions(["p", "--engine=http://[::1]:8000/", "--listen=[::1]:1", "--no-color"]);
  expect([engine, formatEndpoint(listen), color]).toEqual(["http://[::1]:8000", "[::1]:1", false]);
});

it.each<readonly [what: string, args: readonly string[], message: RegExp]>([
  ["no folder", [], /standalone needs a folder/u],
  ["two folders", ["a", "b"], /takes one folder, not also b/u],
  ["a port out of range", ["p", "--listen=127.0.0.1:70000"], /--listen must be HOST:PORT/u],
  ["port 0, whose address nobody would know", ["p", "--admin=127.0.0.1:0"], /--admin must be HOST:PORT/u],
  [
    "an engine with a path",
    ["p", "--engine=http://127.0.0.1:8000/v1"],
    /--engine must be http:\/\/HOST:PORT without a path/u,
  ],
  ["an engine with a password", ["p", "--engine=http://a:b@127.0.0.1:8000"], /--engine must be/u],
  ["a trust domain with capitals", ["p", "--trust-domain=Example.org"], /--trust-domain Example\.org is not/u],
  ["seconds in words", ["p", "--drain-seconds=many"], /--drain-seconds must be a whole number/u],
  ["more seconds than there may be", ["p", "--drain-seconds=3601"], /--drain-seconds must be .* from 0 to 3600, not/u],
  ["a body of nothing", ["p", "--max-body-bytes=0"], /--max-body-bytes must be .* from 1024 to 268435456, not "0"/u],
  ["a level that is none", ["p", "--log-level=lots"], /--log-level must be one of trace, debug, .*silent, not "lots"/u],
  ["an unknown flag", ["p", "--engin=x"], /--engin/u],
])("refuses %s by the flag's name", (_what, args, message) => {
  expect(() => readOptions(args)).toThrow(message);
});

it("has the sidecar's own bounds, and says them in its help", () => {
  const sidecar = (name: string, value: number): unknown =>
    readSidecarOptions([...SIDECAR, `--${name}=${String(value)}`]);
  for (const { name, least, most, fallback } of BOUNDS) {
    for (const value of [least, most, fallback]) {
      expect(() => sidecar(name, value)).not.toThrow();
      expect(readOptions(["p", `--${name}=${String(value)}`]).sidecarFlags).toContain(`--${name}=${String(value)}`);
    }
    for (const value of [least - 1, most + 1]) {
      expect(() => sidecar(name, value)).toThrow(`--${name}`);
      expect(() => readOptions(["p", `--${name}=${String(value)}`])).toThrow(UsageError);
    }
    expect(readSidecarOptions(SIDECAR)).toEqual(sidecar(name, fallback));
    expect(STANDALONE_HELP).toContain(`${String(least)} to ${String(most)} (default ${String(fallback)})`);
  }
  for (const level of LOG_LEVELS) expect(() => readSidecarOptions([...SIDECAR, `--log-level=${level}`])).not.toThrow();
});

/** The flags that a sidecar cannot do without. */
const SIDECAR: readonly string[] = [
  "--operator=127.0.0.1:1",
  "--operator-id=spiffe://example.local/ns/a/sa/b",
  "--trust-bundle=ca.crt",
  "--token-fd=3",
  "--listen=127.0.0.1:2",
  "--admin=127.0.0.1:3",
  "--engine=http://127.0.0.1:4",
  "--cache=cache",
  "--spool=spool",
];
