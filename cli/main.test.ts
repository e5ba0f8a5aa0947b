import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { BUILD } from "../sidecar/build.ts";
import { build } from "../tools/build.ts";
import { VERSION } from "./version.ts";

const ROOT = path.join(import.meta.dirname, "..");
let folder = "";

beforeAll(async () => {
  await build();
  folder = mkdtempSync(path.join(tmpdir(), "sallyport-main-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function sallyport(...args: readonly string[]): Ran {
  const bin = path.join(ROOT, "bin", "sallyport.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: folder,
    encoding: "utf8",
    timeout: 15_000,
  });
  return { code: status, out: stdout, err: stderr };
}

function file(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text);
  return name;
}

const GOOD = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
const BAD = "apiVersion: v1\nkind: Namespace\nmetadata: {name: A}\n";

describe("sallyport", () => {
  it("shows its commands, and is wrongly used without one", () => {
    expect(sallyport("--help")).toMatchObject({
      code: 0,
      out: expect.stringContaining("sallyport standalone examples/quickstart"),
    });
    expect(sallyport()).toMatchObject({ code: 2, err: expect.stringContaining("usage: sallyport COMMAND") });
    expect(sallyport("chekc")).toMatchObject({
      code: 2,
      err: 'sallyport: there is no command "chekc"\nTry: sallyport --help\n',
    });
  });

  it.each(["standalone", "check", "eval", "check-expr", "version"])(
    "has a page for %s, by --help and by help",
    (name) => {
      const page = sallyport(name, "--help");
      expect(page).toMatchObject({ code: 0, out: expect.stringContaining(`usage: sallyport ${name}`) });
      expect(sallyport("help", name)).toEqual(page);
    },
  );

  it("says its version, which is that of the package and of the sidecar", () => {
    const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string };
    expect([VERSION, BUILD]).toEqual([version, version]);
    expect(sallyport("version").out).toBe(`sallyport ${version} (node ${process.versions.node})\n`);
  });
});

