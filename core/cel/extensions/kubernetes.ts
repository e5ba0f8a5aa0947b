import type { FunctionDeclaration, Library, Overload } from "../declarations.ts";
import * as quantities from "../pure/quantity.ts";
import type { Result } from "../pure/result.ts";
import * as versions from "../pure/semver.ts";
import * as urls from "../pure/url.ts";
import { BOOL, DOUBLE, INT, listOf, mapOf, opaqueOf, STRING, type CelType } from "../types.ts";
import { celError, CelError, normalise, Opaque, type Int, type Key, type Value } from "../values.ts";
import { declare, method, overload } from "./declare.ts";

export class QuantityValue extends Opaque {
  readonly typeName = "kubernetes.Quantity";
  readonly quantity: quantities.Quantity;
  constructor(quantity: quantities.Quantity) {
    super();
    this.quantity = quantity;
  }
  override equals(other: Opaque): boolean {
    return other instanceof QuantityValue && quantities.compareQuantities(this.quantity, other.quantity) === 0;
  }
  override toString(): string {
    return quantities.formatQuantity(this.quantity);
  }
}

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

export class UrlValue extends Opaque {
  readonly typeName = "kubernetes.URL";
  readonly url: urls.Url;
  constructor(url: urls.Url) {
    super();
    this.url = url;
  }
  override equals(other: Opaque): boolean {
    return other instanceof UrlValue && this.toString() === other.toString();
  }
  override toString(): string {
    return urls.formatUrl(this.url);
  }
}

const QUANTITY = opaqueOf("kubernetes.Quantity");
const SEMVER = opaqueOf("kubernetes.Semver");
const URL = opaqueOf("kubernetes.URL");

/** A conversion from text and perhaps flags; with constants only it is done when the expression is compiled. */
function reader(
  id: string,
  params: readonly CelType[],
  result: CelType,
  read: (text: string, flag?: boolean) => Value | CelError,
): Overload {
  return overload(id, params, result, read, {
    specialise: ([text, flag]) => {
      if (typeof text !== "string" || (params.length > 1 && typeof flag !== "boolean")) return undefined;
      const value = read(text, flag === true);
      return value instanceof CelError ? value : () => value;
    },
  });
}

function wrap<T>(result: Result<T>, make: (value: T) => Value): Value | CelError {
  return result.ok ? make(result.value) : celError(result.message);
}

/** isLessThan, isGreaterThan and compareTo for a type. */
function ordering(
  type: CelType,
  prefix: string,
  compare: (a: never, b: never) => number,
  examples: readonly [string, string],
): readonly FunctionDeclaration[] {
  const order = compare as (a: Value, b: Value) => number;
  const [small, large] = examples;
  return [
    declare(
      "isLessThan",
      "Whether it is less than another one.",
      [method(`${prefix}_is_less_than`, [type, type], BOOL, (a: Value, b: Value) => order(a, b) < 0, { total: true })],
      [`${small}.isLessThan(${large})`, "true"],
    ),
    declare(
      "isGreaterThan",
      "Whether it is greater than another one.",
      [
        method(`${prefix}_is_greater_than`, [type, type], BOOL, (a: Value, b: Value) => order(a, b) > 0, {
          total: true,
        }),
      ],
      [`${small}.isGreaterThan(${large})`, "false"],
    ),
    declare(
      "compareTo",
      "-1, 0 or 1 as it is less than, equal to or greater than another one.",
      [method(`${prefix}_compare_to`, [type, type], INT, (a: Value, b: Value) => order(a, b), { total: true })],
      [`${small}.compareTo(${large})`, "-1"],
    ),
  ];
}

/** Addition or subtraction of a quantity and another, or an int. */
function arithmetic(
  name: "add" | "sub",
  doc: string,
  work: typeof quantities.addQuantities,
  example: readonly [string, string],
): FunctionDeclaration {
  return declare(
    name,
    doc,
    [
      method(
        `quantity_${name}`,
        [QUANTITY, QUANTITY],
        QUANTITY,
        (a: QuantityValue, b: QuantityValue) => new QuantityValue(work(a.quantity, b.quantity)),
        { total: true },
      ),
      method(
        `quantity_${name}_int`,
        [QUANTITY, INT],
        QUANTITY,
        (a: QuantityValue, b: Int) => new QuantityValue(work(a.quantity, quantities.quantityOf(b))),
        { total: true },
      ),
    ],
    example,
  );
}

function toQuantity(text: string): Value | CelError {
  return wrap(quantities.parseQuantity(text), (quantity) => new QuantityValue(quantity));
}

function sign(value: QuantityValue): number {
  return quantities.signOf(value.quantity);
}

