import { expect, test } from "@jest/globals";
import { plain, svgText, terminalSvg, wrappedText, type Line } from "./terminal-svg.ts";

test("the text in the picture is the text that was given, whatever is in it", () => {
  const lines: readonly Line[] = [
    plain('$ curl --data \'{"a": "<b> & c"}\''),
    [
      { text: "denied ", colour: "red" },
      { text: "&amp; stays &amp;", colour: "dim" },
    ],
    plain(""),
    plain("x".repeat(300)),
  ];
  const svg = terminalSvg("a <title>", lines);
  expect(svgText(svg)).toEqual(wrappedText(lines));
  expect(svgText(svg).slice(0, 3)).toEqual(['$ curl --data \'{"a": "<b> & c"}\'', "denied &amp; stays &amp;", ""]);
  expect(svgText(svg).slice(3).join("")).toBe("x".repeat(300));
});

test("no line is wider than the terminal", () => {
  const rows = wrappedText([plain("word ".repeat(100))]);
  expect(Math.max(...rows.map((row) => row.length))).toBe(112);
});