describe("the starter", () => {
  const copied = (): string => {
    const bin = path.join(folder, "elsewhere", "bin");
    mkdirSync(bin, { recursive: true });
    copyFileSync(path.join(ROOT, "bin", "sallyport.mjs"), path.join(bin, "sallyport.mjs"));
    return path.join(bin, "sallyport.mjs");
  };

  it("says what to do where nothing is built and nothing to build from", () => {
    const { status, stderr } = spawnSync(process.execPath, [copied()], { encoding: "utf8" });
    expect(status).toBe(3);
    expect(stderr).toMatch(/^sallyport: there is no dist\/cli\.js\.\nRun `npm ci`/u);
  });

  const old = ["/usr/bin/node", "/usr/local/bin/node"].find((node) => {
    const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
    return /^v(?:18|20|22)\./u.test(stdout ?? "");
  });
  (old === undefined ? it.skip : it)("runs on the packaged Node where this one is older, or says how to get it", () => {
    const bin = path.join(ROOT, "bin", "sallyport.mjs");
    expect(spawnSync(old ?? "", [bin, "version"], { encoding: "utf8" }).stdout).toMatch(/\(node 24\./u);
    expect(spawnSync(old ?? "", [bin, "chekc"], { encoding: "utf8" }).status).toBe(2);
    const { status, stderr } = spawnSync(old ?? "", [copied()], { encoding: "utf8" });
    expect(status).toBe(3);
    expect(stderr).toMatch(/needs Node 24 or newer, this is v\d+\.[^\n]*\nRun `npm ci`/u);
  });
});

describe("sallyport check", () => {
  it("is content with what is well", () => {
    expect(sallyport("check", path.join(ROOT, "examples", "quickstart"))).toEqual({
      code: 0,
      out: "6 resources in 3 files: well\n",
      err: "",
    });
  });

  it("prints what is wrong with its place, and exits with 1", () => {
    const seen = sallyport("check", file("good.yaml", GOOD), file("bad.yaml", BAD));
    expect(seen.code).toBe(1);
    expect(seen.out).toBe("1 resource in 2 files: 1 wrong\n");
    expect(seen.err).toMatch(/^bad\.yaml:3:18: metadata\.name: must be a DNS name/u);
  });

  it("names identities that are not there and selectors that select no Pod, where they stand", () => {
    const quickstart = path.join(ROOT, "examples", "quickstart");
    const typos = file(
      "typos.yaml",
      [
        "apiVersion: sallyport.dev/v1alpha1",
        "kind: LlmPolicy",
        "metadata: {name: typos, namespace: inference}",
        "spec:",
        "  podSelector: {matchLabels: {app: lama}}",
        "  rules:",
        '    - {name: a, action: Allow, operations: ["*"], models: ["*"], from: [{identity: {name: chat-frontnd, namespace: apps}}]}',
        "",
      ].join("\n"),
    );
    const seen = sallyport("check", quickstart, typos);
    expect(seen).toMatchObject({ code: 0, out: "7 resources in 4 files: well, 2 findings\n" });
    expect(seen.err.split("\n").slice(0, 2)).toEqual([
      "typos.yaml:7:74: spec.rules[0].from[0].identity: UnresolvedReference: no accepted LlmIdentity apps/chat-frontnd: this peer matches nobody",
      "typos.yaml:5:17: spec.podSelector.matchLabels: SelectsNothing: selects no Pod: the policy governs nobody (in namespace inference there is llama)",
    ]);
    // By itself the file says nothing of who is there.
    expect(sallyport("check", typos)).toMatchObject({ out: "1 resource in 1 file: well\n", err: "" });
  });

  it("is wrong over a link whose file it would leave out", () => {
    const links = path.join(folder, "links");
    mkdirSync(links);
    symlinkSync(path.join(ROOT, "examples", "quickstart", "3-policy.yaml"), path.join(links, "policy.yaml"));
    const seen = sallyport("check", links);
    expect(seen.code).toBe(1);
    expect(seen.err).toMatch(/policy\.yaml:1:1: is a symbolic link that leads out of the folder/u);
  });

  it("tells machines in JSON", () => {
    const { code, out } = sallyport("check", "--json", file("bad.yaml", BAD));
    const [problem, summary] = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(code).toBe(1);
    expect(problem).toMatchObject({
      file: "bad.yaml",
      line: 3,
      column: 18,
      path: "metadata.name",
      code: "invalid_value",
    });
    expect(summary).toEqual({ documents: 0, problems: 1, findings: 0 });
  });

  it("names a rule that can never apply, with its place, and does not fail for it", () => {
    const policy = `apiVersion: sallyport.dev/v1alpha1
kind: LlmPolicy
metadata: {name: p, namespace: a}
spec:
  podSelector: {}
  rules:
  - name: dead
    action: Allow
    from: [{identity: {name: b, namespace: c}}]
    operations: [Chat]
    models: [llama]
    when: llm.model == "gpt"
`;
    const { code, err } = sallyport("check", file("dead.yaml", policy));
    expect(code).toBe(0);
    expect(err).toBe(
      'dead.yaml:12:5: spec.rules[0].when: DeadRule: the condition is never true for what the rule names: llm.model cannot be both "llama" and "gpt"\n',
    );
  });

  it("finds what is there twice, in different files, and reads a file once that is named twice", () => {
    const [a, b] = [file("good.yaml", GOOD), file("again.yaml", GOOD)];
    expect(sallyport("check", a, b).err).toMatch(
      /^again\.yaml:3:12: metadata\.name: Namespace a is already at good\.yaml:1\n/u,
    );
    expect(sallyport("check", a, a).code).toBe(0);
  });

  it("needs something to check, which is there", () => {
    expect(sallyport("check").code).toBe(2);
    expect(sallyport("check", "nowhere")).toMatchObject({
      code: 3,
      err: expect.stringContaining("cannot read nowhere"),
    });
  });
});
