/**
 * Bundles the programs into dist/, each one file: starting from a bundle is faster and smaller than from sources, and Node
 * strips no types below node_modules. Does nothing where dist/ is newer than everything it was made of.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { BuildResult } from "esbuild";

const ROOT = path.join(import.meta.dirname, "..");
const DIST = path.join(ROOT, "dist");
const RECORD = path.join(DIST, "inputs.json");

/** Program in dist/ → where it begins. */
const PROGRAMS: Readonly<Record<string, string>> = { cli: "cli/main.ts", sidecar: "sidecar/main.ts" };

/** Packages that are loaded from node_modules at run time: they bring files of their own. */
const EXTERNAL: readonly string[] = [];

/** Some dependencies are CommonJS and call `require`, which ES modules do not have. */
const BANNER = `import { createRequire as sallyportCreateRequire } from "node:module";
import { fileURLToPath as sallyportFileURLToPath } from "node:url";
import { dirname as sallyportDirname } from "node:path";
const require = sallyportCreateRequire(import.meta.url);
const __filename = sallyportFileURLToPath(import.meta.url);
const __dirname = sallyportDirname(__filename);`;

export interface Built {
  readonly built: boolean;
  readonly milliseconds: number;
}

/** Makes dist/ unless it is up to date. */
export async function build(options: { readonly force?: boolean } = {}): Promise<Built> {
  const start = performance.now();
  const took = (built: boolean): Built => ({ built, milliseconds: Math.round(performance.now() - start) });
  if (options.force !== true && isUpToDate()) return took(false);
  const esbuild = await import("esbuild");
  const result = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: PROGRAMS,
    outdir: DIST,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    // Names stay for stack traces; less text is less to read at every start.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: false,
    legalComments: "none",
    external: [...EXTERNAL],
    banner: { js: BANNER },
    define: { "process.env.NODE_ENV": '"production"' },
    metafile: true,
    write: false,
    logLevel: "error",
  });
  write(result);
  return took(true);
}

/** Each file beside its place, then renamed: a process that starts meanwhile reads the old one or the new one. */
function write(result: BuildResult<{ readonly metafile: true; readonly write: false }>): void {
  mkdirSync(DIST, { recursive: true });
  const inputs: Record<string, string> = {};
  for (const file of [...Object.keys(result.metafile.inputs), "tools/build.ts", "package-lock.json"]) {
    inputs[file] = stamp(file) ?? "";
  }
  for (const { path: file, contents } of result.outputFiles) replace(file, contents);
  replace(RECORD, JSON.stringify(inputs));
}

function replace(file: string, contents: string | Uint8Array): void {
  const temporary = `${file}.${String(process.pid)}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, file);
}

function isUpToDate(): boolean {
  try {
    for (const program of Object.keys(PROGRAMS)) statSync(path.join(DIST, `${program}.js`));
    const inputs: unknown = JSON.parse(readFileSync(RECORD, "utf8"));
    if (typeof inputs !== "object" || inputs === null) return false;
    return Object.entries(inputs).every(([file, before]) => stamp(file) === before);
  } catch {
    return false;
  }
}

function stamp(file: string): string | undefined {
  const found = statSync(path.resolve(ROOT, file), { throwIfNoEntry: false });
  return found === undefined ? undefined : `${String(found.size)} ${String(found.mtimeMs)}`;
}

if (import.meta.main) {
  const { built, milliseconds } = await build({ force: process.argv.includes("--force") });
  if (!process.argv.includes("--quiet")) {
    process.stdout.write(`dist/ ${built ? "built" : "is up to date"} (${String(milliseconds)} ms)\n`);
  }
}
