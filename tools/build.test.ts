import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { expect, it } from "@jest/globals";
import { build } from "./build.ts";

const DIST = path.join(import.meta.dirname, "..", "dist");

it("makes the programs in under two seconds, and not again while nothing changed", async () => {
  const first = await build({ force: true });
  expect(first.built).toBe(true);
  expect(first.milliseconds).toBeLessThan(2_000);
  const before = statSync(path.join(DIST, "cli.js")).mtimeMs;
  expect((await build()).built).toBe(false);
  expect(statSync(path.join(DIST, "cli.js")).mtimeMs).toBe(before);
});

it("puts the operator into the command and not into the sidecar, and the other way round", async () => {
  await build();
  const programs = ["cli.js", "sidecar.js"].map((file) => readFileSync(path.join(DIST, file), "utf8"));
  expect(programs.map((text) => text.includes("CertificateAuthority"))).toEqual([true, false]);
  expect(programs.map((text) => text.includes("EnginePool"))).toEqual([false, true]);
});
