import fs from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { formatProblem, KINDS, readFiles } from "../core/api/index.ts";
import { checkPolicy } from "../operator/source/check-policy.ts";
import { RESOURCES, resources } from "./gen-resources.ts";

test("docs/resources.md is what the generator writes (run node tools/gen-resources.ts)", async () => {
  expect(await fs.readFile(RESOURCES, "utf8")).toBe(await resources());
});

test("its examples are well, and there is one of each kind", async () => {
  const text = await fs.readFile(RESOURCES, "utf8");
  const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = ""], i) => ({
    file: `example ${String(i + 1)}`,
    text: block,
  }));
  const { documents, problems } = readFiles(examples, { checkPolicy });
  expect(problems.map(formatProblem)).toEqual([]);
  expect(documents.map(({ resource }) => resource.kind).sort()).toEqual(Object.keys(KINDS).sort());
});
