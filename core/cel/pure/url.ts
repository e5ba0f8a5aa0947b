import { Buffer, isUtf8 } from "node:buffer";
import { parseIp } from "./net.ts";
import { failure, success, type Result } from "./result.ts";

/**
 * A URL as Go's net/url reads it, which is what Kubernetes' CEL library gives: nothing is normalised but the
 * scheme's case, nothing is resolved, and a path keeps the escapes it was written with.
 */
export type Url = {
  readonly scheme: string;
  /** What follows the scheme of a URL without slashes (mailto:…). */
  readonly opaque: string;
  /** User name and password, unescaped. */
  readonly user: { readonly name: string; readonly password: string | undefined } | undefined;
  /** Host and port, the host unescaped, IPv6 in brackets. */
  readonly host: string;
  readonly escapedPath: string;
  readonly rawQuery: string;
  /** There is a ? with nothing after it. */
  readonly emptyQuery: boolean;
  /** Unescaped. */
  readonly fragment: string;
  readonly escapedFragment: string;
  /** There is no // between scheme and path. */
  readonly noAuthority: boolean;
};

/** Longest URL read, in UTF-16 units. */
export const MAX_URL = 8192;
/** Most parameters of a query. */
const MAX_PARAMETERS = 1024;

class Refusal extends Error {}

/** Reads an absolute URL or an absolute path. */
export function parseUrl(text: string): Result<Url> {
  if (text.length > MAX_URL) return failure(`invalid URL: longer than ${MAX_URL} characters`);
  try {
    // Bytes, one character each: escapes are of bytes, and may stand for parts of a character.
    const bytes = Buffer.from(text, "utf8").toString("latin1");
    parseParts(bytes, true); // A # is no delimiter to Go's ParseRequestURI, which Kubernetes asks first.
    const hash = bytes.indexOf("#");
    const url = parseParts(hash < 0 ? bytes : bytes.slice(0, hash), false);
    if (hash < 0) return success(url);
    const written = bytes.slice(hash + 1);
    const fragment = unescape(written, "fragment");
    return success({ ...url, fragment: decode(fragment), escapedFragment: escapedForm(written, fragment, "fragment") });
  } catch (error) {
    if (error instanceof Refusal) return failure(`invalid URL ${JSON.stringify(text.slice(0, 128))}: ${error.message}`);
    throw error;
  }
}

function parseParts(bytes: string, viaRequest: boolean): Url {
  if (/[\0-\x1f\x7f]/.test(bytes)) throw new Refusal("control character");
  if (bytes === "" && viaRequest) throw new Refusal("empty");
  const blank: Url = {
    scheme: "",
    opaque: "",
    user: undefined,
    host: "",
    escapedPath: "",
    rawQuery: "",
    emptyQuery: false,
    fragment: "",
    escapedFragment: "",
    noAuthority: false,
  };
  if (bytes === "*") return { ...blank, escapedPath: "*" };
  const { scheme, rest: afterScheme } = cutScheme(bytes);
  const question = afterScheme.indexOf("?");
  const emptyQuery = question >= 0 && question === afterScheme.length - 1;
  const rawQuery = question < 0 ? "" : decode(afterScheme.slice(question + 1));
  let rest = question < 0 ? afterScheme : afterScheme.slice(0, question);
  const url = { ...blank, scheme, rawQuery, emptyQuery };
  if (!rest.startsWith("/")) {
    if (scheme !== "") return { ...url, opaque: decode(rest) };
    if (viaRequest) throw new Refusal("neither absolute nor an absolute path");
    if (rest.split("/", 1)[0]?.includes(":") === true) throw new Refusal("colon in the first path segment");
  }
  let authority: { readonly user: Url["user"]; readonly host: string } = { user: undefined, host: "" };
  const hasAuthority = rest.startsWith("//") && (scheme !== "" || (!viaRequest && !rest.startsWith("///")));
  if (hasAuthority) {
    const slash = rest.indexOf("/", 2);
    authority = parseAuthority(scheme, slash < 0 ? rest.slice(2) : rest.slice(2, slash));
    rest = slash < 0 ? "" : rest.slice(slash);
  }
  const path = unescape(rest, "path");
  return {
    ...url,
    ...authority,
    escapedPath: escapedForm(rest, path, "path"),
    noAuthority: !hasAuthority && scheme !== "",
  };
}

