/**
 * Heads of HTTP/1.1 messages, strictly: the unambiguous subset of RFC 9112 that every honest client speaks, and an error
 * for all else. Two parsers that could disagree about a head never both see it.
 */
import { all, FIELD_VALUE, TARGET, TOKEN } from "./bytes.ts";

export const MAX_HEADERS = 100;
export const MAX_TARGET_LENGTH = 2048;

export interface HttpProblem {
  readonly status: 400 | 408 | 411 | 413 | 414 | 417 | 431 | 501 | 503 | 505;
  /** Machine-readable, stable. */
  readonly code: string;
  readonly message: string;
}

/** How long the body is: in bytes, or told by its own chunks. */
export type BodyLength = number | "chunked";

export interface RequestHead {
  readonly method: string;
  /** Origin-form, as it came. */
  readonly target: string;
  readonly host: string;
  /** Name, value, name, value …: names in lower case, values trimmed, in the order they came. */
  readonly fields: readonly string[];
  readonly bodyLength: BodyLength;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
}

export interface ResponseHead {
  readonly status: number;
  readonly fields: readonly string[];
  /** "close": until the engine closes. */
  readonly bodyLength: BodyLength | "close";
  readonly keepAlive: boolean;
}

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: HttpProblem };

/** Fields that may stand in a request once only: two of them would be two stories. */
const SINGLE = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "content-type",
  "content-encoding",
  "authorization",
  "expect",
  "connection",
  "origin",
  "user-agent",
  "x-request-id",
  "traceparent",
]);
/** Fields that ask for what this proxy does not do. */
const REFUSED = new Set(["upgrade", "http2-settings", "trailer", "proxy-connection", "keep-alive"]);

/** The value of a field, or "" when it is not there. */
export function field(fields: readonly string[], name: string): string {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1] as string;
  return "";
}

/** Reads a request's head: the text up to and including the empty line, each byte one code unit. */
export function parseRequestHead(text: string): Parsed<RequestHead> {
  const end = text.indexOf("\r\n");
  const methodEnd = text.indexOf(" ");
  if (methodEnd <= 0 || methodEnd > 16 || !all(text, 0, methodEnd, TOKEN))
    return bad("invalid_request_line", "the method is malformed");
  const targetEnd = text.indexOf(" ", methodEnd + 1);
  if (targetEnd < 0 || targetEnd > end) return bad("invalid_request_line", "the request line has no version");
  if (targetEnd - methodEnd - 1 > MAX_TARGET_LENGTH)
    return problem(414, "target_too_long", "the request target is over 2,048 bytes");
  if (text.charCodeAt(methodEnd + 1) !== 0x2f || !all(text, methodEnd + 1, targetEnd, TARGET)) {
    return bad("invalid_target", "the request target must be a path (origin-form) in visible ascii");
  }
  const version = text.slice(targetEnd + 1, end);
  if (version !== "HTTP/1.1") {
    return /^HTTP\/\d\.\d$/.test(version)
      ? problem(505, "version_not_supported", "only HTTP/1.1 is spoken here")
      : bad("invalid_request_line", "the version is malformed");
  }
  const fields = parseFields(text, end + 2);
  if (typeof fields === "string") return fields === "too_many" ? TOO_MANY : bad("invalid_field", fields);
  return requestHead(text.slice(0, methodEnd), text.slice(methodEnd + 1, targetEnd), fields);
}

function requestHead(method: string, target: string, fields: readonly string[]): Parsed<RequestHead> {
  let host: string | undefined;
  let contentLength: string | undefined;
  let transferEncoding: string | undefined;
  let connection: string | undefined;
  let expect: string | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (SINGLE.has(name) && repeated(fields, i, name))
      return bad("repeated_field", `the field ${name} is there more than once`);
    switch (name) {
      case "host":
        host = fields[i + 1];
        break;
      case "content-length":
        contentLength = fields[i + 1];
        break;
      case "transfer-encoding":
        transferEncoding = fields[i + 1];
        break;
      case "connection":
        connection = fields[i + 1];
        break;
      case "expect":
        expect = fields[i + 1];
        break;
      default:
        if (REFUSED.has(name)) return problem(501, "not_supported", `the field ${name} asks for what is not done here`);
    }
  }
  if (host === undefined || !/^[A-Za-z0-9._\-[\]:]{1,255}$/.test(host))
    return bad("invalid_host", "a request needs one well-formed host");
  const keepAlive = connection === undefined ? true : connectionKeepsAlive(connection);
  if (keepAlive === undefined)
    return problem(501, "not_supported", "connection may say keep-alive or close, nothing else");
  if (expect !== undefined && expect.toLowerCase() !== "100-continue")
    return problem(417, "expectation_failed", "only 100-continue can be expected");
  const bodyLength = bodyLengthOf(contentLength, transferEncoding);
  if (typeof bodyLength === "object") return { ok: false, problem: bodyLength };
  return {
    ok: true,
    value: {
      method,
      target,
      host,
      fields,
      bodyLength: bodyLength ?? 0,
      keepAlive,
      expectsContinue: expect !== undefined && bodyLength !== undefined,
    },
  };
}

