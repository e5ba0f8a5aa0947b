import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { Document, Scalar } from "yaml";
import { scalarOffset } from "./scalar-offset.ts";
import { SourceText } from "./source-text.ts";
import { child, type ScalarTree } from "./tree.ts";
import { readYaml } from "./yaml.ts";

const STYLES = ["PLAIN", "QUOTE_SINGLE", "QUOTE_DOUBLE", "BLOCK_LITERAL", "BLOCK_FOLDED"] as const;

function scalarIn(text: string): ScalarTree | undefined {
  let broken = false;
  const [tree] = readYaml(new SourceText("a.yaml", text), () => (broken = true));
  const value = child(child(tree, "spec")?.value, "when")?.value;
  return !broken && value?.kind === "scalar" ? value : undefined;
}

it("finds every character of a value in the text that it was written as", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    "'",
    '"',
    "\\",
    "é",
    "😀",
    "#",
    ":",
    "&&",
    "==",
    " ",
    "\n",
    "\t",
    "x".repeat(70),
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 30 }), fc.constantFrom(...STYLES), (pieces, style) => {
      const value = pieces.join("");
      const scalar = new Scalar(value);
      scalar.type = style;
      const text = new Document({ spec: { when: scalar, mode: "Enforce" } }).toString();
      const tree = scalarIn(text);
      // The writer breaks some values that are nothing but white space and marks; those are no text of ours.
      fc.pre(tree?.value === value);
      let before = tree.start - 1;
      for (let i = 0; i < value.length; i++) {
        const unit = value[i] ?? "";
        const at = scalarOffset(text, tree, i);
        expect(at).toBeGreaterThanOrEqual(before);
        before = at;
        if (/\s/.test(unit)) continue;
        if (tree.style === "double" && text[at] === "\\") continue;
        expect(text[at]).toBe(unit);
      }
      expect(scalarOffset(text, tree, value.length)).toBeGreaterThanOrEqual(before);
      expect(scalarOffset(text, tree, value.length)).toBeLessThanOrEqual(tree.end);
    }),
    { numRuns: 500 },
  );
});
