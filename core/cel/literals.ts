import { SyntaxProblem, type Token } from "./lexer.ts";
import { DOUBLE, INT, UINT, type CelType } from "./types.ts";
import { boxDouble, INT_MAX, INT_MIN, normalise, Uint, UINT_MAX, type Value } from "./values.ts";

/** More digits than any 64-bit integer has; checked before the text is converted. */
const MAX_DIGITS = 22;

/**
 * The value of a number's token, of which a minus before it is part: -9223372036854775808 has no positive
 * counterpart.
 * @throws {SyntaxProblem} where 64 bits cannot hold it
 */
export function numberLiteral(
  token: Token,
  minus: Token | undefined,
): { readonly value: Value; readonly type: CelType } {
  const start = minus?.start ?? token.start;
  const digits = token.text.replace(/[uU]$/, "");
  if (token.kind === "double") {
    const value = Number(digits) * (minus === undefined ? 1 : -1);
    if (!Number.isFinite(value)) throw new SyntaxProblem("double literal out of range", start, token.end);
    return { value: boxDouble(value), type: DOUBLE };
  }
  const significant = digits.replace(/^(0[xX])?0*(?=.)/, (_, hex: string | undefined) => hex ?? "");
  const value = significant.length > MAX_DIGITS ? undefined : BigInt(significant) * (minus === undefined ? 1n : -1n);
  const [min, max] = token.kind === "uint" ? [0n, UINT_MAX] : [INT_MIN, INT_MAX];
  if (value === undefined || value < min || value > max) {
    throw new SyntaxProblem(`${token.kind} literal out of range`, start, token.end);
  }
  const int = normalise(value);
  return token.kind === "uint" ? { value: new Uint(int), type: UINT } : { value: int, type: INT };
}
