import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { formatProblem } from "../../core/api/index.ts";
import { checkPolicy } from "./check-policy.ts";
import { FolderSource, type FolderOptions } from "./folder-source.ts";

function policy(name: string, spec = "podSelector: {}"): string {
  return `apiVersion: sallyport.dev/v1alpha1
kind: LlmPolicy
metadata: {name: ${name}, namespace: a}
spec: {${spec}}
`;
}

let folder = "";
let sources: FolderSource[] = [];
let told: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "sallyport-source-"));
  sources = [];
  told = [];
});

afterEach(async () => {
  await Promise.all(sources.map(async (source) => await source.stop()));
  rmSync(folder, { recursive: true });
});

/** Writes what happens as short lines: `+` applied, `-` deleted, `=` synced, `!` refused. */
async function follow(options: Partial<FolderOptions> = {}): Promise<void> {
  const source = new FolderSource({ folder, checkPolicy, ...options });
  sources.push(source);
  await source.start((event) => {
    switch (event.type) {
      case "applied":
        told.push(`+${event.document.resource.metadata.name}`);
        return;
      case "deleted":
        told.push(`-${event.key}`);
        return;
      case "synced":
        told.push("=");
        return;
      case "refused":
        told.push(
          ...event.problems.map(
            (problem) => `!${(formatProblem(problem).split("\n")[0] ?? "").replaceAll(`${folder}/`, "")}`,
          ),
        );
    }
  });
}

function write(file: string, text: string): void {
  writeFileSync(path.join(folder, file), text);
}

/** Resolves once so much was told, and some time for anything that should not be. */
async function untilTold(count: number): Promise<readonly string[]> {
  for (let waited = 0; told.length < count && waited < 5_000; waited += 10) await sleep(10);
  await sleep(120);
  return told.splice(0);
}

describe("a folder", () => {
  it("is told whole at the start, then by what changes", async () => {
    write("a.yaml", policy("a"));
    write("b.yml", policy("b"));
    await follow();
    expect(told.splice(0)).toEqual(["+a", "+b", "="]);
    write("c.json", JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "c" } }));
    expect(await untilTold(2)).toEqual(["+c", "="]);
    write("a.yaml", policy("a", "podSelector: {}, mode: Shadow"));
    expect(await untilTold(2)).toEqual(["+a", "="]);
    rmSync(path.join(folder, "b.yml"));
    expect(await untilTold(2)).toEqual(["-LlmPolicy a/b", "="]);
  });

  it("is not told of what means the same", async () => {
    write("a.yaml", policy("a"));
    await follow();
    told.splice(0);
    write("a.yaml", `# a comment\n${policy("a")}`);
    await sleep(300);
    expect(told).toEqual([]);
  });

  it("may be empty", async () => {
    await follow();
    expect(told).toEqual(["="]);
  });

  it("keeps its last good state, whole, while one document of it is broken", async () => {
    write("a.yaml", policy("a"));
    write("b.yaml", policy("b"));
    await follow();
    told.splice(0);
    write("a.yaml", policy("a", "podSelector: {}, mode: Shadow"));
    write("b.yaml", policy("b", "podSelector: {}, mod: Shadow"));
    expect(await untilTold(1)).toEqual([
      '!b.yaml:4:25: spec.mod: is not a field that this version knows; did you mean "mode"?',
    ]);
    write("b.yaml", policy("b"));
    expect(await untilTold(2)).toEqual(["+a", "="]);
  });

  it("says that it is good again, though nothing changed in the end", async () => {
    write("a.yaml", policy("a"));
    await follow();
    told.splice(0);
    write("a.yaml", "kind: [");
    expect(await untilTold(1)).toHaveLength(1);
    write("a.yaml", policy("a"));
    expect(await untilTold(1)).toEqual(["="]);
  });

  it("checks expressions as the sidecar compiles them", async () => {
    write("a.yaml", policy("a", "podSelector: {}, rules: [{name: r, action: Deny, when: llm.modle == 'x'}]"));
    await follow();
    expect(told).toEqual(["!a.yaml:4:67: spec.rules[0].when: Llm has no field 'modle', did you mean 'model'?"]);
  });

  it("is followed when editors rename new files over old ones", async () => {
    write("a.yaml", policy("a"));
    await follow();
    told.splice(0);
    for (const mode of ["Shadow", "Enforce", "Shadow", "Enforce"]) {
      write(".a.yaml.swp", policy("a", `podSelector: {}, mode: ${mode}`));
      renameSync(path.join(folder, ".a.yaml.swp"), path.join(folder, "a.yaml"));
      const before = performance.now();
      expect(await untilTold(2)).toEqual(["+a", "="]);
      // Told by the watch: the re-read would take two seconds.
      expect(performance.now() - before).toBeLessThan(1_500);
    }
  });

  it("is followed into folders that are made later", async () => {
    await follow();
    told.splice(0);
    mkdirSync(path.join(folder, "sub"));
    write("sub/a.yaml", policy("a"));
    expect(await untilTold(2)).toEqual(["+a", "="]);
  });

  it("is read again from time to time, for events get lost", async () => {
    await follow({ debounceMs: 1_000_000, rereadMs: 100 });
    told.splice(0);
    write("a.yaml", policy("a"));
    expect(await untilTold(2)).toEqual(["+a", "="]);
  });

  it("is not read where it is hidden, leads out, or is something else", async () => {
    const outside = mkdtempSync(path.join(tmpdir(), "sallyport-outside-"));
    writeFileSync(path.join(outside, "x.yaml"), policy("outside"));
    mkdirSync(path.join(folder, ".hidden"));
    mkdirSync(path.join(folder, "..data"));
    write(".hidden/a.yaml", policy("hidden"));
    write("..data/b.yaml", policy("mounted"));
    write("notes.txt", "not yaml: [");
    symlinkSync(path.join(outside, "x.yaml"), path.join(folder, "x.yaml"));
    symlinkSync(outside, path.join(folder, "dir.yaml"));
    symlinkSync("/dev/zero", path.join(folder, "zero.yaml"));
    symlinkSync("..data/b.yaml", path.join(folder, "b.yaml"));
    await follow();
    rmSync(outside, { recursive: true });
    expect(told).toEqual(["+mounted", "="]);
  });

  it("is refused where it is too much, and not read to the end", async () => {
    write("a.yaml", `# ${"x".repeat(1_048_576)}`);
    await follow();
    expect(told).toEqual(["!a.yaml:1:1: cannot be read: it has more than 1048576 bytes"]);
  });

  it("is refused with too many files", async () => {
    for (let i = 0; i < 1_001; i++) write(`${String(i)}.yaml`, "");
    await follow();
    expect(told).toEqual([`!${folder}:1:1: has more than 1000 resource files`]);
  });

  it("is refused with bytes that are no text", async () => {
    writeFileSync(path.join(folder, "a.yaml"), Buffer.from([0x61, 0xff]));
    await follow();
    expect(told).toEqual([expect.stringMatching(/^!a\.yaml:1:1: cannot be read: /)]);
  });

  it("cannot be followed where it is not there", async () => {
    await expect(follow({ folder: path.join(folder, "none") })).rejects.toThrow(/ENOENT/);
  });

  it("goes on as it was when it vanishes", async () => {
    write("a.yaml", policy("a"));
    await follow({ rereadMs: 100 });
    told.splice(0);
    renameSync(folder, `${folder}-away`);
    expect(await untilTold(1)).toEqual([expect.stringMatching(/cannot be read: ENOENT/)]);
    renameSync(`${folder}-away`, folder);
    expect(await untilTold(1)).toEqual(["="]);
  });
});
