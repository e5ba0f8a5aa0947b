/**
 * One door to the engine. The compiler refuses a Permit that was not granted; what the compiler lets through (casts, a
 * second grant, a second way to the engine) is looked for in the sources.
 */
import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { temporaryFolder } from "../support/guardian.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");

interface Source {
  readonly file: string;
  /** Comments taken out. */
  readonly code: string;
}

function sources(...folders: readonly string[]): readonly Source[] {
  const there = folders.filter((folder) => fs.existsSync(path.join(ROOT, folder)));
  return there.flatMap((folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .map((file) => {
        const text = fs.readFileSync(path.join(ROOT, folder, file), "utf8");
        return { file: `${folder}/${file}`, code: text.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gmu, "") };
      }),
  );
}

const PRODUCT = sources("core", "operator", "sidecar", "cli", "kube");

function filesWith(pattern: RegExp): readonly string[] {
  return PRODUCT.filter(({ code }) => pattern.test(code)).map(({ file }) => file);
}

test("the sources are there to be looked at", () => {
  expect(PRODUCT.length).toBeGreaterThan(30);
  expect(filesWith(/\bclass Permit\b/u)).toEqual(["sidecar/proxy/permit.ts"]);
});

test("nobody casts to a Permit or to any of its grounds, and nobody casts through unknown", () => {
  expect(filesWith(/\bas\s+(unknown|any|never)\s+as\b/u)).toEqual([]);
  expect(filesWith(/\bas\s+(Permit|Allowance|VerifiedPeer|Receipt|Reservation|GuardPlan|Grounds)\b/u)).toEqual([]);
  expect(filesWith(/<(Permit|Allowance|VerifiedPeer|Receipt)>\s*[({]/u)).toEqual([]);
});

test("a Permit is made in one module and granted in one place", () => {
  expect(filesWith(/\bnew\s+Permit\b/u)).toEqual(["sidecar/proxy/permit.ts"]);
  expect(filesWith(/(?<!function )\bgrantPermit\(/u)).toEqual(["sidecar/proxy/admission.ts"]);
  const admission = PRODUCT.find(({ file }) => file === "sidecar/proxy/admission.ts")?.code ?? "";
  expect(admission.match(/\bgrantPermit\(/gu)).toHaveLength(1);
});

test("what a Permit stands on is made in one place each", () => {
  expect(filesWith(/\bnew\s+Allowance\b/u)).toHaveLength(1);
  expect(filesWith(/\bnew\s+VerifiedPeer\b/u)).toEqual(["core/identity/validate.ts"]);
  expect(filesWith(/\bnew\s+Receipt\b/u)).toHaveLength(1);
});

test("no other module of the sidecar opens a connection to the engine", () => {
  const connecting = /\b(net|tls|http|https|http2)\.(connect|createConnection|request|get)\(|\bfetch\(|\bundici\b/u;
  expect(filesWith(connecting).filter((file) => file.startsWith("sidecar/proxy/"))).toEqual([
    "sidecar/proxy/engine.ts",
  ]);
});

test("the compiler refuses a look-alike", () => {
  const folder = temporaryFolder("one-door");
  const module = path.join(ROOT, "sidecar", "proxy", "permit.ts");
  const attempt = (name: string, code: string): string => {
    const file = path.join(folder, `${name}.ts`);
    fs.writeFileSync(file, `import type { Permit } from ${JSON.stringify(module)};\n${code}\n`);
    const config = path.join(folder, `${name}.json`);
    const base = path.join(ROOT, "tsconfig.json");
    const compilerOptions = { typeRoots: [path.join(ROOT, "node_modules", "@types")] };
    fs.writeFileSync(config, JSON.stringify({ extends: base, compilerOptions, include: [file], exclude: [] }));
    const tsc = path.join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", config], { encoding: "utf8" });
    return stdout
      .split("\n")
      .filter((line) => line.includes(`${name}.ts`))
      .join("\n");
  };
  expect(attempt("honest", "export type Mine = Permit;")).toBe("");
  const shape =
    'grounds: undefined as never, use: () => ({ method: "GET" as const, path: "/", fields: "", body: Buffer.alloc(0) })';
  expect(attempt("literal", `export const permit: Permit = { ${shape} };`)).toMatch(
    /missing the following properties from type 'Permit': #/u,
  );
  expect(attempt("construct", "export const permit: Permit = new Permit();")).toMatch(
    /'Permit' cannot be used as a value/u,
  );
}, 60_000);
