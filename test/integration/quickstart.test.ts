/** What a newcomer sees: the commands that `npm start` prints work as they stand, and the README's picture shows that. */
import { beforeAll, expect, test } from "@jest/globals";
import fs from "node:fs";
import {
  PICTURE,
  quickstartLines,
  recordQuickstart,
  type Recording,
  type Tried,
} from "../../tools/record-quickstart.ts";
import { describeUnless, lacking } from "../support/skips.ts";
import { svgText, wrappedText } from "../../tools/terminal-svg.ts";

describeUnless(lacking("curl", "--version"))("the quickstart", () => {
  let recording: Recording;
  beforeAll(async () => {
    recording = await recordQuickstart();
  }, 90_000);

  function tried(index: number): Tried {
    const found = recording.tried[index];
    if (found === undefined) throw new Error(`only ${recording.tried.length} commands were printed`);
    return found;
  }

  function errorOf({ output }: Tried): { readonly code: string; readonly message: string } {
    return (JSON.parse(output) as { readonly error: { readonly code: string; readonly message: string } }).error;
  }

  test("each command is a line of its own that a shell takes", () => {
    expect(recording.tried).toHaveLength(5);
    expect(recording.tried.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
  });

  test("the first is answered", () => {
    expect(JSON.parse(tried(0).output)).toMatchObject({ choices: [{ message: { role: "assistant" } }] });
  });

  test("the second is answered as a stream, to its end", () => {
    expect(tried(1).output).toMatch(/^data: \{[^]*data: \[DONE\]\s*$/u);
  });

  test("the others are refused: the model, the workload, the missing certificate", () => {
    expect(errorOf(tried(2))).toMatchObject({
      code: "denied_by_rule",
      message: expect.stringContaining("Preview models are not open to applications."),
    });
    expect(errorOf(tried(3)).code).toBe("no_rule_allows");
    expect(errorOf(tried(4)).code).toBe("identity_missing");
  });

  test("the picture in docs shows what a run gives (else: npm run record)", () => {
    expect(svgText(fs.readFileSync(PICTURE, "utf8"))).toEqual(wrappedText(quickstartLines(recording)));
  });
});
