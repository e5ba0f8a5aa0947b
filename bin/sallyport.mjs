#!/usr/bin/env node
// Starts the command on the Node that it is made for, whatever Node this is run by (18 or newer), and builds it first where
// it runs from sources. It says what to do where it cannot; it never goes on with an older Node.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const NEEDED = 24;
const COULD_NOT_START = 3;
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");
const cli = path.join(root, "dist", "cli.js");

function fail(...lines) {
  process.stderr.write(`sallyport: ${lines.join("\n")}\n`);
  process.exit(COULD_NOT_START);
}

function major(version) {
  return Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0);
}

/** The Node that comes with the `node` package of npm, which a machine's own may be older than. */
function packaged() {
  const candidates = [path.join(root, "node_modules", ".bin", "node")];
  try {
    candidates.unshift(
      path.join(path.dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin", "node"),
    );
  } catch {
    // Not installed, or installed elsewhere: the other place may have it.
  }
  return candidates.find((file) => existsSync(file));
}

function nodeToUse() {
  if (major(process.version) >= NEEDED) return process.execPath;
  const found = packaged();
  if (found === undefined) {
    fail(
      `needs Node ${NEEDED} or newer, this is ${process.version}, and node_modules has none.`,
      "Run `npm ci` in the project's folder: it brings one along. (With --ignore-scripts it does not.)",
    );
  }
  const asked = spawnSync(found, ["--version"], { encoding: "utf8" });
  const version = (asked.stdout ?? "").trim();
  if (asked.status !== 0 || major(version) < NEEDED) {
    fail(
      `needs Node ${NEEDED} or newer, and ${found} ${version === "" ? "does not run" : `is ${version}`}.`,
      `Run \`npm ci\` again, or install Node ${NEEDED} and run this with it.`,
    );
  }
  return found;
}

const node = nodeToUse();
const builder = path.join(root, "tools", "build.ts");
if (existsSync(builder) && existsSync(path.join(root, "node_modules", "esbuild"))) {
  const built = spawnSync(node, [builder, "--quiet"], { stdio: ["ignore", "inherit", "inherit"] });
  if (built.status !== 0) fail("the build failed; what it said stands above.");
}
if (!existsSync(cli)) fail("there is no dist/cli.js.", "Run `npm ci` in the project's folder, then this again.");

if (node === process.execPath) {
  await import(pathToFileURL(cli).href);
} else {
  const child = spawn(node, [cli, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal's Ctrl-C reaches the child by itself; whoever signals this process alone means the child. Which it was cannot
  // be seen, so an interrupt is passed on as a kind of its own: the child counts each kind apart, however late one comes.
  process.on("SIGINT", () => child.kill("SIGTERM"));
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`cannot start ${node}: ${error.message}`));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + ({ SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0);
  });
}
