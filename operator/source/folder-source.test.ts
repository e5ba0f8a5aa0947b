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
      case "waiting":
        told.push(`?${event.losing.join(", ")} (${String(event.waitMs)})`);
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
  await sleep(250);
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
    expect(await untilTold(3)).toEqual(["?LlmPolicy a/b (500)", "-LlmPolicy a/b", "="]);
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

  it("is not taken while a file of it is being written in place, though every half of it would be well", async () => {
    const rules = ["a", "b", "c"].map((name) => `{name: ${name}, action: Deny, models: [${name}]}`);
    const whole = policy("a", "podSelector: {}").replace(
      "spec: {podSelector: {}}",
      "spec:\n  podSelector: {}\n  rules:\n",
    );
    const text = (count: number): string =>
      whole +
      rules
        .map((rule) => `    - ${rule}\n`)
        .slice(0, count)
        .join("");
    write("a.yaml", text(3));
    await follow({ lossMs: 600 });
    told.splice(0);
    for (const count of [1, 2]) {
      write("a.yaml", text(count));
      await sleep(300);
    }
    write("a.yaml", text(3).replace("[c]", "[d]"));
    expect(await untilTold(4)).toEqual([
      "?LlmPolicy a/a spec.rules b (600)",
      "?LlmPolicy a/a spec.rules c (600)",
      "+a",
      "=",
    ]);
  });

  it("is taken with what it lost once that has stood still, and not before", async () => {
    write("a.yaml", policy("a"));
    write("b.yaml", policy("b"));
    await follow({ lossMs: 700 });
    told.splice(0);
    const begun = performance.now();
    write("a.yaml", "");
    expect((await untilTold(3)).slice(0, 1)).toEqual(["?LlmPolicy a/a (700)"]);
    expect(performance.now() - begun).toBeGreaterThan(700);
    expect(told).toEqual([]);
  });

  it("is not told of a file that was empty for a moment", async () => {
    write("a.yaml", policy("a"));
    await follow();
    told.splice(0);
    write("a.yaml", "");
    await sleep(60);
    write("a.yaml", policy("a"));
    await sleep(600);
    expect(told).toEqual([]);
  });

  it("is not read where it is hidden, and read through links that stay inside", async () => {
    mkdirSync(path.join(folder, ".hidden"));
    mkdirSync(path.join(folder, "..data", "deep"), { recursive: true });
    write(".hidden/a.yaml", policy("hidden"));
    write("..data/b.yaml", policy("mounted"));
    write("..data/deep/c.yaml", policy("deep"));
    write("notes.txt", "not yaml: [");
    mkdirSync(path.join(folder, "sub"));
    write("sub/d.yaml", policy("sub"));
    symlinkSync("..data/b.yaml", path.join(folder, "b.yaml"));
    symlinkSync("..data/deep", path.join(folder, "deep"));
    symlinkSync("sub", path.join(folder, "again"));
    symlinkSync(".", path.join(folder, "round"));
    await follow();
    expect(told).toEqual(["+mounted", "+deep", "+sub", "="]);
  });

  it("is refused where a link leads out or nowhere, or something is no file: nothing is left out without a word", async () => {
    const outside = mkdtempSync(path.join(tmpdir(), "sallyport-outside-"));
    writeFileSync(path.join(outside, "x.yaml"), policy("outside"));
    write("a.yaml", policy("a"));
    symlinkSync(path.join(outside, "x.yaml"), path.join(folder, "x.yaml"));
    symlinkSync(outside, path.join(folder, "dir"));
    symlinkSync("/dev/zero", path.join(folder, "zero.yaml"));
    symlinkSync("nothing", path.join(folder, "dangling.yml"));
    symlinkSync("nothing", path.join(folder, "dangling.txt"));
    await follow();
    rmSync(outside, { recursive: true });
    expect(told.sort()).toEqual([
      expect.stringMatching(/^!dangling\.yml:1:1: is a symbolic link that leads nowhere: ENOENT/u),
      `!dir:1:1: is a symbolic link that leads out of the folder, to ${outside}: put the folder itself here`,
      `!x.yaml:1:1: is a symbolic link that leads out of the folder, to ${outside}/x.yaml: put the file itself here`,
      "!zero.yaml:1:1: is a symbolic link that leads out of the folder, to /dev/zero: put the file itself here",
    ]);
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
