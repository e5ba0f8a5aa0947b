import { expect, test } from "@jest/globals";
import * as s from "./semver.ts";

function version(text: string): s.Semver {
  const result = s.parseSemver(text);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

test("reads versions and writes them back", () => {
  for (const text of [
    "0.0.0",
    "1.2.3",
    "1.0.0-alpha.1",
    "1.0.0-0.3.7",
    "1.0.0-x-y-z.--",
    "1.0.0+001",
    "1.0.0-rc.1+exp.sha.5114f85",
    "9223372036854775807.0.0",
  ])
    expect(s.formatSemver(version(text))).toBe(text);
  expect(version("1.2.3-a.4")).toEqual({ major: 1n, minor: 2n, patch: 3n, prerelease: ["a", 4n], build: [] });
});

test.each([
  "",
  "1",
  "1.2",
  "v1.0.0",
  "01.0.0",
  "1.01.0",
  "1.0.00",
  "1.0.0-",
  "1.0.0-01",
  "1.0.0-a..b",
  "1.0.0+",
  "1.0.0+a_b",
  "1.0.0-é",
  " 1.0.0",
  "1.0.0 ",
  "-1.0.0",
  "1.0.0\n",
  "9223372036854775808.0.0",
  "1".repeat(300),
])("%s is no version", (text) => {
  const result = s.parseSemver(text);
  expect(result.ok ? "" : result.message).toContain("invalid semantic version");
});

// Kubernetes' own normalisation.
test.each([
  ["v1.0.0", "1.0.0"],
  ["1.0", "1.0.0"],
  ["v1", "1.0.0"],
  ["01.01.01", "1.1.1"],
  ["00.0.00", "0.0.0"],
  ["1.2.03-rc.1+b", "1.2.3-rc.1+b"],
  ["1.2.3-01", undefined],
  ["1.0-alpha", undefined],
  ["vv1", undefined],
  ["v", undefined],
  ["", undefined],
  [" v1.0.0", undefined],
])("%s normalised is %s", (text, expected) => {
  const result = s.parseNormalisedSemver(text);
  expect(result.ok ? s.formatSemver(result.value) : undefined).toBe(expected);
});

test("orders versions as semver.org does", () => {
  const ordered = [
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "2.0.0",
    "10.0.0",
  ];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries())
      expect([a, b, s.compareSemver(version(a), version(b))]).toEqual([a, b, Math.sign(i - j)]);
  }
  expect(s.compareSemver(version("1.0.0+a"), version("1.0.0+b"))).toBe(0);
});
