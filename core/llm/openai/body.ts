/**
 * The request's body as it was read, and with the policy's numbers written into it: only the members that change are
 * touched, in the text itself, so that all the rest is forwarded byte for byte.
 */
import type { BodyChanges, RequestBody } from "../exchange.ts";
import { readJsonText, type JsonMember } from "../json.ts";
import { isObject, type JsonObject } from "./check.ts";

const EMPTY = Buffer.alloc(0);

/** The body of a request that has none. */
export const NO_BODY: RequestBody = {
  bytes: EMPTY,
  rewrite(changes) {
    if (Object.keys(changes).length > 0) throw new Error("a request without a body cannot be changed");
    return EMPTY;
  },
};

interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const CEILINGS = ["max_tokens", "max_completion_tokens"] as const;

export class JsonBody implements RequestBody {
  readonly bytes: Buffer;
  readonly #text: string;
  readonly #members: readonly JsonMember[];
  readonly #value: JsonObject;
  readonly #streaming: boolean;

  constructor(bytes: Buffer, text: string, members: readonly JsonMember[], value: JsonObject, streaming: boolean) {
    this.bytes = bytes;
    this.#text = text;
    this.#members = members;
    this.#value = value;
    this.#streaming = streaming;
  }

  /**
   * `maxTokens`: every ceiling that the request names is lowered to it, and `max_tokens` is written in where it is missing,
   * also beside `max_completion_tokens`: Ollama reads `max_tokens` alone, vLLM and llama.cpp read both and prefer the other.
   * A ceiling that is lower already stays. `includeUsage` false changes nothing.
   * @throws RangeError when maxTokens is no positive integer, Error when usage is asked of an answer that is not streamed
   */
  rewrite({ maxTokens, includeUsage }: BodyChanges): Buffer {
    const splices: Splice[] = [];
    if (maxTokens !== undefined) this.#lower(maxTokens, splices);
    if (includeUsage === true) this.#askUsage(splices);
    if (splices.length === 0) return this.bytes;
    splices.sort((a, b) => a.start - b.start);
    let text = "";
    let at = 0;
    for (const { start, end, text: replacement } of splices) {
      text += this.#text.slice(at, start) + replacement;
      at = end;
    }
    return Buffer.from(text + this.#text.slice(at), "utf8");
  }

  #lower(ceiling: number, splices: Splice[]): void {
    if (!Number.isSafeInteger(ceiling) || ceiling < 1)
      throw new RangeError(`a ceiling of ${ceiling} tokens is no positive integer`);
    let lowest = ceiling;
    for (const name of CEILINGS) {
      const named = this.#value[name];
      if (typeof named === "number" && named < lowest) lowest = named;
    }
    for (const name of CEILINGS) {
      const named = this.#value[name];
      if (named === undefined || named === null) {
        if (name === "max_tokens") this.#set(name, String(lowest), splices);
      } else if (named !== lowest) this.#set(name, String(lowest), splices);
    }
  }

  #askUsage(splices: Splice[]): void {
    if (!this.#streaming) throw new Error("usage can be asked for in a stream only");
    const options = this.#value["stream_options"];
    if (!isObject(options)) return this.#set("stream_options", '{"include_usage":true}', splices);
    if (options["include_usage"] === true) return;
    const member = this.#member("stream_options");
    if (member === undefined) throw new Error("stream_options was read and cannot be found again");
    this.#set("stream_options", withUsage(this.#text.slice(member.valueStart, member.valueEnd)), splices);
  }

  /** Replaces a member's value, or writes the member in at the front, behind the opening brace. */
  #set(name: string, json: string, splices: Splice[]): void {
    const member = this.#member(name);
    if (member !== undefined) splices.push({ start: member.valueStart, end: member.valueEnd, text: json });
    else {
      const first = this.#members[0];
      if (first === undefined) throw new Error("an empty body was read as a request");
      splices.push({ start: first.keyStart, end: first.keyStart, text: `"${name}":${json},` });
    }
  }

  #member(name: string): JsonMember | undefined {
    return this.#members.find(({ key }) => key === name);
  }
}

/** The text of an object with its include_usage set to true, its other members as they are. */
function withUsage(text: string): string {
  const reading = readJsonText(text);
  if (typeof reading === "string") throw new Error(`stream_options was read and cannot be read again: ${reading}`);
  const member = reading.members.find(({ key }) => key === "include_usage");
  if (member !== undefined) return `${text.slice(0, member.valueStart)}true${text.slice(member.valueEnd)}`;
  const first = reading.members[0];
  if (first === undefined) return '{"include_usage":true}';
  return `${text.slice(0, first.keyStart)}"include_usage":true,${text.slice(first.keyStart)}`;
}
