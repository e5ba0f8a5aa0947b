import type { FunctionDeclaration, Library } from "../declarations.ts";
import * as versions from "../pure/semver.ts";
import { BOOL, INT, opaqueOf, STRING } from "../types.ts";
import { type CelError, normalise, Opaque, type Value } from "../values.ts";
import { declare, method, overload } from "./declare.ts";
import { ordering, reader, wrap } from "./readers.ts";

export class SemverValue extends Opaque {
  readonly typeName = "kubernetes.Semver";
  readonly version: versions.Semver;
  constructor(version: versions.Semver) {
    super();
    this.version = version;
  }
  override equals(other: Opaque): boolean {
    return other instanceof SemverValue && versions.compareSemver(this.version, other.version) === 0;
  }
  override toString(): string {
    return versions.formatSemver(this.version);
  }
}

const SEMVER = opaqueOf("kubernetes.Semver");

function toSemver(text: string, normalised = false): Value | CelError {
  return wrap(
    normalised ? versions.parseNormalisedSemver(text) : versions.parseSemver(text),
    (version) => new SemverValue(version),
  );
}

function isSemver(text: string, normalised = false): boolean {
  return (normalised ? versions.parseNormalisedSemver(text) : versions.parseSemver(text)).ok;
}

function numberOfVersion(name: "major" | "minor" | "patch", result: string): FunctionDeclaration {
  return declare(
    name,
    `The ${name} number.`,
    [method(`semver_${name}`, [SEMVER], INT, (self: SemverValue) => normalise(self.version[name]), { total: true })],
    [`semver('1.2.3').${name}()`, result],
  );
}

/** Kubernetes' `semver` library. */
export const SEMVERS: Library = {
  name: "semver",
  doc: "Versions by semver.org. With `true` as the second argument a leading v is dropped, missing numbers become 0 and leading zeros are dropped.",
  macros: [],
  types: [SEMVER],
  functions: [
    declare(
      "semver",
      "A version from text.",
      [
        reader("string_to_semver", [STRING], SEMVER, toSemver),
        reader("string_bool_to_semver", [STRING, BOOL], SEMVER, toSemver),
      ],
      ["semver('v1.0', true) == semver('1.0.0')", "true"],
    ),
    declare(
      "isSemver",
      "Whether a text is a version.",
      [
        overload("is_semver_string", [STRING], BOOL, isSemver, { total: true }),
        overload("is_semver_string_bool", [STRING, BOOL], BOOL, isSemver, { total: true }),
      ],
      ["isSemver('v1.0')", "false"],
      ["isSemver('v1.0', true)", "true"],
    ),
    numberOfVersion("major", "1"),
    numberOfVersion("minor", "2"),
    numberOfVersion("patch", "3"),
    ...ordering(SEMVER, "semver", (a: SemverValue, b: SemverValue) => versions.compareSemver(a.version, b.version), [
      "semver('1.0.0-rc.1')",
      "semver('1.0.0')",
    ]),
  ],
};
