import { failure, success, type Result } from "./result.ts";

/**
 * An IP address as four words of 32 bits, the most significant first; an IPv4 address is in the last. Kubernetes'
 * rules hold: no zone, no IPv4-mapped IPv6 address, no leading zeros in IPv4 octets.
 */
export type Ip = { readonly family: 4 | 6; readonly words: readonly [number, number, number, number] };

/** A network: an address, which may have bits after the prefix, and the prefix's length in bits. */
export type Cidr = { readonly ip: Ip; readonly bits: number };

const ZERO = 48;
const NINE = 57;
const DOT = 46;
const COLON = 58;

/** Reads an IP address. */
export function parseIp(text: string): Result<Ip> {
  const invalid = (why: string): Result<Ip> =>
    failure(`invalid IP address ${JSON.stringify(text.slice(0, 64))}: ${why}`);
  if (text.length > 64) return invalid("too long");
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === DOT) {
      const value = parseIpv4(text, 0, text.length);
      return value === undefined
        ? invalid("not four numbers from 0 to 255 without leading zeros")
        : success(ipv4(value));
    }
    if (char === COLON) return parseIpv6(text, invalid);
    if (char === 37) return invalid("zones are not allowed");
  }
  return invalid("neither IPv4 nor IPv6");
}

function ipv4(value: number): Ip {
  return { family: 4, words: [0, 0, 0, value] };
}

/** Reads four octets from part of a text, without making strings; undefined if they are not there. */
function parseIpv4(text: string, from: number, to: number): number | undefined {
  let value = 0;
  let octet = -1;
  let octets = 0;
  for (let i = from; i <= to; i++) {
    const char = i < to ? text.charCodeAt(i) : DOT;
    if (char === DOT) {
      if (octet < 0 || ++octets > 4) return undefined;
      value = value * 256 + octet;
      octet = -1;
    } else if (char >= ZERO && char <= NINE) {
      if (octet === 0) return undefined; // a leading zero
      octet = (octet < 0 ? 0 : octet) * 10 + char - ZERO;
      if (octet > 255) return undefined;
    } else return undefined;
  }
  return octets === 4 ? value : undefined;
}

function parseIpv6(text: string, invalid: (why: string) => Result<Ip>): Result<Ip> {
  if (text.includes("%")) return invalid("zones are not allowed");
  const halves = text.split("::");
  if (halves.length > 2) return invalid("more than one ::");
  const [head, tail] = halves.map((half, i) => groupsOf(half, i === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return invalid("not hexadecimal groups");
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return invalid("wrong number of groups");
  const groups = [...head, ...Array.from({ length: tail === undefined ? 0 : missing }, () => 0), ...(tail ?? [])];
  const word = (i: number): number => (groups[i] ?? 0) * 65_536 + (groups[i + 1] ?? 0);
  const words = [word(0), word(2), word(4), word(6)] as const;
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff)
    return invalid("IPv4-mapped IPv6 addresses are not allowed");
  return success({ family: 6, words });
}

/** The 16-bit groups of one side of an address; the last side may end in an IPv4 address. */
function groupsOf(half: string, last: boolean): readonly number[] | undefined {
  if (half === "") return [];
  const groups: number[] = [];
  const parts = half.split(":");
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && part.includes(".")) {
      const value = parseIpv4(part, 0, part.length);
      if (value === undefined) return undefined;
      groups.push(Math.floor(value / 65_536), value % 65_536);
    } else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** The one canonical form: IPv6 in lower case with its longest run of zero groups shortened (RFC 5952). */
export function formatIp(ip: Ip): string {
  if (ip.family === 4) return [24, 16, 8, 0].map((shift) => (ip.words[3] >>> shift) & 255).join(".");
  const groups = ip.words.flatMap((word) => [Math.floor(word / 65_536), word % 65_536]);
  let [start, run] = [0, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > run) [start, run] = [i, end - i];
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  return run < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + run))}`;
}

/** Whether two addresses are the same; addresses of two families never are. */
export function sameIp(a: Ip, b: Ip): boolean {
  return (
    a.family === b.family &&
    a.words[3] === b.words[3] &&
    a.words[2] === b.words[2] &&
    a.words[1] === b.words[1] &&
    a.words[0] === b.words[0]
  );
}

/** 0.0.0.0 or ::. */
export function isUnspecified(ip: Ip): boolean {
  return ip.words.every((word) => word === 0);
}

/** 127.0.0.0/8 or ::1. */
export function isLoopback(ip: Ip): boolean {
  const [a, b, c, d] = ip.words;
  return ip.family === 4 ? d >>> 24 === 127 : a === 0 && b === 0 && c === 0 && d === 1;
}

/** 224.0.0.0/24, or multicast IPv6 of link-local scope (ffx2::/16). */
export function isLinkLocalMulticast(ip: Ip): boolean {
  return ip.family === 4 ? ip.words[3] >>> 8 === 0xe00000 : (ip.words[0] & 0xff0f0000) >>> 0 === 0xff020000;
}

/** 169.254.0.0/16 or fe80::/10. */
export function isLinkLocalUnicast(ip: Ip): boolean {
  return ip.family === 4 ? ip.words[3] >>> 16 === 0xa9fe : ip.words[0] >>> 22 === 0x3fa;
}

/** 224.0.0.0/4 or ff00::/8. */
function isMulticast(ip: Ip): boolean {
  return ip.family === 4 ? ip.words[3] >>> 28 === 14 : ip.words[0] >>> 24 === 255;
}

/** Any other unicast address; private ones count (Go's netip.Addr.IsGlobalUnicast). */
export function isGlobalUnicast(ip: Ip): boolean {
  if (ip.family === 4 && ip.words[3] === 0xffffffff) return false;
  return !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip);
}

/** Reads an address, a slash and a prefix length. Bits after the prefix are kept. */
export function parseCidr(text: string): Result<Cidr> {
  const invalid = (why: string): Result<Cidr> => failure(`invalid CIDR ${JSON.stringify(text.slice(0, 64))}: ${why}`);
  if (text.length > 72) return invalid("too long");
  const slash = text.lastIndexOf("/");
  if (slash < 0) return invalid("no /");
  const ip = parseIp(text.slice(0, slash));
  if (!ip.ok) return invalid(ip.message);
  const digits = text.slice(slash + 1);
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) : Infinity;
  if (bits > (ip.value.family === 4 ? 32 : 128)) return invalid("bad prefix length");
  return success({ ip: ip.value, bits });
}

/** The address and the prefix length. */
export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr.ip)}/${cidr.bits}`;
}

