import type { FunctionDeclaration, Library } from "../declarations.ts";
import * as urls from "../pure/url.ts";
import { BOOL, listOf, mapOf, opaqueOf, STRING } from "../types.ts";
import { Opaque, type Key, type Value } from "../values.ts";
import { declare, method, overload } from "./declare.ts";
import { reader, wrap } from "./readers.ts";

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

const URL = opaqueOf("kubernetes.URL");

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
