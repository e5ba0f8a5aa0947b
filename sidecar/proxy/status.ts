/** Status lines, made once. */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  411: "Length Required",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};
const LINES: string[] = [];
for (const [status, reason] of Object.entries(REASONS)) LINES[Number(status)] = `HTTP/1.1 ${status} ${reason}\r\n`;

/** The HTTP/1.1 status line, CRLF included. */
export function statusLine(status: number): string {
  return LINES[status] ?? `HTTP/1.1 ${status} \r\n`;
}
