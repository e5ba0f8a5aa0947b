/** docs/codes.md has every code that a caller or an audit record can have, with its status; found in the sources. */
import fs from "node:fs/promises";
import path from "node:path";
import { beforeAll, expect, test } from "@jest/globals";

const ROOT = path.join(import.meta.dirname, "..");
const FOLDERS = ["sidecar/proxy", "sidecar/audit", "core/llm", "core/identity"];
const FILES = ["core/policy/decision.ts", "core/policy/decide.ts"];

/** How the sources write a code down. */
const WRITTEN: readonly RegExp[] = [
  /\bcode: "([a-z_]+)"/gu,
  /\(\s*\d{3},\s*"([a-z_]+)"/gu,
  /\b(?:bad|broken|fail|onFailed)\(\s*"([a-z_]+)"/gu,
];
/** The values of types of codes. */
const UNION = /\btype \w*(?:Code|Failure) =([^;]*)/gu;
/** Of an engine's answer: told as engine_failed. */
const INTERNAL: readonly string[] = ["invalid_status_line"];
const WITH_STATUS: readonly RegExp[] = [
  /\bstatus: (\d{3}), code: "([a-z_]+)"/gu,
  /\(\s*(\d{3}),\s*"([a-z_]+)"/gu,
  /^\s+(engine_[a-z]+): (\d{3}),$/gmu,
];

let sources = "";
const documented = new Map<string, string>();

beforeAll(async () => {
  const files = [...FILES];
  for (const folder of FOLDERS) {
    for (const file of await fs.readdir(path.join(ROOT, folder), { recursive: true })) {
      if (file.endsWith(".ts") && !/(?:\.test|testing)\.ts$/u.test(file)) files.push(path.join(folder, file));
    }
  }
  sources = (await Promise.all(files.map(async (file) => await fs.readFile(path.join(ROOT, file), "utf8")))).join("\n");
  const text = await fs.readFile(path.join(ROOT, "docs", "codes.md"), "utf8");
  for (const [, code = "", second = ""] of text.matchAll(/^\| `([a-z_]+)`\s*\| ([^|]*?)\s*\|/gmu))
    documented.set(code, second);
});

function codesInSources(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const pattern of WRITTEN) for (const [, code = ""] of sources.matchAll(pattern)) found.add(code);
  for (const [, union = ""] of sources.matchAll(UNION)) {
    for (const [, code = ""] of union.matchAll(/"([a-z_]+)"/gu)) found.add(code);
  }
  for (const code of INTERNAL) found.delete(code);
  return found;
}

test("every code of the sources is described", () => {
  const codes = codesInSources();
  expect(codes.size).toBeGreaterThan(50);
  expect([...codes].filter((code) => !documented.has(code))).toEqual([]);
});

test("no code is described that is not there any more", () => {
  expect([...documented.keys()].filter((code) => !sources.includes(`"${code}"`))).toEqual([]);
});

test("the statuses are those that are sent", () => {
  const wrong: string[] = [];
  let compared = 0;
  for (const pattern of WITH_STATUS) {
    for (const [, one = "", other = ""] of sources.matchAll(pattern)) {
      const [status, code] = /^\d/u.test(one) ? [one, other] : [other, one];
      compared++;
      if (documented.get(code) !== status)
        wrong.push(`${code}: ${status}, described as ${String(documented.get(code))}`);
    }
  }
  expect(compared).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});