/** Reads a response's head. The engine is trusted no further than a client: what is ambiguous is an error. */
export function parseResponseHead(text: string): Parsed<ResponseHead> {
  const end = text.indexOf("\r\n");
  const line = text.slice(0, end);
  // The reason phrase may be empty, and some servers leave out the space before it.
  const match = /^HTTP\/1\.([01]) (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
  if (match === null) return bad("invalid_status_line", "the status line is malformed");
  const status = Number(match[2]);
  const fields = parseFields(text, end + 2);
  if (typeof fields === "string") return bad("invalid_field", fields);
  let keepAlive = match[1] === "1";
  let contentLength: string | undefined;
  let transferEncoding: string | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (name === "content-length") {
      if (contentLength !== undefined) return bad("repeated_field", "two content-lengths");
      contentLength = value;
    } else if (name === "transfer-encoding") {
      if (transferEncoding !== undefined) return bad("repeated_field", "two transfer-encodings");
      transferEncoding = value;
    } else if (name === "connection") {
      const lower = value.toLowerCase();
      if (lower.includes("close")) keepAlive = false;
      else if (lower.includes("keep-alive")) keepAlive = true;
    }
  }
  if (status < 200 || status === 204 || status === 304)
    return { ok: true, value: { status, fields, bodyLength: 0, keepAlive } };
  const bodyLength = bodyLengthOf(contentLength, transferEncoding);
  if (typeof bodyLength === "object") return { ok: false, problem: bodyLength };
  if (bodyLength === undefined) return { ok: true, value: { status, fields, bodyLength: "close", keepAlive: false } };
  return { ok: true, value: { status, fields, bodyLength, keepAlive } };
}

/** Field lines from `at` to the empty line: [name, value, …], "too_many", or what is wrong. */
function parseFields(text: string, at: number): string[] | string {
  const fields: string[] = [];
  for (;;) {
    const end = text.indexOf("\r\n", at);
    if (end < 0) return "the head does not end";
    if (end === at) return end + 2 === text.length ? fields : "bytes after the head";
    if (fields.length === 2 * MAX_HEADERS) return "too_many";
    const colon = text.indexOf(":", at);
    if (colon < 0 || colon > end) return "a field line has no colon";
    if (colon === at || !all(text, at, colon, TOKEN)) return "a field name is malformed";
    let start = colon + 1;
    let stop = end;
    while (start < stop && isBlank(text.charCodeAt(start))) start++;
    while (stop > start && isBlank(text.charCodeAt(stop - 1))) stop--;
    if (!all(text, start, stop, FIELD_VALUE)) return "a field value has a control or non-ascii character";
    fields.push(text.slice(at, colon).toLowerCase(), text.slice(start, stop));
    at = end + 2;
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function repeated(fields: readonly string[], after: number, name: string): boolean {
  for (let i = after + 2; i < fields.length; i += 2) if (fields[i] === name) return true;
  return false;
}

/** Whether the connection stays open, or undefined when the field names anything but keep-alive and close. */
function connectionKeepsAlive(value: string): boolean | undefined {
  const lower = value.toLowerCase();
  if (lower === "keep-alive") return true;
  return lower === "close" ? false : undefined;
}

/** RFC 9112 section 6: one length, told one way. undefined: no body. */
function bodyLengthOf(
  contentLength: string | undefined,
  transferEncoding: string | undefined,
): BodyLength | undefined | HttpProblem {
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined)
      return of(400, "conflicting_length", "content-length and transfer-encoding are both there");
    if (transferEncoding.toLowerCase() !== "chunked")
      return of(501, "not_supported", "the only transfer-encoding is chunked");
    return "chunked";
  }
  if (contentLength === undefined) return undefined;
  if (!/^(?:0|[1-9]\d{0,14})$/.test(contentLength))
    return of(400, "invalid_length", "content-length is not a plain number");
  return Number(contentLength);
}

function of(status: HttpProblem["status"], code: string, message: string): HttpProblem {
  return { status, code, message };
}

function problem(
  status: HttpProblem["status"],
  code: string,
  message: string,
): { readonly ok: false; readonly problem: HttpProblem } {
  return { ok: false, problem: of(status, code, message) };
}

function bad(code: string, message: string): { readonly ok: false; readonly problem: HttpProblem } {
  return problem(400, code, message);
}

const TOO_MANY = problem(431, "too_many_fields", "more than 100 header fields");