function cutScheme(bytes: string): { readonly scheme: string; readonly rest: string } {
  if (bytes.startsWith(":")) throw new Refusal("no scheme before the colon");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(bytes)?.[1];
  return scheme === undefined
    ? { scheme: "", rest: bytes }
    : { scheme: scheme.toLowerCase(), rest: bytes.slice(scheme.length + 1) };
}

function parseAuthority(scheme: string, authority: string): { readonly user: Url["user"]; readonly host: string } {
  const at = authority.lastIndexOf("@");
  const host = parseHost(scheme, authority.slice(at + 1));
  if (at < 0) return { user: undefined, host };
  const userinfo = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) throw new Refusal("bad user information");
  const colon = userinfo.indexOf(":");
  const name = decode(unescape(colon < 0 ? userinfo : userinfo.slice(0, colon), "user"));
  return {
    user: { name, password: colon < 0 ? undefined : decode(unescape(userinfo.slice(colon + 1), "user")) },
    host,
  };
}

function parseHost(scheme: string, host: string): string {
  const bracket = host.lastIndexOf("[");
  if (bracket > 0) throw new Refusal("bad IP literal");
  if (bracket === 0) return parseIpLiteral(host);
  let colon = host.indexOf(":");
  if (colon >= 0 && scheme !== "http" && scheme !== "https") colon = host.lastIndexOf(":");
  if (colon >= 0) checkPort(host.slice(colon));
  return decodeHost(unescape(host, "host"));
}

/** A host that is no UTF-8 is refused: decoded, it would equal others. */
function decodeHost(bytes: string): string {
  const buffer = Buffer.from(bytes, "latin1");
  if (!isUtf8(buffer)) throw new Refusal("host is not UTF-8");
  return buffer.toString("utf8");
}

function parseIpLiteral(host: string): string {
  const close = host.lastIndexOf("]");
  if (close < 0) throw new Refusal("no ] after an IP literal");
  const port = host.slice(close + 1);
  checkPort(port);
  const inside = host.slice(1, close);
  const zone = inside.indexOf("%25"); // RFC 6874
  const address = unescape(zone < 0 ? inside : inside.slice(0, zone), "host");
  if (!isIpv6(address)) throw new Refusal("bad IP literal");
  const zoneText = zone < 0 ? "" : unescape(inside.slice(zone), "zone");
  if (zone >= 0 && zoneText === "%") throw new Refusal("bad IP literal");
  return decodeHost(`[${address}${zoneText}]${port}`);
}

/** An IPv4-mapped address may stand here, unlike in `ip()`. */
function isIpv6(text: string): boolean {
  const unmapped = text.replace(/^(::|0{1,4}(:0{1,4}){4}:)ffff:/i, "64:ff9b::");
  const ip = parseIp(unmapped);
  return ip.ok && ip.value.family === 6;
}

function checkPort(colonPort: string): void {
  if (!/^(:\d*)?$/.test(colonPort)) throw new Refusal(`bad port ${JSON.stringify(colonPort)}`);
}

type Part = "path" | "host" | "zone" | "user" | "query" | "fragment";

/** What need not be escaped in each part, beside letters, digits and -_.~ (Go's net/url). */
const ALLOWED: Readonly<Record<Part, string>> = {
  path: "$&+,/:;=@",
  host: "!$&'()*+,;=:[]<>\"",
  zone: "!$&'()*+,;=:[]<>\"",
  user: "$&+,;=",
  query: "",
  fragment: "$&+,/:;=?@!()*",
};

function needsEscape(char: string, part: Part): boolean {
  return !/^[A-Za-z0-9\-_.~]$/.test(char) && !ALLOWED[part].includes(char);
}

