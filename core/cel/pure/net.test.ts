import { describe, expect, test } from "@jest/globals";
import * as n from "./net.ts";

function ip(text: string): n.Ip {
  const result = n.parseIp(text);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

function cidr(text: string): n.Cidr {
  const result = n.parseCidr(text);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

describe("addresses", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8::ABCD", "2001:db8::abcd"],
    ["2001:db8::0:0:0:abcd", "2001:db8::abcd"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:0:2:3:0:0:4", "1::2:3:0:0:4"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ])("%s is written %s", (text, canonical) => {
    expect(n.formatIp(ip(text))).toBe(canonical);
    expect(n.sameIp(ip(canonical), ip(text))).toBe(true);
  });

  test.each([
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1..3.4",
    ".1.2.3",
    "1.2.3.",
    "1.2.3.a",
    "+1.2.3.4",
    "1.2.3.4/8",
    "0x7f.0.0.1",
    ":::1",
    "1::2::3",
    "::ffff:1.2.3.4",
    "::ffff:102:304",
    "0:0:0:0:0:ffff:1:1",
    "fe80::1%eth0",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "::g",
    "::1.2.3.4.5",
    "1.2.3.4::",
    "::1:",
    ":1::",
    "1".repeat(100),
    "１.2.3.4",
    "[::1]",
    "127.1",
    "2130706433",
  ])("%s is none", (text) => {
    const result = n.parseIp(text);
    expect(result.ok ? "" : result.message).toContain("invalid IP address");
  });

  test.each([
    ["0.0.0.0", "isUnspecified"],
    ["::", "isUnspecified"],
    ["127.0.0.1", "isLoopback"],
    ["127.255.0.1", "isLoopback"],
    ["::1", "isLoopback"],
    ["224.0.0.1", "isLinkLocalMulticast"],
    ["ff02::1", "isLinkLocalMulticast"],
    ["ff12::1", "isLinkLocalMulticast"],
    ["169.254.169.254", "isLinkLocalUnicast"],
    ["fe80::1", "isLinkLocalUnicast"],
    ["febf::1", "isLinkLocalUnicast"],
    ["192.168.0.1", "isGlobalUnicast"],
    ["2001:db8::abcd", "isGlobalUnicast"],
    ["fd80::1", "isGlobalUnicast"],
    ["255.255.255.255", ""],
    ["224.0.1.1", ""],
    ["ff00::1", ""],
  ])("%s is %s and nothing else", (text, kind) => {
    const kinds = {
      isUnspecified: n.isUnspecified,
      isLoopback: n.isLoopback,
      isLinkLocalMulticast: n.isLinkLocalMulticast,
      isLinkLocalUnicast: n.isLinkLocalUnicast,
      isGlobalUnicast: n.isGlobalUnicast,
    };
    for (const [name, holds] of Object.entries(kinds)) expect([name, holds(ip(text))]).toEqual([name, name === kind]);
  });

  test("addresses of two families are never the same", () => {
    expect(n.sameIp(ip("0.0.0.1"), ip("::1"))).toBe(false);
  });
});

