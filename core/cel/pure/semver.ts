import { failure, success, type Result } from "./result.ts";

/** A version of semver.org 2.0.0. */
export type Semver = {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: readonly (string | bigint)[];
  readonly build: readonly string[];
};

const MAX_TEXT = 256;
const INT64_MAX = 2n ** 63n - 1n;

/** Reads a version strictly: three numbers without leading zeros that fit in an int, then -prerelease and +build. */
export function parseSemver(text: string): Result<Semver> {
  const invalid = (why: string): Result<Semver> =>
    failure(`invalid semantic version ${JSON.stringify(text.slice(0, 64))}: ${why}`);
  if (text.length > MAX_TEXT) return invalid("too long");
  const match = /^(\d+)\.(\d+)\.(\d+)(?:-([^+]*))?(?:\+(.*))?$/s.exec(text);
  if (match === null) return invalid("not of the form major.minor.patch");
  const numbers = [match[1] ?? "", match[2] ?? "", match[3] ?? ""];
  if (numbers.some(hasLeadingZero)) return invalid("leading zero");
  const [major = 0n, minor = 0n, patch = 0n] = numbers.map(BigInt);
  if (major > INT64_MAX || minor > INT64_MAX || patch > INT64_MAX) return invalid("number does not fit in an int");
  const prerelease: (string | bigint)[] = [];
  for (const part of match[4]?.split(".") ?? []) {
    if (!/^[0-9A-Za-z-]+$/.test(part)) return invalid("bad prerelease");
    if (!/^\d+$/.test(part)) prerelease.push(part);
    else if (hasLeadingZero(part)) return invalid("leading zero in prerelease");
    else prerelease.push(BigInt(part));
  }
  const build = match[5]?.split(".") ?? [];
  if (build.some((part) => !/^[0-9A-Za-z-]+$/.test(part))) return invalid("bad build metadata");
  return success({ major, minor, patch, prerelease, build });
}

function hasLeadingZero(digits: string): boolean {
  return digits.length > 1 && digits.startsWith("0");
}

/** As Kubernetes' `semver(text, true)`: a leading v is dropped, missing numbers become 0, leading zeros are dropped. */
export function parseNormalisedSemver(text: string): Result<Semver> {
  if (text.length > MAX_TEXT) return parseSemver(text);
  const parts = splitInThree(text.startsWith("v") ? text.slice(1) : text).map(dropLeadingZeros);
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? "")) {
    return failure(
      `invalid semantic version ${JSON.stringify(text)}: a short version cannot have a prerelease or build metadata`,
    );
  }
  while (parts.length < 3) parts.push("0");
  return parseSemver(parts.join("."));
}

/** The text cut at its first two dots. */
function splitInThree(text: string): readonly string[] {
  const [first = "", second, ...rest] = text.split(".");
  return second === undefined ? [first] : rest.length === 0 ? [first, second] : [first, second, rest.join(".")];
}

function dropLeadingZeros(part: string): string {
  if (part.length < 2) return part;
  const rest = part.replace(/^0+/, "");
  return /^\d/.test(rest) ? rest : `0${rest}`;
}

/** -1, 0 or 1 by precedence (semver.org, item 11); build metadata does not count. */
export function compareSemver(a: Semver, b: Semver): -1 | 0 | 1 {
  const numbers = compare(a.major, b.major) || compare(a.minor, b.minor) || compare(a.patch, b.patch);
  if (numbers !== 0) return numbers;
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return compare(b.prerelease.length, a.prerelease.length);
  for (const [i, mine] of a.prerelease.entries()) {
    const other = b.prerelease[i];
    if (other === undefined) return 1;
    const order = typeof mine === typeof other ? compare(mine, other) : typeof mine === "bigint" ? -1 : 1;
    if (order !== 0) return order;
  }
  return a.prerelease.length < b.prerelease.length ? -1 : 0;
}

function compare(a: bigint | string | number, b: bigint | string | number): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The version as text. */
export function formatSemver(version: Semver): string {
  const prerelease = version.prerelease.length === 0 ? "" : `-${version.prerelease.join(".")}`;
  const build = version.build.length === 0 ? "" : `+${version.build.join(".")}`;
  return `${version.major}.${version.minor}.${version.patch}${prerelease}${build}`;
}
