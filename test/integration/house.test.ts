/** The arrows of the house, as the linter holds them: each wrong import is refused, and the right ones pass. */
import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { temporaryFolder } from "../support/guardian.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");

/** What the linter says of a file that imports something, in a house of the same rules. */
function lint(file: string, imported: string): string {
  const house = temporaryFolder("house");
  fs.copyFileSync(path.join(ROOT, ".oxlintrc.json"), path.join(house, ".oxlintrc.json"));
  fs.mkdirSync(path.join(house, path.dirname(file)), { recursive: true });
  fs.writeFileSync(path.join(house, file), `import { x } from "${imported}";\nexport const y: unknown = x;\n`);
  const { stdout } = spawnSync(path.join(ROOT, "node_modules", ".bin", "oxlint"), ["."], {
    cwd: house,
    encoding: "utf8",
  });
  return stdout;
}

test.each([
  ["core/policy/a.ts", "../../operator/b.ts"],
  ["core/policy/a.ts", "../../sidecar/b.ts"],
  ["core/policy/a.ts", "../../kube/b.ts"],
  ["core/policy/a.ts", "node:fs"],
  ["core/policy/a.ts", "node:net"],
  ["core/policy/a.ts", "@grpc/grpc-js"],
  ["core/policy/a.ts", "pino"],
  ["kube/a.ts", "../core/b.ts"],
  ["operator/issuer/a.ts", "../../sidecar/b.ts"],
  ["operator/issuer/a.ts", "../../cli/b.ts"],
  ["sidecar/proxy/a.ts", "../../operator/b.ts"],
  ["cli/a.ts", "../sidecar/b.ts"],
])("%s may not import %s", (file, imported) => {
  expect(lint(file, imported)).toContain("no-restricted-imports");
});

test.each([
  ["core/policy/a.ts", "../cel/b.ts"],
  ["core/policy/a.ts", "node:crypto"],
  ["operator/issuer/a.ts", "../../core/b.ts"],
  ["operator/issuer/a.ts", "../../proto/b.ts"],
  ["sidecar/proxy/a.ts", "../../core/b.ts"],
  ["sidecar/proxy/a.ts", "node:tls"],
  ["cli/a.ts", "../operator/b.ts"],
])("%s may import %s", (file, imported) => {
  expect(lint(file, imported)).not.toContain("no-restricted-imports");
});