/** Kubernetes' `quantity` library. */
export const QUANTITIES: Library = {
  name: "quantity",
  doc: "Kubernetes' resource quantities, exact.",
  macros: [],
  types: [QUANTITY],
  functions: [
    declare(
      "quantity",
      "A quantity from text.",
      [reader("string_to_quantity", [STRING], QUANTITY, toQuantity)],
      ["quantity('1.5Gi') == quantity('1536Mi')", "true"],
    ),
    declare(
      "isQuantity",
      "Whether a text is a quantity.",
      [
        overload("is_quantity_string", [STRING], BOOL, (text: string) => quantities.parseQuantity(text).ok, {
          total: true,
        }),
      ],
      ["isQuantity('200K')", "false"],
    ),
    declare(
      "sign",
      "1, 0 or -1 as it is positive, zero or negative.",
      [
        overload("quantity_sign", [QUANTITY], INT, sign, { total: true }),
        method("quantity_sign_method", [QUANTITY], INT, sign, { total: true }),
      ],
      ["quantity('-1').sign()", "-1"],
    ),
    ...ordering(
      QUANTITY,
      "quantity",
      (a: QuantityValue, b: QuantityValue) => quantities.compareQuantities(a.quantity, b.quantity),
      ["quantity('50M')", "quantity('50Mi')"],
    ),
    declare(
      "isInteger",
      "Whether the value is a whole number that fits in an int.",
      [
        method(
          "quantity_is_integer",
          [QUANTITY],
          BOOL,
          (self: QuantityValue) => quantities.integerOf(self.quantity) !== undefined,
          { total: true },
        ),
      ],
      ["quantity('50.5').isInteger()", "false"],
    ),
    declare(
      "asInteger",
      "The value as an int; an error where it is none.",
      [
        method("quantity_get_int", [QUANTITY], INT, (self: QuantityValue) => {
          const value = quantities.integerOf(self.quantity);
          return value === undefined ? celError("cannot convert value to integer", "overflow") : normalise(value);
        }),
      ],
      ["quantity('50k').asInteger()", "50000"],
    ),
    declare(
      "asApproximateFloat",
      "The value as the nearest double.",
      [
        method("quantity_get_float", [QUANTITY], DOUBLE, (self: QuantityValue) => quantities.floatOf(self.quantity), {
          total: true,
        }),
      ],
      ["quantity('1500m').asApproximateFloat()", "1.5"],
    ),
    arithmetic("add", "The sum with another quantity or an int.", quantities.addQuantities, [
      "quantity('50k').add(20) == quantity('50020')",
      "true",
    ]),
    arithmetic("sub", "The difference from another quantity or an int.", quantities.subtractQuantities, [
      "quantity('50k').sub(quantity('20k')) == quantity('30k')",
      "true",
    ]),
  ],
};

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

function part(
  name: string,
  id: string,
  doc: string,
  read: (url: urls.Url) => string,
  example: readonly [string, string],
): FunctionDeclaration {
  return declare(
    name,
    doc,
    [method(id, [URL], STRING, (self: UrlValue) => read(self.url), { total: true })],
    [`url('${example[0]}').${name}()`, `'${example[1]}'`],
  );
}

function query(self: UrlValue): ReadonlyMap<Key, Value> {
  return urls.queryOf(self.url);
}

/** Kubernetes' `url` library. */
export const URLS: Library = {
  name: "url",
  doc: "URLs, absolute ones or absolute paths, as Go's net/url reads them; parts that are missing are empty.",
  macros: [],
  types: [URL],
  functions: [
    declare(
      "url",
      "A URL from text.",
      [reader("string_to_url", [STRING], URL, (text) => wrap(urls.parseUrl(text), (url) => new UrlValue(url)))],
      ["url('https://example.com:80/').getPort()", "'80'"],
    ),
    declare(
      "isURL",
      "Whether a text is a URL.",
      [overload("is_url_string", [STRING], BOOL, (text: string) => urls.parseUrl(text).ok, { total: true })],
      ["isURL('../relative')", "false"],
    ),
    part("getScheme", "url_get_scheme", "The scheme, in lower case.", (url) => url.scheme, [
      "HTTPS://example.com/",
      "https",
    ]),
    part("getHost", "url_get_host", "Host and port; IPv6 addresses in brackets.", (url) => url.host, [
      "https://[::1]:80/",
      "[::1]:80",
    ]),
    part("getHostname", "url_get_hostname", "The host; IPv6 addresses without brackets.", urls.hostnameOf, [
      "https://[::1]:80/",
      "::1",
    ]),
    part("getPort", "url_get_port", "The port's digits.", urls.portOf, ["https://example.com:8443/", "8443"]),
    part("getEscapedPath", "url_get_escaped_path", "The path, percent-encoded.", (url) => url.escapedPath, [
      "https://example.com/a b",
      "/a%20b",
    ]),
    declare(
      "getQuery",
      "The query's parameters, each with all its values, decoded.",
      [method("url_get_query", [URL], mapOf(STRING, listOf(STRING)), query, { total: true })],
      ["url('https://example.com/?k=a&k=b').getQuery()", "{'k': ['a', 'b']}"],
    ),
  ],
};
