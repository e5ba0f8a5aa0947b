import { describe, expect, test } from "@jest/globals";
import { messageOf } from "../../support/cache.ts";
import { buildCelGo } from "../../support/cel-go/build.ts";
import { testUnless } from "../../support/skips.ts";
import { describe as words, fuzz } from "./fuzz.ts";
import { generate } from "./generate.ts";
import { Random } from "./random.ts";

const CASES = 20_000;
const SEED = 20_261_121;

const built = await buildCelGo().then(
  (program) => ({ program, reason: undefined }),
  (error: unknown) => ({ program: "", reason: `no cel-go to compare with: ${messageOf(error).split("\n")[0] ?? ""}` }),
);

describe("our engine agrees with others on generated expressions, or a rule says why not", () => {
  test("@bufbuild/cel and @marcbachmann/cel-js", async () => {
    const report = await fuzz({ cases: CASES, seed: SEED });
    expect(report.unexplained.map(words)).toEqual([]);
    expect(report.values).toBeGreaterThan(CASES / 2);
    expect(report.compared.bufbuild).toBeGreaterThan(CASES / 5);
    expect(report.compared.marcbachmann).toBeGreaterThan(CASES / 10);
  }, 60_000);

  testUnless(built.reason)(
    "cel-go",
    async () => {
      const report = await fuzz({ cases: CASES, seed: SEED + 1, celGo: built.program });
      expect(report.unexplained.map(words)).toEqual([]);
      expect(report.compared["cel-go"]).toBeGreaterThan(CASES * 0.9);
    },
    120_000,
  );
});

test("a seed gives the same case every time", () => {
  for (let seed = 1; seed < 50; seed++) expect(generate(new Random(seed))).toEqual(generate(new Random(seed)));
});
