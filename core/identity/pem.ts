/** PEM (RFC 7468), as far as certificates and keys need it. */
import { Buffer } from "node:buffer";

const MAX_PEM_CHARACTERS = 4_194_304;

/** The DER of each certificate in a text, in order. Text between them is ignored (RFC 7468, section 2). */
export function certificatesFromPem(text: string): readonly Buffer[] {
  if (text.length > MAX_PEM_CHARACTERS)
    throw new Error(`PEM text has more than ${String(MAX_PEM_CHARACTERS)} characters`);
  const begin = "-----BEGIN CERTIFICATE-----";
  const end = "-----END CERTIFICATE-----";
  const found: Buffer[] = [];
  for (let at = text.indexOf(begin); at !== -1; at = text.indexOf(begin, at)) {
    const stop = text.indexOf(end, at);
    if (stop === -1) throw new Error("a PEM certificate has no end");
    const body = text.slice(at + begin.length, stop).replaceAll(/\s+/g, "");
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) throw new Error("a PEM certificate is not in base64");
    found.push(Buffer.from(body, "base64"));
    at = stop + end.length;
  }
  return found;
}

/** Certificates as PEM, each with its line end. */
export function certificatesToPem(certificates: readonly Uint8Array[]): string {
  return certificates.map((der) => toPem("CERTIFICATE", der)).join("");
}

function toPem(label: string, der: Uint8Array): string {
  const body = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  return `-----BEGIN ${label}-----\n${(body.match(/.{1,64}/g) ?? []).join("\n")}\n-----END ${label}-----\n`;
}