/** Undoes percent-encoding, byte by byte. */
function unescape(bytes: string, part: Part): string {
  let out = "";
  for (let i = 0; i < bytes.length; i++) {
    const char = bytes.charAt(i);
    if (char === "%") {
      const escape = bytes.slice(i, i + 3);
      if (!/^%[0-9A-Fa-f]{2}$/.test(escape)) throw new Refusal(`bad escape ${JSON.stringify(escape)}`);
      const byte = Number.parseInt(escape.slice(1), 16);
      // RFC 3986, section 3.2.2: in a host only bytes beyond ASCII are escaped; RFC 6874 adds the zone's %25.
      const refused =
        part === "host"
          ? byte < 0x80 && escape !== "%25"
          : part === "zone" && escape !== "%25" && byte !== 0x20 && needsEscape(String.fromCharCode(byte), "host");
      if (refused) throw new Refusal(`escape ${escape} is not allowed in a host`);
      out += String.fromCharCode(byte);
      i += 2;
    } else if (char === "+" && part === "query") out += " ";
    else if ((part === "host" || part === "zone") && char < "\x80" && needsEscape(char, part))
      throw new Refusal(`bad character ${JSON.stringify(char)} in a host`);
    else out += char;
  }
  return out;
}

/** The text as it was written if that is a valid encoding, else encoded anew. */
function escapedForm(written: string, plain: string, part: "path" | "fragment"): string {
  let valid = true;
  for (const char of written) if (!"!$&'()*+,;=:@[]%".includes(char) && needsEscape(char, part)) valid = false;
  return valid ? written : escape(plain, part);
}

function escape(bytes: string, part: Part): string {
  let out = "";
  for (const char of bytes)
    out += needsEscape(char, part) ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}` : char;
  return out;
}

/** Bytes as text; what is no UTF-8 becomes U+FFFD. */
function decode(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** The host without its port; IPv6 without brackets. */
export function hostnameOf(url: Url): string {
  const { host } = splitHost(url.host);
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/** The port's digits, or nothing. */
export function portOf(url: Url): string {
  return splitHost(url.host).port;
}

function splitHost(host: string): { readonly host: string; readonly port: string } {
  const colon = host.lastIndexOf(":");
  if (colon < 0 || !/^:\d*$/.test(host.slice(colon))) return { host, port: "" };
  return { host: host.slice(0, colon), port: host.slice(colon + 1) };
}

/** The query's parameters, in order; those with a bad escape or a semicolon are left out, as in Go. */
export function queryOf(url: Url): ReadonlyMap<string, readonly string[]> {
  const parameters = new Map<string, string[]>();
  const parts = Buffer.from(url.rawQuery, "utf8")
    .toString("latin1")
    .split("&", MAX_PARAMETERS + 1);
  for (const part of parts.slice(0, MAX_PARAMETERS)) {
    if (part === "" || part.includes(";")) continue;
    const equals = part.indexOf("=");
    try {
      const key = decode(unescape(equals < 0 ? part : part.slice(0, equals), "query"));
      const value = equals < 0 ? "" : decode(unescape(part.slice(equals + 1), "query"));
      const values = parameters.get(key);
      if (values === undefined) parameters.set(key, [value]);
      else values.push(value);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return parameters;
}

/** The URL as text; two URLs are equal if these are. */
export function formatUrl(url: Url): string {
  let out = url.scheme === "" ? "" : `${url.scheme}:`;
  if (url.opaque !== "") out += url.opaque;
  else {
    const user =
      url.user === undefined
        ? ""
        : `${escapeText(url.user.name, "user")}${url.user.password === undefined ? "" : `:${escapeText(url.user.password, "user")}`}@`;
    const authority =
      url.host !== "" || url.user !== undefined || (url.scheme !== "" && !url.noAuthority && url.escapedPath !== "");
    if (authority) out += `//${user}${escapeText(url.host, "host")}`;
    out += url.escapedPath;
  }
  if (url.emptyQuery || url.rawQuery !== "") out += `?${url.rawQuery}`;
  return url.fragment === "" ? out : `${out}#${url.escapedFragment}`;
}

function escapeText(text: string, part: Part): string {
  return escape(Buffer.from(text, "utf8").toString("latin1"), part);
}