/** Whether two networks are written the same: bits after the prefix count. */
export function sameCidr(a: Cidr, b: Cidr): boolean {
  return a.bits === b.bits && sameIp(a.ip, b.ip);
}

/** Whether an address of the same family lies in the network. */
export function containsIp(cidr: Cidr, ip: Ip): boolean {
  if (cidr.ip.family !== ip.family) return false;
  let left = cidr.bits + (ip.family === 4 ? 96 : 0);
  for (let i = 0; i < 4 && left > 0; i++, left -= 32) {
    const difference = (cidr.ip.words[i] ?? 0) ^ (ip.words[i] ?? 0);
    if (left >= 32 ? difference !== 0 : difference >>> (32 - left) !== 0) return false;
  }
  return true;
}

/** As `containsIp` of an address read from text; an IPv4 address takes nothing but its digits. */
export function containsIpText(cidr: Cidr, text: string): Result<boolean> {
  const dot = text.indexOf(".");
  if (dot > 0 && dot < 4) {
    const value = parseIpv4(text, 0, text.length);
    if (value !== undefined) {
      if (cidr.ip.family === 6) return NO;
      const left = cidr.bits;
      return left === 0 || (cidr.ip.words[3] ^ value) >>> (32 - left) === 0 ? YES : NO;
    }
  }
  const ip = parseIp(text);
  return ip.ok ? success(containsIp(cidr, ip.value)) : ip;
}

const YES: Result<boolean> = success(true);
const NO: Result<boolean> = success(false);

/** Whether another network lies in the network wholly. */
export function containsCidr(cidr: Cidr, other: Cidr): boolean {
  return cidr.bits <= other.bits && containsIp(cidr, other.ip);
}

/** The network with all bits after its prefix zero. */
export function masked(cidr: Cidr): Cidr {
  const bits = cidr.bits + (cidr.ip.family === 4 ? 96 : 0);
  const keep = (word: number, i: number): number => {
    const left = Math.min(32, Math.max(0, bits - 32 * i));
    return left === 0 ? 0 : (word & (0xffffffff << (32 - left))) >>> 0;
  };
  const [a, b, c, d] = cidr.ip.words;
  return { ip: { family: cidr.ip.family, words: [keep(a, 0), keep(b, 1), keep(c, 2), keep(d, 3)] }, bits: cidr.bits };
}
