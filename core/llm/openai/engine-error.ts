/** An engine's own refusal, of which a caller is told the words and nothing else. */
import { isUtf8 } from "node:buffer";
import { isObject } from "./check.ts";

export interface EngineError {
  readonly message: string;
  readonly type: string;
  readonly code: string;
  readonly param: string;
}

const MAX_BYTES = 64 * 1024;
const MAX_TEXT = 1_000;

/**
 * Reads the body of an answer of 4xx: OpenAI's and llama.cpp's `{"error": {…}}`, and vLLM's `{"object": "error", …}`.
 * Undefined for everything else; never throws.
 */
export function readError(bytes: Buffer): EngineError | undefined {
  if (bytes.length > MAX_BYTES || !isUtf8(bytes)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const error = isObject(value["error"]) ? value["error"] : value["object"] === "error" ? value : undefined;
  const message = error === undefined ? "" : text(error["message"]);
  if (error === undefined || message === "") return undefined;
  const code = error["code"];
  return {
    message,
    type: text(error["type"]),
    code: typeof code === "string" ? word(code) : "",
    param: text(error["param"]),
  };
}

/** Without control characters, and not without end. */
function text(value: unknown): string {
  return typeof value === "string"
    ? value
        .replaceAll(/\p{C}+/gu, " ")
        .slice(0, MAX_TEXT)
        .toWellFormed()
    : "";
}

/** A code is a word, or none. */
function word(value: string): string {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(value) ? value : "";
}
