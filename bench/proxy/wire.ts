/** What goes over the wire in this bench: the same bytes for every proxy, so that every answer can be checked. */

export const MODEL = "bench-model";
export const CHAT_PATH = "/v1/chat/completions";
const REQUEST_BYTES = 1024;
const ANSWER_BYTES = 1024;

/** A chat request of 1 KB. */
export function chatBody(stream: boolean): string {
  const body = (content: string): string =>
    JSON.stringify({ model: MODEL, max_tokens: 64, stream, messages: [{ role: "user", content }] });
  return body("x".repeat(REQUEST_BYTES - body("").length));
}

/** The upstream's fixed answer of 1 KB. */
export const ANSWER: string = fixedAnswer();

function fixedAnswer(): string {
  const answer = (content: string): string =>
    JSON.stringify({
      id: "chatcmpl-bench",
      object: "chat.completion",
      created: 1,
      model: MODEL,
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      usage: { prompt_tokens: 200, completion_tokens: 64, total_tokens: 264 },
    });
  return answer("y".repeat(ANSWER_BYTES - answer("").length));
}

/** A request's bytes; `host` is the authority that it names. */
export function requestBytes(host: string, path: string, body: string): Buffer {
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

/** One streamed token, stamped with its number and the time of sending in microseconds of the machine's monotonic clock. */
export function tokenEvent(number: number, micros: number): string {
  const content = `#${number}@${micros};`;
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  return `data: ${JSON.stringify({ id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1, model: MODEL, choices })}\n\n`;
}

export const LAST_EVENTS: string = `data: ${JSON.stringify({ id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1, model: MODEL, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`;

/** Microseconds of the clock that all processes of a machine share. */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
