import type { FunctionDeclaration, Implementation, Library, Overload } from "../declarations.ts";
import * as net from "../pure/net.ts";
import { BOOL, INT, opaqueOf, STRING, type CelType } from "../types.ts";
import { celError, CelError, Opaque, type Value } from "../values.ts";
import { declare, method, overload } from "./declare.ts";

export class IpValue extends Opaque {
  readonly typeName = "net.IP";
  readonly ip: net.Ip;
  constructor(ip: net.Ip) {
    super();
    this.ip = ip;
  }
  override equals(other: Opaque): boolean {
    return other instanceof IpValue && net.sameIp(this.ip, other.ip);
  }
  override toString(): string {
    return net.formatIp(this.ip);
  }
}

export class CidrValue extends Opaque {
  readonly typeName = "net.CIDR";
  readonly cidr: net.Cidr;
  constructor(cidr: net.Cidr) {
    super();
    this.cidr = cidr;
  }
  override equals(other: Opaque): boolean {
    return other instanceof CidrValue && net.sameCidr(this.cidr, other.cidr);
  }
  override toString(): string {
    return net.formatCidr(this.cidr);
  }
}

const IP = opaqueOf("net.IP");
const CIDR = opaqueOf("net.CIDR");

function toIp(text: string): IpValue | CelError {
  const parsed = net.parseIp(text);
  return parsed.ok ? new IpValue(parsed.value) : celError(parsed.message);
}

function toCidr(text: string): CidrValue | CelError {
  const parsed = net.parseCidr(text);
  return parsed.ok ? new CidrValue(parsed.value) : celError(parsed.message);
}

/** A conversion from text; a constant text is read when the expression is compiled. */
function fromText(read: (text: string) => Value | CelError): Pick<Overload, "call" | "specialise"> {
  return {
    call: read,
    specialise: ([text]) => {
      if (typeof text !== "string") return undefined;
      const value = read(text);
      return value instanceof CelError ? value : () => value;
    },
  };
}

/** For a second argument that is text: read at each call, or once where it is constant. */
function secondFromText<T extends Value>(
  read: (text: string) => T | CelError,
  test: (self: CidrValue, other: T) => boolean,
): { readonly call: Implementation; readonly specialise: NonNullable<Overload["specialise"]> } {
  return {
    call: (self: CidrValue, text: string) => {
      const other = read(text);
      return other instanceof CelError ? other : test(self, other);
    },
    specialise: ([, text]) => {
      if (typeof text !== "string") return undefined;
      const other = read(text);
      return other instanceof CelError ? other : (self: CidrValue) => test(self, other);
    },
  };
}

function kindTest(
  name: string,
  id: string,
  doc: string,
  test: (ip: net.Ip) => boolean,
  example: string,
): FunctionDeclaration {
  return declare(
    name,
    doc,
    [method(id, [IP], BOOL, (self: IpValue) => test(self.ip), { total: true })],
    [`ip('${example}').${name}()`, "true"],
  );
}

const containsIp = (self: CidrValue, other: IpValue): boolean => net.containsIp(self.cidr, other.ip);
/** A constant address is read when the expression is compiled. */
const containsText: Pick<Overload, "call" | "specialise"> = {
  ...secondFromText(toIp, containsIp),
  call: (self: CidrValue, text: string) => {
    const contains = net.containsIpText(self.cidr, text);
    return contains.ok ? contains.value : celError(contains.message);
  },
};
const containsCidr = (self: CidrValue, other: CidrValue): boolean => net.containsCidr(self.cidr, other.cidr);

function textual(
  id: string,
  params: readonly CelType[],
  result: CelType,
  parts: Pick<Overload, "call" | "specialise">,
  make: typeof overload = overload,
): Overload {
  const { call, ...rest } = parts;
  return make(id, params, result, call, rest);
}

