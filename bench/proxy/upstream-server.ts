/**
 * The engine's stand-in, as a process of its own: `upstream-server.ts PORT TOKENS EVERY_MS`. A plain request gets the fixed
 * answer, one with `"stream":true` so many tokens at that pace.
 */
import net from "node:net";
import { ANSWER, LAST_EVENTS, monotonicMicros, tokenEvent } from "./wire.ts";

const [port = 0, tokens = 0, everyMs = 20] = process.argv.slice(2).map(Number);
const PLAIN = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${ANSWER.length}\r\n\r\n${ANSWER}`,
);
const STREAM_HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function stream(socket: net.Socket): void {
  socket.write(STREAM_HEAD);
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < tokens) socket.write(chunk(tokenEvent(sent++, monotonicMicros())));
    else {
      clearInterval(timer);
      socket.write(`${chunk(LAST_EVENTS)}0\r\n\r\n`);
    }
  }, everyMs);
  socket.once("close", () => clearInterval(timer));
}

/** Requests are all of one shape here: a head with a content-length (or one chunk), and the body. */
const server = net.createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => {});
  let held = "";
  socket.on("data", (bytes: Buffer) => {
    held += bytes.toString("latin1");
    for (;;) {
      const headEnd = held.indexOf("\r\n\r\n");
      if (headEnd < 0) return;
      const length = /\r\ncontent-length: *(\d+)/iu.exec(held.slice(0, headEnd));
      const end = length === null ? held.indexOf("\r\n0\r\n\r\n", headEnd) + 7 : headEnd + 4 + Number(length[1]);
      if (end < headEnd || held.length < end) return;
      const streaming = held.slice(headEnd, end).includes('"stream":true');
      held = held.slice(end);
      if (streaming) stream(socket);
      else socket.write(PLAIN);
    }
  });
});
server.listen(port, "127.0.0.1", () => process.stdout.write("listening\n"));
