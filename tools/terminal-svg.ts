/** A picture of a terminal as SVG: text in cells, colours by span, no script, no outside font. */

export type Colour = "plain" | "dim" | "green" | "red" | "yellow" | "blue" | "bold";

export interface Span {
  readonly text: string;
  readonly colour: Colour;
}

/** One line of the terminal; longer ones than the picture is wide are wrapped. */
export type Line = readonly Span[];

const COLUMNS = 112;
const CELL_WIDTH = 8.4;
const LINE_HEIGHT = 19;
const PADDING = 18;
const BAR_HEIGHT = 34;

const STYLES: Readonly<Record<Colour, string>> = {
  plain: "fill:#d7dce2",
  dim: "fill:#7f8a97",
  green: "fill:#8fd19e",
  red: "fill:#f28b82",
  yellow: "fill:#f2cf7e",
  blue: "fill:#8ab8f2",
  bold: "fill:#ffffff;font-weight:bold",
};

export function plain(text: string): Line {
  return [{ text, colour: "plain" }];
}

/** The picture; the same lines give the same bytes. */
export function terminalSvg(title: string, lines: readonly Line[]): string {
  const rows = lines.flatMap((line) => wrap(line, COLUMNS));
  const width = Math.ceil(COLUMNS * CELL_WIDTH + 2 * PADDING);
  const height = BAR_HEIGHT + rows.length * LINE_HEIGHT + 2 * PADDING;
  const classes = Object.entries(STYLES).map(([name, style]) => `.${name}{${style}}`);
  const buttons = ["#f2665e", "#f2bd43", "#5fc454"].map(
    (fill, i) => `<circle cx="${22 + i * 20}" cy="${BAR_HEIGHT / 2}" r="6" fill="${fill}"/>`,
  );
  const texts = rows.map((row, i) => {
    const y = BAR_HEIGHT + PADDING + (i + 1) * LINE_HEIGHT - 5;
    const spans = row.map(({ text, colour }) => `<tspan class="${colour}">${escape(text)}</tspan>`);
    return `<text x="${PADDING}" y="${y}" xml:space="preserve">${spans.join("")}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">`,
    `<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}${classes.join("")}</style>`,
    `<rect width="${width}" height="${height}" rx="10" fill="#1b2027"/>`,
    ...buttons,
    `<text x="${width / 2}" y="${BAR_HEIGHT / 2 + 5}" text-anchor="middle" class="dim title">${escape(title)}</text>`,
    ...texts,
    "</svg>",
    "",
  ].join("\n");
}

/** The terminal's text as it stands in a picture made by `terminalSvg`, line by line. */
export function svgText(svg: string): readonly string[] {
  return svg
    .split("\n")
    .filter((line) => line.includes('xml:space="preserve"'))
    .map((line) => unescape(line.replaceAll(/<[^>]*>/gu, "")));
}

/** The same lines as `terminalSvg` breaks them. */
export function wrappedText(lines: readonly Line[]): readonly string[] {
  return lines.flatMap((line) => wrap(line, COLUMNS)).map((row) => row.map(({ text }) => text).join(""));
}

/** Breaks a line at the width, as a terminal does: anywhere. */
function wrap(line: Line, width: number): readonly Line[] {
  const rows: Span[][] = [[]];
  let used = 0;
  for (const { text, colour } of line) {
    const characters = Array.from(text);
    for (let at = 0; at < characters.length;) {
      if (used === width) {
        rows.push([]);
        used = 0;
      }
      const part = characters.slice(at, at + width - used);
      rows.at(-1)?.push({ text: part.join(""), colour });
      used += part.length;
      at += part.length;
    }
  }
  return rows;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/gu, (character) => ESCAPES[character] ?? character);
}

function unescape(text: string): string {
  return text.replaceAll(/&(?:amp|lt|gt|quot);/gu, (entity) => {
    return Object.entries(ESCAPES).find(([, escaped]) => escaped === entity)?.[0] ?? entity;
  });
}
