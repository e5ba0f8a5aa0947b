import { describe, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import fs from "node:fs";

type Describe = typeof describe | typeof describe.skip;
type Test = typeof test | typeof test.skip;

/** `describe` where `reason` is undefined; else `describe.skip`, and the reason is told at the end of the run. */
export function describeUnless(reason: string | undefined): Describe {
  if (reason === undefined) return describe;
  tell(reason);
  return describe.skip;
}

/** The same for one test. */
export function testUnless(reason: string | undefined): Test {
  if (reason === undefined) return test;
  tell(reason);
  return test.skip;
}

function tell(reason: string): void {
  const file = process.env["SALLYPORT_SKIPS"];
  if (file === undefined) process.stderr.write(`skipped: ${reason}\n`);
  else fs.appendFileSync(file, `${reason}\n`);
}

/** Undefined where the program is on this machine; else the reason to skip with. */
export function lacking(program: string, ...version: readonly string[]): string | undefined {
  return spawnSync(program, version, { stdio: "ignore" }).status === 0 ? undefined : `no ${program} on this machine`;
}
