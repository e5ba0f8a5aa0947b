import { describe, expect, test } from "@jest/globals";
import { field, parseRequestHead, parseResponseHead } from "./head.ts";

function request(...lines: string[]): ReturnType<typeof parseRequestHead> {
  return parseRequestHead(`${lines.join("\r\n")}\r\n\r\n`);
}

function codeOf(...lines: string[]): string {
  const parsed = request(...lines);
  return parsed.ok ? "ok" : `${parsed.problem.status} ${parsed.problem.code}`;
}

describe("a request's head", () => {
  test("is read into its parts", () => {
    const parsed = request(
      "POST /v1/chat/completions HTTP/1.1",
      "Host: llama:8443",
      "Content-Length: 12",
      "X-Note: \t a b \t",
    );
    expect(parsed).toEqual({
      ok: true,
      value: {
        method: "POST",
        target: "/v1/chat/completions",
        host: "llama:8443",
        fields: ["host", "llama:8443", "content-length", "12", "x-note", "a b"],
        bodyLength: 12,
        keepAlive: true,
        expectsContinue: false,
      },
    });
  });

  test("closes the connection when it says so", () => {
    const parsed = request("GET /v1/models HTTP/1.1", "Host: a", "Connection: Close");
    expect(parsed.ok && parsed.value.keepAlive).toBe(false);
  });

  test.each([
    ["a method in no characters of a token", "G(T / HTTP/1.1", "400 invalid_request_line"],
    ["no method", " / HTTP/1.1", "400 invalid_request_line"],
    ["two spaces", "GET  / HTTP/1.1", "400 invalid_target"],
    ["a target in absolute form", "GET http://a/ HTTP/1.1", "400 invalid_target"],
    ["a target with a fragment", "GET /a#b HTTP/1.1", "400 invalid_target"],
    ["a target with a control character", "GET /a\u0001 HTTP/1.1", "400 invalid_target"],
    ["a target with a byte over 127", "GET /\u00e4 HTTP/1.1", "400 invalid_target"],
    ["an asterisk", "OPTIONS * HTTP/1.1", "400 invalid_target"],
    ["no version", "GET /", "400 invalid_request_line"],
    ["HTTP/1.0", "GET / HTTP/1.0", "505 version_not_supported"],
    ["HTTP/2.0", "GET / HTTP/2.0", "505 version_not_supported"],
    ["a version in lower case", "GET / http/1.1", "400 invalid_request_line"],
    ["a target over 2,048 bytes", `GET /${"a".repeat(2048)} HTTP/1.1`, "414 target_too_long"],
  ])("is refused with %s", (_what, line, code) => {
    expect(codeOf(line, "Host: a")).toBe(code);
  });

  test.each([
    ["a space before the colon", "X-A : b", "400 invalid_field"],
    ["a folded line", "X-A: b\r\n c", "400 invalid_field"],
    ["an empty name", ": b", "400 invalid_field"],
    ["no colon", "X-A", "400 invalid_field"],
    ["a bare line feed in a value", "X-A: b\nContent-Length: 3", "400 invalid_field"],
    ["a bare carriage return in a value", "X-A: b\rc", "400 invalid_field"],
    ["a NUL in a value", "X-A: b\u0000", "400 invalid_field"],
    ["a byte over 127 in a value", "X-A: \u00e4", "400 invalid_field"],
    ["a second host", "Host: b", "400 repeated_field"],
    ["a host with a path", "Host: b/c", "400 repeated_field"],
    [
      "content-length and transfer-encoding",
      "Content-Length: 3\r\nTransfer-Encoding: chunked",
      "400 conflicting_length",
    ],
    ["two content-lengths", "Content-Length: 3\r\nContent-Length: 3", "400 repeated_field"],
    ["a list of content-lengths", "Content-Length: 3, 3", "400 invalid_length"],
    ["a signed content-length", "Content-Length: +3", "400 invalid_length"],
    ["a negative content-length", "Content-Length: -3", "400 invalid_length"],
    ["a hexadecimal content-length", "Content-Length: 0x3", "400 invalid_length"],
    ["a content-length with a leading zero", "Content-Length: 03", "400 invalid_length"],
    ["an empty content-length", "Content-Length:", "400 invalid_length"],
    ["a content-length beyond counting", "Content-Length: 9999999999999999", "400 invalid_length"],
    ["a coding before chunked", "Transfer-Encoding: gzip, chunked", "501 not_supported"],
    ["an obfuscated coding", "Transfer-Encoding: xchunked", "501 not_supported"],
    ["two transfer-encodings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "400 repeated_field"],
    ["an upgrade", "Upgrade: websocket", "501 not_supported"],
    ["a connection field that names others", "Connection: keep-alive, Content-Length", "501 not_supported"],
    ["a trailer announced", "Trailer: X-A", "501 not_supported"],
    ["another expectation", "Expect: 200-ok", "417 expectation_failed"],
  ])("is refused with %s", (_what, line, code) => {
    expect(codeOf("POST / HTTP/1.1", "Host: a", line)).toBe(code);
  });

  test("is refused without a host, and with more than 100 fields", () => {
    expect(codeOf("GET / HTTP/1.1")).toBe("400 invalid_host");
    expect(codeOf("GET / HTTP/1.1", "Host: a b")).toBe("400 invalid_host");
    expect(codeOf("GET / HTTP/1.1", "Host: a", ...Array.from({ length: 100 }, (_, i) => `x-${i}: b`))).toBe(
      "431 too_many_fields",
    );
  });
});

describe("a response's head", () => {
  test("is read into its parts", () => {
    const parsed = parseResponseHead("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n");
    expect(
      parsed.ok && [
        parsed.value.status,
        parsed.value.bodyLength,
        parsed.value.keepAlive,
        field(parsed.value.fields, "content-type"),
      ],
    ).toEqual([200, "chunked", true, "a/b"]);
  });

  test("without a length lasts until the engine closes", () => {
    const parsed = parseResponseHead("HTTP/1.0 200 OK\r\n\r\n");
    expect(parsed.ok && [parsed.value.bodyLength, parsed.value.keepAlive]).toEqual(["close", false]);
  });

  test.each([
    ["no status", "HTTP/1.1 OK\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"],
    ["a length and a coding", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"],
    ["another protocol", "RTSP/1.0 200 OK\r\n\r\n"],
  ])("is refused with %s", (_what, text) => {
    expect(parseResponseHead(text).ok).toBe(false);
  });
});
