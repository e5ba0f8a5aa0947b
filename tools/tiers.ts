/** The tiers of tests: which there are, what is in each, and what a machine must have for it. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

export const ROOT: string = path.join(import.meta.dirname, "..");

export interface Tier {
  readonly name: string;
  /** Folders with the tier's tests, relative to the root. */
  readonly folders: readonly string[];
  /** Test files at once. */
  readonly workers: number;
  /** Why it cannot run on this machine, in one line. */
  readonly missing?: () => string | undefined;
}

export const TIERS: readonly Tier[] = [
  {
    name: "unit",
    folders: ["core", "proto", "kube", "operator", "sidecar", "cli", "tools", "bench", "examples", "test/support"],
    workers: 2,
  },
  { name: "fuzz", folders: ["test/fuzz"], workers: 2 },
  { name: "integration", folders: ["test/integration"], workers: 2 },
  { name: "clients", folders: ["test/clients"], workers: 2 },
  { name: "apiserver", folders: ["test/apiserver"], workers: 1, missing: noApiServer },
  { name: "cluster", folders: ["test/cluster"], workers: 1, missing: noCluster },
];

/** What `npm test` runs: all but the cluster tier, which takes a machine of its own. */
export const DEFAULT_TIERS: readonly string[] = TIERS.map((tier) => tier.name).filter((name) => name !== "cluster");

/** The tier's test files, relative to the root; none while its part of the product is not there yet. */
export function testFiles(tier: Tier): readonly string[] {
  const found: string[] = [];
  for (const folder of tier.folders) {
    const absolute = path.join(ROOT, folder);
    if (!fs.existsSync(absolute)) continue;
    for (const file of fs.readdirSync(absolute, { recursive: true, encoding: "utf8" })) {
      if (file.endsWith(".test.ts") && !file.includes("node_modules")) found.push(path.join(folder, file));
    }
  }
  return found.sort();
}

const GO_MINOR = 26;

function noApiServer(): string | undefined {
  if (set("KUBEBUILDER_ASSETS")) return undefined;
  let version: string;
  try {
    version = execFileSync("go", ["env", "GOVERSION"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "no Go to build kube-apiserver with, and KUBEBUILDER_ASSETS is not set";
  }
  const minor = Number(/^go1\.(\d+)/u.exec(version)?.[1]);
  return minor >= GO_MINOR ? undefined : `${version} is older than go1.${GO_MINOR}, and KUBEBUILDER_ASSETS is not set`;
}

function noCluster(): string | undefined {
  if (set("KUBECONFIG")) return undefined;
  if (process.platform !== "linux") return "a node needs Linux, and KUBECONFIG is not set";
  if (process.getuid?.() !== 0) return "a node needs root, and KUBECONFIG is not set";
  return noApiServer();
}

function set(variable: string): boolean {
  return (process.env[variable] ?? "") !== "";
}
