import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { cacheFolder, once } from "../cache.ts";
import { succeed } from "../processes.ts";

/** Building cel-go from a cold cache takes a minute or two. */
const BUILD_MS = 600_000;
const SOURCES = ["main.go", "go.mod", "go.sum"];

/** The path of the program in this folder, built into the cache; fails where there is no Go, or no module to be had. */
export async function buildCelGo(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of SOURCES) hash.update(fs.readFileSync(path.join(import.meta.dirname, file)));
  const folder = await once(cacheFolder(`cel-go-${hash.digest("hex").slice(0, 16)}`), async (made) => {
    await succeed("go", ["build", "-o", path.join(made, "cel-go"), "."], {
      cwd: import.meta.dirname,
      timeoutMs: BUILD_MS,
    });
  });
  return path.join(folder, "cel-go");
}
