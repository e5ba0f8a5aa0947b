import { failure, success, type Result } from "./result.ts";

/** Most digits after the point that a clause may ask for (cel-go: 100). */
export const MAX_PRECISION = 100;
const DEFAULT_PRECISION = 6;

/** A place in a template where a value goes. `x` and `X` differ in the case of the digits. */
export type Clause =
  { readonly kind: "s" | "d" | "b" | "o" | "x" | "X" } | { readonly kind: "f" | "e"; readonly precision: number };

/** Splits a template of `format` into texts and clauses (cel-spec, extensions/strings.md). */
export function parseTemplate(template: string): Result<readonly (string | Clause)[]> {
  const parts: (string | Clause)[] = [];
  let text = "";
  for (let i = 0; i < template.length; i++) {
    const percent = template.indexOf("%", i);
    if (percent < 0) {
      text += template.slice(i);
      break;
    }
    text += template.slice(i, percent);
    i = percent + 1;
    if (template.charAt(i) === "%") {
      text += "%";
      continue;
    }
    const match = /(?:\.(\d{1,4}))?([a-zA-Z])/y;
    match.lastIndex = i;
    const found = match.exec(template);
    if (found === null) return failure("could not parse formatting clause: unexpected end or character after %");
    const clause = makeClause(found[2] ?? "", found[1]);
    if (!clause.ok) return clause;
    if (text !== "") parts.push(text);
    text = "";
    parts.push(clause.value);
    i = match.lastIndex - 1;
  }
  if (text !== "") parts.push(text);
  return success(parts);
}

function makeClause(letter: string, digits: string | undefined): Result<Clause> {
  const precision = digits === undefined ? DEFAULT_PRECISION : Number(digits);
  if (precision > MAX_PRECISION)
    return failure(`could not parse formatting clause: precision ${precision} exceeds ${MAX_PRECISION}`);
  switch (letter) {
    case "f":
    case "e":
      return success({ kind: letter, precision });
    case "s":
    case "d":
    case "b":
    case "o":
    case "x":
    case "X":
      return success({ kind: letter });
    default:
      return failure(`could not parse formatting clause: unrecognized formatting clause "${letter}"`);
  }
}

/** The name of a double that is no number, in all clauses. */
function special(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "Infinity";
  return value === -Infinity ? "-Infinity" : undefined;
}

/** The shortest digits that read back as the same double, without an exponent. */
export function formatDouble(value: number): string {
  const named = special(value);
  if (named !== undefined) return named;
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const match = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(Math.abs(value).toExponential());
  const digits = (match?.[1] ?? "0") + (match?.[2] ?? "");
  const point = Number(match?.[3] ?? 0) + 1;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return (
    sign + (digits.length <= point ? digits.padEnd(point, "0") : `${digits.slice(0, point)}.${digits.slice(point)}`)
  );
}

/** A double with so many digits after the point, rounded from its exact value, halves to even. */
export function formatFixed(value: number, precision: number): string {
  const named = special(value);
  if (named !== undefined) return named;
  const { digits, scale } = exactDecimal(value);
  const rounded = dropDigits(digits, scale - precision)
    .toString()
    .padStart(precision + 1, "0");
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  return precision === 0 ? sign + rounded : `${sign}${rounded.slice(0, -precision)}.${rounded.slice(-precision)}`;
}

/** A double in scientific notation (1.500000e+03), rounded from its exact value, halves to even. */
export function formatScientific(value: number, precision: number): string {
  const named = special(value);
  if (named !== undefined) return named;
  const { digits, scale } = exactDecimal(value);
  let significant = digits.toString();
  let exponent = digits === 0n ? 0 : significant.length - 1 - scale;
  const surplus = significant.length - (precision + 1);
  if (surplus > 0) {
    significant = dropDigits(digits, surplus).toString();
    if (significant.length > precision + 1) exponent++; // 9.99 became 10.0
  }
  significant = significant.slice(0, precision + 1).padEnd(precision + 1, "0");
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const mantissa = precision === 0 ? significant : `${significant.charAt(0)}.${significant.slice(1)}`;
  return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** The exact magnitude of a finite double, as digits / 10^scale. */
function exactDecimal(value: number): { readonly digits: bigint; readonly scale: number } {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const high = bits.getUint32(0);
  const biased = (high >>> 20) & 0x7ff;
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(bits.getUint32(4));
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  if (exponent >= 0) return { digits: mantissa << BigInt(exponent), scale: 0 };
  return { digits: mantissa * 5n ** BigInt(-exponent), scale: -exponent };
}

/** Divides by 10^count, halves to even; multiplies where the count is negative. */
function dropDigits(digits: bigint, count: number): bigint {
  if (count <= 0) return digits * 10n ** BigInt(-count);
  const divisor = 10n ** BigInt(count);
  const quotient = digits / divisor;
  const twice = (digits % divisor) * 2n;
  return twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

/** An integer in base 2, 8 or 16, with a sign in front where it is negative. */
export function formatInteger(value: number | bigint, base: 2 | 8 | 10 | 16): string {
  return value.toString(base);
}

/** Two hexadecimal digits for each byte. */
export function formatHexBytes(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += byte.toString(16).padStart(2, "0");
  return out;
}
