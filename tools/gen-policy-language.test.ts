import fs from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { compile, Environment } from "../core/cel/index.ts";
import { LIBRARIES } from "../core/policy/libraries.ts";
import { POLICY_LANGUAGE, policyLanguage } from "./gen-policy-language.ts";

test("docs/policy-language.md is what the generator writes (run node tools/gen-policy-language.ts)", async () => {
  expect(await fs.readFile(POLICY_LANGUAGE, "utf8")).toBe(await policyLanguage());
});

test("every example in the file evaluates to what stands beside it", async () => {
  const environment = new Environment({ variables: {}, libraries: LIBRARIES });
  const text = await fs.readFile(POLICY_LANGUAGE, "utf8");
  const examples = [...text.matchAll(/```cel\n(.*?)```/gs)].flatMap(([, block = ""]) => block.trim().split("\n"));
  expect(examples.length).toBeGreaterThan(150);
  const failures: string[] = [];
  for (const example of examples) {
    const [expression = "", result = ""] = example.split("  // ");
    const compiled = compile(`(${expression}) == (${result})`, environment);
    if (!compiled.ok || compiled.program.evaluate({}) !== true) failures.push(example);
  }
  expect(failures).toEqual([]);
});
