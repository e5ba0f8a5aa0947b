/** What a benchmark hands back: figures by row, ratios between rows, and the bars that the ratios have to clear. */

export interface BenchOptions {
  /** Shorter windows and fewer repeats: to try the bench itself, never for a figure that is kept. */
  readonly quick: boolean;
  /** Progress, a line at a time. */
  readonly say: (line: string) => void;
  /** What stood after the bench's name on the command line. */
  readonly args: readonly string[];
}

export interface Row {
  readonly name: string;
  /** By the figure's name with its unit: `{"requests/CPU-s": …}`. */
  readonly figures: Readonly<Record<string, Spread | number>>;
  /** Why the row counts for nothing: any error in a run voids it. */
  readonly void?: string;
}

/** Over the repeats. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface BenchResult {
  readonly ratios: Readonly<Record<string, number>>;
  readonly rows: readonly Row[];
  readonly bars?: readonly Bar[];
  /** What a reader must know: what could not be had, how busy the machine was. */
  readonly notes?: readonly string[];
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
  return { min: sorted[0] ?? NaN, median, max: sorted.at(-1) ?? NaN };
}

/** A figure that was not measured clears no bar. */
export function clears({ value, atLeast, atMost }: Bar): boolean {
  return (
    Number.isFinite(value) && (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost)
  );
}

export function medianOf(figure: Spread | number | undefined): number {
  if (figure === undefined) return NaN;
  return typeof figure === "number" ? figure : figure.median;
}

/** Rows as a table for a terminal. */
export function formatRows(rows: readonly Row[]): string {
  const lines: string[] = [];
  for (const row of rows) {
    const figures = Object.entries(row.figures).map(([name, figure]) => `${name} ${formatFigure(figure)}`);
    lines.push(`${row.name}: ${row.void === undefined ? figures.join(" · ") : `void: ${row.void}`}`);
  }
  return lines.join("\n");
}

function formatFigure(figure: Spread | number): string {
  if (typeof figure === "number") return formatNumber(figure);
  return `${formatNumber(figure.median)} (${formatNumber(figure.min)}–${formatNumber(figure.max)})`;
}

function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return size >= 10 ? value.toFixed(1) : value.toFixed(3);
}

export function formatBar(bar: Bar): string {
  const limit = bar.atLeast === undefined ? `≤ ${bar.atMost}` : `≥ ${bar.atLeast}`;
  return `${clears(bar) ? "ok    " : "MISSED"} ${bar.name}: ${formatNumber(bar.value)} (${limit})`;
}
