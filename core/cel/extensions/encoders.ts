import { Buffer } from "node:buffer";
import { chargeText } from "../budget.ts";
import type { Library } from "../declarations.ts";
import { BYTES, STRING } from "../types.ts";
import { celError, type CelError } from "../values.ts";
import { declare, linearCost, overload } from "./declare.ts";

/** Decodes base64 strictly: whole quanta or none of their padding, no other characters, no stray bits. */
function decode(text: string, encoding: "base64" | "base64url"): Uint8Array | CelError {
  chargeText(text.length);
  const alphabet = encoding === "base64" ? /^[A-Za-z0-9+/]*$/ : /^[A-Za-z0-9_-]*$/;
  const digits = text.replace(/={1,2}$/, "");
  const padding = text.length - digits.length;
  const rest = digits.length % 4;
  const padded = padding === 0 || (rest !== 0 && rest + padding === 4);
  if (!alphabet.test(digits) || rest === 1 || !padded) return celError(`invalid ${encoding} text`);
  const bytes = new Uint8Array(Buffer.from(digits, encoding));
  return Buffer.from(bytes).toString(encoding).replace(/=+$/, "") === digits
    ? bytes
    : celError(`invalid ${encoding} text`);
}

function encode(bytes: Uint8Array, encoding: "base64" | "base64url"): string {
  chargeText(bytes.length);
  const text = Buffer.from(bytes).toString(encoding);
  return encoding === "base64" ? text : text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

const grown = linearCost(({ sizes: [bytes] }) => Math.ceil(((bytes?.max ?? 0) * 4) / 3) + 4);

/** The part of cel-go's `encoders` library that is about base64. */
export const ENCODERS: Library = {
  name: "encoders",
  doc: "Base64, in its standard and its URL form.",
  macros: [],
  functions: [
    declare(
      "base64.decode",
      "The bytes that base64 text stands for, with padding or without.",
      [overload("base64_decode_string", [STRING], BYTES, (text: string) => decode(text, "base64"))],
      ["base64.decode('aGVsbG8=')", "b'hello'"],
      ["base64.decode('aGVsbG8')", "b'hello'"],
    ),
    declare(
      "base64.decodeUrl",
      "The bytes that base64url text stands for, with padding or without.",
      [overload("base64_decode_url_string", [STRING], BYTES, (text: string) => decode(text, "base64url"))],
      ["base64.decodeUrl('_-8')", "b'\\xff\\xef'"],
    ),
    declare(
      "base64.encode",
      "The base64 text of bytes, with padding.",
      [
        overload("base64_encode_bytes", [BYTES], STRING, (bytes: Uint8Array) => encode(bytes, "base64"), {
          total: true,
          cost: grown,
        }),
      ],
      ["base64.encode(b'hello')", "'aGVsbG8='"],
    ),
    declare(
      "base64.encodeUrl",
      "The base64url text of bytes, with padding.",
      [
        overload("base64_encode_url_bytes", [BYTES], STRING, (bytes: Uint8Array) => encode(bytes, "base64url"), {
          total: true,
          cost: grown,
        }),
      ],
      ["base64.encodeUrl(b'\\xff\\xef')", "'_-8='"],
    ),
  ],
};
