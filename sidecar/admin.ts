/** The sidecar's own port for the kubelet and Prometheus: /livez, /readyz, /metrics. No secret and no prompt is on it. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.ts";

// An import would make a namespace of the module, which loads all that it offers, an HTTP client and WebSockets with it: 16 ms
// and some megabytes of a sidecar's start.
const http = process.getBuiltinModule("node:http");

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Why the sidecar is not ready; undefined when it is. */
  readonly notReady: () => string | undefined;
  /** A failure of the server itself, which goes on. */
  readonly onError: (error: Error) => void;
}

export class Admin {
  readonly #server: Server;
  readonly #options: AdminOptions;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#server = http.createServer({ maxHeaderSize: 8192, requestTimeout: 5_000 }, (request, response) =>
      this.#answer(request, response),
    );
    this.#server.maxConnections = 64;
    this.#server.on("error", options.onError);
  }

  /** Resolves with the port. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== "GET") return send(response, 405, "text/plain", "only GET\n");
    switch (request.url ?? "") {
      case "/livez":
        return send(response, 200, "text/plain", "ok\n");
      case "/readyz": {
        const reason = this.#options.notReady();
        return reason === undefined
          ? send(response, 200, "text/plain", "ok\n")
          : send(response, 503, "text/plain", `${reason}\n`);
      }
      case "/metrics":
        this.#options.metrics.text().then(
          (text) => send(response, 200, this.#options.metrics.contentType, text),
          (error: unknown) => send(response, 500, "text/plain", `${String(error)}\n`),
        );
        return;
      default:
        return send(response, 404, "text/plain", "livez, readyz and metrics are here\n");
    }
  }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}
