import { Buffer } from "node:buffer";

/** A value by its type and text, as all engines are given it: doubles by their bits, bytes in base64. */
export type Tagged =
  | readonly ["null" | "bool" | "int" | "uint" | "double" | "string" | "bytes" | "timestamp" | "duration", string]
  | readonly ["list", readonly Tagged[]]
  | readonly ["map", readonly (readonly [Tagged, Tagged])[]];

/** The canonical text of values, by which engines are compared. */
export const canonical = {
  null: "null",
  bool: (value: boolean): string => `bool:${value}`,
  int: (value: number | bigint): string => `int:${value}`,
  uint: (value: number | bigint): string => `uint:${value}`,
  double: (value: number): string => (Number.isNaN(value) ? "double:nan" : `double:${doubleBits(value)}`),
  string: (value: string): string =>
    `string:${value.isWellFormed() ? Buffer.from(value, "utf8").toString("hex") : JSON.stringify(value)}`,
  bytes: (value: Uint8Array): string => `bytes:${Buffer.from(value).toString("hex")}`,
  timestamp: (seconds: number | bigint, nanos: number): string => `timestamp:${seconds}.${nanos}`,
  duration: (seconds: number | bigint, nanos: number): string =>
    `duration:${BigInt(seconds) * 1_000_000_000n + BigInt(nanos)}`,
  list: (items: readonly string[]): string => `[${items.join(",")}]`,
  map: (entries: readonly (readonly [string, string])[]): string =>
    `{${entries
      .map(([key, value]) => `${key}=${value}`)
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join(",")}}`,
  type: (name: string): string => `type:${name}`,
  optional: (value: string | undefined): string => (value === undefined ? "optional" : `optional:${value}`),
} as const;

const VIEW = new DataView(new ArrayBuffer(8));

/** A double's 64 bits as 16 hexadecimal digits. */
export function doubleBits(value: number): string {
  VIEW.setFloat64(0, value);
  return VIEW.getBigUint64(0).toString(16).padStart(16, "0");
}

/** The double of 16 hexadecimal digits. */
export function doubleOfBits(bits: string): number {
  VIEW.setBigUint64(0, BigInt(`0x${bits}`));
  return VIEW.getFloat64(0);
}