/** Kubernetes' `ip` and `cidr` libraries, and cel-go's `network`, which is the same. */
export const NETWORK: Library = {
  name: "network",
  doc: "IP addresses and networks. Zones, IPv4-mapped IPv6 addresses and leading zeros are refused. Addresses of two families are never equal, nor in each other's networks.",
  macros: [],
  types: [IP, CIDR],
  functions: [
    declare(
      "ip",
      "An address from text, or the address of a network.",
      [
        textual("string_to_ip", [STRING], IP, fromText(toIp)),
        method("cidr_ip", [CIDR], IP, (self: CidrValue) => new IpValue(self.cidr.ip), { total: true }),
      ],
      ["ip('2001:DB8::1') == ip('2001:db8:0::1')", "true"],
      ["cidr('192.168.0.1/24').ip() == ip('192.168.0.1')", "true"],
    ),
    declare(
      "isIP",
      "Whether a text is an address.",
      [overload("is_ip", [STRING], BOOL, (text: string) => net.parseIp(text).ok, { total: true })],
      ["isIP('127.0.0.256')", "false"],
    ),
    declare(
      "ip.isCanonical",
      "Whether a text is an address in its canonical form; an error where it is none.",
      [
        overload("ip_is_canonical", [STRING], BOOL, (text: string) => {
          const parsed = net.parseIp(text);
          return parsed.ok ? net.formatIp(parsed.value) === text : celError(parsed.message);
        }),
      ],
      ["ip.isCanonical('2001:DB8::ABCD')", "false"],
    ),
    declare(
      "family",
      "4 or 6.",
      [method("ip_family", [IP], INT, (self: IpValue) => self.ip.family, { total: true })],
      ["ip('::1').family()", "6"],
    ),
    kindTest("isUnspecified", "ip_is_unspecified", "Whether it is 0.0.0.0 or ::.", net.isUnspecified, "::"),
    kindTest("isLoopback", "ip_is_loopback", "Whether it is in 127.0.0.0/8 or is ::1.", net.isLoopback, "127.0.0.1"),
    kindTest(
      "isLinkLocalMulticast",
      "ip_is_link_local_multicast",
      "Whether it is in 224.0.0.0/24 or link-local multicast IPv6.",
      net.isLinkLocalMulticast,
      "224.0.0.1",
    ),
    kindTest(
      "isLinkLocalUnicast",
      "ip_is_link_local_unicast",
      "Whether it is in 169.254.0.0/16 or fe80::/10.",
      net.isLinkLocalUnicast,
      "169.254.169.254",
    ),
    kindTest(
      "isGlobalUnicast",
      "ip_is_global_unicast",
      "Whether it is any other unicast address, a private one included.",
      net.isGlobalUnicast,
      "192.168.0.1",
    ),
    declare(
      "cidr",
      "A network from text. Bits after the prefix are kept; `masked` clears them.",
      [textual("string_to_cidr", [STRING], CIDR, fromText(toCidr))],
      ["cidr('10.0.0.0/8').prefixLength()", "8"],
    ),
    declare(
      "isCIDR",
      "Whether a text is a network.",
      [overload("is_cidr", [STRING], BOOL, (text: string) => net.parseCidr(text).ok, { total: true })],
      ["isCIDR('192.168.0.0/33')", "false"],
    ),
    declare(
      "containsIP",
      "Whether an address, or the address that a text is, lies in the network.",
      [
        method("cidr_contains_ip_ip", [CIDR, IP], BOOL, containsIp, { total: true }),
        textual("cidr_contains_ip_string", [CIDR, STRING], BOOL, containsText, method),
      ],
      ["cidr('192.168.0.0/24').containsIP('192.168.0.1')", "true"],
      ["cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))", "false"],
    ),
    declare(
      "containsCIDR",
      "Whether another network, or the network that a text is, lies wholly in this one.",
      [
        method("cidr_contains_cidr", [CIDR, CIDR], BOOL, containsCidr, { total: true }),
        textual("cidr_contains_cidr_string", [CIDR, STRING], BOOL, secondFromText(toCidr, containsCidr), method),
      ],
      ["cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24')", "true"],
    ),
    declare(
      "prefixLength",
      "The length of the prefix in bits.",
      [method("cidr_prefix_length", [CIDR], INT, (self: CidrValue) => self.cidr.bits, { total: true })],
      ["cidr('::1/128').prefixLength()", "128"],
    ),
    declare(
      "masked",
      "The network with all bits after its prefix zero.",
      [method("cidr_masked", [CIDR], CIDR, (self: CidrValue) => new CidrValue(net.masked(self.cidr)), { total: true })],
      ["cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24')", "true"],
    ),
    declare(
      "isMask",
      "Whether all bits after the prefix are zero.",
      [
        method("cidr_is_mask", [CIDR], BOOL, (self: CidrValue) => net.sameCidr(self.cidr, net.masked(self.cidr)), {
          total: true,
        }),
      ],
      ["cidr('192.168.1.5/24').isMask()", "false"],
    ),
    declare(
      "string",
      "The canonical text of an address or a network.",
      [
        overload("ip_to_string", [IP], STRING, (value: IpValue) => value.toString(), { total: true }),
        overload("cidr_to_string", [CIDR], STRING, (value: CidrValue) => value.toString(), { total: true }),
      ],
      ["string(ip('2001:DB8::1'))", "'2001:db8::1'"],
    ),
  ],
};