describe("networks", () => {
  test("contain addresses of their family", () => {
    expect(n.containsIp(cidr("192.168.0.0/24"), ip("192.168.0.1"))).toBe(true);
    expect(n.containsIp(cidr("192.168.0.0/24"), ip("192.168.1.1"))).toBe(false);
    expect(n.containsIp(cidr("192.168.0.99/24"), ip("192.168.0.1"))).toBe(true);
    expect(n.containsIp(cidr("0.0.0.0/0"), ip("255.1.2.3"))).toBe(true);
    expect(n.containsIp(cidr("0.0.0.0/0"), ip("::1"))).toBe(false);
    expect(n.containsIp(cidr("::/0"), ip("1.2.3.4"))).toBe(false);
    expect(n.containsIp(cidr("10.1.2.3/32"), ip("10.1.2.3"))).toBe(true);
    expect(n.containsIp(cidr("10.1.2.3/32"), ip("10.1.2.2"))).toBe(false);
    expect(n.containsIp(cidr("128.0.0.0/1"), ip("200.0.0.1"))).toBe(true);
    expect(n.containsIp(cidr("2001:db8::/33"), ip("2001:db8:7fff::1"))).toBe(true);
    expect(n.containsIp(cidr("2001:db8::/33"), ip("2001:db8:8000::1"))).toBe(false);
    expect(n.containsIp(cidr("fe80::/64"), ip("fe80::1:2:3:4"))).toBe(true);
    expect(n.containsIp(cidr("fe80::/128"), ip("fe80::1"))).toBe(false);
  });

  test("contain the address that a text is, as they contain the address", () => {
    const addresses = [
      "0.0.0.0",
      "10.1.2.3",
      "10.1.2.4",
      "127.255.255.255",
      "128.0.0.0",
      "255.255.255.255",
      "::",
      "::1",
      "2001:db8::1",
      "64:ff9b::10.1.2.3",
    ];
    const prefixes = [
      "0.0.0.0/0",
      "128.0.0.0/1",
      "10.0.0.0/8",
      "10.1.2.3/31",
      "10.1.2.3/32",
      "::/0",
      "::/96",
      "2001:db8::/33",
      "::1/128",
    ];
    for (const prefix of prefixes) {
      for (const address of addresses) {
        expect([prefix, address, n.containsIpText(cidr(prefix), address)]).toEqual([
          prefix,
          address,
          { ok: true, value: n.containsIp(cidr(prefix), ip(address)) },
        ]);
      }
    }
    for (const bad of ["", "1.2.3", "1.2.3.256", "01.2.3.4", "::ffff:1.2.3.4", "1.2.3.4.5", ".1.2.3"])
      expect(n.containsIpText(cidr("0.0.0.0/0"), bad).ok).toBe(false);
  });

  test("contain networks that are not wider", () => {
    expect(n.containsCidr(cidr("192.168.0.0/16"), cidr("192.168.10.0/24"))).toBe(true);
    expect(n.containsCidr(cidr("192.168.1.0/24"), cidr("192.168.2.0/24"))).toBe(false);
    expect(n.containsCidr(cidr("192.168.0.0/24"), cidr("192.168.0.0/16"))).toBe(false);
    expect(n.containsCidr(cidr("192.168.0.0/16"), cidr("192.168.0.0/16"))).toBe(true);
  });

  test("lose the bits after the prefix when masked", () => {
    expect(n.formatCidr(n.masked(cidr("192.168.0.1/24")))).toBe("192.168.0.0/24");
    expect(n.formatCidr(n.masked(cidr("255.255.255.255/1")))).toBe("128.0.0.0/1");
    expect(n.formatCidr(n.masked(cidr("1.2.3.4/0")))).toBe("0.0.0.0/0");
    expect(n.formatCidr(n.masked(cidr("ffff:ffff:ffff::1/33")))).toBe("ffff:ffff:8000::/33");
    expect(n.formatCidr(n.masked(cidr("::1/128")))).toBe("::1/128");
    expect(n.sameCidr(cidr("192.168.0.1/24"), n.masked(cidr("192.168.0.1/24")))).toBe(false);
    expect(n.sameCidr(cidr("192.168.0.0/24"), n.masked(cidr("192.168.0.0/24")))).toBe(true);
  });

  test.each([
    "",
    "1.2.3.4",
    "1.2.3.4/",
    "1.2.3.4/33",
    "::1/129",
    "1.2.3.4/08",
    "1.2.3.4/+8",
    "1.2.3.4/-1",
    "1.2.3.4/8/8",
    "/8",
    "1.2.3/8",
    "::ffff:1.2.3.4/96",
    "fe80::1%eth0/64",
    "1.2.3.4/1e1",
    "1.2.3.4/ 8",
  ])("%s is none", (text) => {
    const result = n.parseCidr(text);
    expect(result.ok ? "" : result.message).toContain("invalid CIDR");
  });
});
