/** Real clients of a sidecar: the openai SDK with a client certificate, and bytes over raw TLS. */
import { once } from "node:events";
import tls from "node:tls";
import OpenAI from "openai";
import { Agent } from "undici";
import type { ClientIdentity } from "./sallyport.ts";

/** Who connects: with a certificate, or without one. */
export type Caller = ClientIdentity | { readonly ca: string };

/** The SDK as an application would set it up; without retries unless asked, so that a test sees each answer. */
export function openaiClient(url: string, caller: Caller, options: { readonly retries?: number } = {}): OpenAI {
  const { ca, ...own } = caller;
  const dispatcher = new Agent({
    connect: {
      ca,
      ...own,
      // a sidecar is known by its SPIFFE ID; the chain is still checked against the authority
      checkServerIdentity: () => undefined,
    },
  });
  return new OpenAI({
    baseURL: `${url}/v1`,
    apiKey: "unused",
    maxRetries: options.retries ?? 0,
    timeout: 20_000,
    fetchOptions: { dispatcher },
  });
}

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Opens a TLS connection and waits for the handshake's end. */
export async function connectTls(port: number, caller: Caller): Promise<tls.TLSSocket> {
  const socket = tls.connect({
    host: "127.0.0.1",
    port,
    ...caller,
    minVersion: "TLSv1.3",
    ALPNProtocols: ["http/1.1"],
    checkServerIdentity: () => undefined,
  });
  await once(socket, "secureConnect");
  return socket;
}

/** Sends bytes as they are and reads until the other side closes or falls silent after a whole answer. */
export async function sendRaw(port: number, caller: Caller, bytes: string | Buffer): Promise<RawAnswer> {
  const socket = await connectTls(port, caller);
  socket.write(bytes);
  try {
    return await readAnswer(socket);
  } finally {
    socket.destroy();
  }
}

/** A request with a JSON body, written out. */
export function postJson(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  const fields = Object.entries({
    host: "engine",
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  });
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}

/** A chat request's body. */
export function chat(model: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ model, messages: [{ role: "user", content: "hello" }], ...more });
}

const ANSWER_MS = 15_000;

/** Reads one answer: by its content-length, or to the end of the connection. */
export async function readAnswer(socket: tls.TLSSocket): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  return await new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      settle(() => reject(new Error(`${why} after ${Buffer.concat(chunks).toString("latin1", 0, 400)}`)));
    const timer = setTimeout(() => fail(`no whole answer in ${ANSWER_MS} ms`), ANSWER_MS);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      socket.removeAllListeners("data");
      act();
    };
    const look = (closed: boolean): void => {
      const answer = parse(Buffer.concat(chunks).toString("utf8"), closed);
      if (answer !== undefined) settle(() => resolve(answer));
      else if (closed) fail("the connection closed");
    };
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      look(false);
    });
    socket.once("end", () => look(true));
    socket.once("error", (error) => fail(error.message));
  });
}

function parse(text: string, closed: boolean): RawAnswer | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const body = text.slice(end + 4);
  const answer = { status: Number(first.slice(9, 12)), headers, body };
  const length = headers["content-length"];
  if (length !== undefined) return Buffer.byteLength(body) >= Number(length) ? answer : undefined;
  if (headers["transfer-encoding"] === "chunked" && body.endsWith("0\r\n\r\n")) return answer;
  return closed ? answer : undefined;
}
