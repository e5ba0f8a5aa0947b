/** Errors as OpenAI's API words them; its SDKs make the type from the status, and show the message. */

const TYPES: ReadonlyMap<number, string> = new Map([
  [401, "authentication_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [409, "conflict_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
]);

function typeOf(status: number): string {
  return TYPES.get(status) ?? (status >= 500 ? "server_error" : "invalid_request_error");
}

/** The body of an answer with the status. An absent or empty `param` becomes null. */
export function errorBody(status: number, code: string, message: string, param = ""): string {
  return JSON.stringify({ error: { message, type: typeOf(status), param: param === "" ? null : param, code } });
}

/**
 * A server-sent event that the SDKs raise as an error, for a stream that has begun: a clean end would pass for success. It
 * has to stand at an event's boundary.
 */
export function errorEvent(status: number, code: string, message: string, param = ""): Buffer {
  return Buffer.from(`data: ${errorBody(status, code, message, param)}\n\n`, "utf8");
}
