import { expect, it } from "@jest/globals";
import { formatEndpoint, readOptions } from "./options.ts";

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
    sidecarFlags: ["--drain-seconds=30", "--log-level=warn"],
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
    "--drain-seconds=30",
    "--log-level=debug",
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
  ["an unknown flag", ["p", "--engin=x"], /--engin/u],
])("refuses %s by the flag's name", (_what, args, message) => {
  expect(() => readOptions(args)).toThrow(message);
});
