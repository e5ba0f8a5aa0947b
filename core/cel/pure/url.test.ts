import { describe, expect, test } from "@jest/globals";
import { formatUrl, hostnameOf, parseUrl, portOf, queryOf, type Url } from "./url.ts";

function url(text: string): Url {
  const result = parseUrl(text);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

describe("the parts are those that Go's net/url gives", () => {
  test.each([
    [
      "https://user:pass@example.com:80/path?query=val#fragment",
      "https",
      "example.com:80",
      "example.com",
      "80",
      "/path",
    ],
    ["/absolute-path", "", "", "", "", "/absolute-path"],
    ["https://[::1]:80/", "https", "[::1]:80", "::1", "80", "/"],
    ["https://[::1]", "https", "[::1]", "::1", "", ""],
    ["https://example.com/path with spaces/", "https", "example.com", "example.com", "", "/path%20with%20spaces/"],
    ["HTTPS://EXAMPLE.com/%2f%2F", "https", "EXAMPLE.com", "EXAMPLE.com", "", "/%2f%2F"],
    ["mailto:a@b", "mailto", "", "", "", ""],
    ["//host/path", "", "host", "host", "", "/path"],
    ["https://example.com/a/../b", "https", "example.com", "example.com", "", "/a/../b"],
    ["https://127.1:8080/x", "https", "127.1:8080", "127.1", "8080", "/x"],
    ["https://h\u00e9.com/\u00e9", "https", "h\u00e9.com", "h\u00e9.com", "", "/%C3%A9"],
    ["https://h%C3%A9.com", "https", "h\u00e9.com", "h\u00e9.com", "", ""],
    ["https://example.com:/", "https", "example.com:", "example.com", "", "/"],
    ["foo://a:b:80/", "foo", "a:b:80", "a:b", "80", "/"],
    ["https://[fe80::1%25en0]/", "https", "[fe80::1%en0]", "fe80::1%en0", "", "/"],
    ["*", "", "", "", "", "*"],
    ["https://example.com\\@evil.com/", "", "", "", "", ""],
  ])("%s", (text, scheme, host, hostname, port, path) => {
    const result = parseUrl(text);
    if (text.includes("\\")) return expect(result.ok).toBe(false);
    const parsed = url(text);
    return expect([parsed.scheme, parsed.host, hostnameOf(parsed), portOf(parsed), parsed.escapedPath]).toEqual([
      scheme,
      host,
      hostname,
      port,
      path,
    ]);
  });

  test.each([
    "",
    "../relative-path",
    "relative",
    "https://a:b:c/",
    "https://a:b/",
    ":a",
    "https://a b/",
    "https://%41/",
    "https://%E9/",
    "https://[::1",
    "https://[1.2.3.4]/",
    "https://x[::1]/",
    "/%zz",
    "/%2",
    "a:b\u0001",
    "https://u<@h/",
    "https://h:80:80/",
    "#f",
    `/${"a".repeat(8192)}`,
  ])("%s is refused", (text) => {
    const result = parseUrl(text);
    expect(result.ok ? "" : result.message).toContain("invalid URL");
  });
});

test("queries are read in order, what cannot be read left out", () => {
  expect([...queryOf(url("https://e.com/?k1=a&k2=b&k2=c&k+3=%C3%A9&=x&y&a;b=1&%zz=1&&z="))]).toEqual([
    ["k1", ["a"]],
    ["k2", ["b", "c"]],
    ["k 3", ["\u00e9"]],
    ["", ["x"]],
    ["y", [""]],
    ["z", [""]],
  ]);
  expect([...queryOf(url("https://e.com/path?"))]).toEqual([]);
  expect([...queryOf(url("/p?__proto__=1&constructor=2"))]).toEqual([
    ["__proto__", ["1"]],
    ["constructor", ["2"]],
  ]);
});

test("a URL is written as it was read, but for the scheme and what needs escaping", () => {
  for (const text of [
    "https://user:pass@example.com:80/path?query=val#fragment",
    "/absolute-path",
    "mailto:a@b",
    "https://e.com?",
    "https://e.com/%2f?a#b%20c",
    "https://:@h",
    "foo:/bar",
    "foo:///bar",
  ])
    expect(formatUrl(url(text))).toBe(text);
  expect(formatUrl(url("HTTPS://e.com/a b#c d"))).toBe("https://e.com/a%20b#c%20d");
});
