import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateAuthority } from "./authority.ts";
import { FolderCaStore } from "./ca-store.ts";

const DAY = 86_400_000;
let base: string;
let folder: string;
let file: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "sallyport-ca-"));
  folder = join(base, "state", "ca");
  file = join(folder, "ca.json");
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

const open = (trustDomain = "example.local", now = Date.now()): Promise<CertificateAuthority> =>
  CertificateAuthority.open({ store: new FolderCaStore(folder), trustDomain, now: () => now, randomBytes });

const mode = (path: string): number => statSync(path).mode & 0o777;

describe("a certificate authority in a folder", () => {
  test("is made once, for nobody else to read, and opened as it was", async () => {
    const first = await open();
    expect([mode(folder), mode(file)]).toEqual([0o700, 0o600]);
    expect(readdirSync(folder)).toEqual(["ca.json"]);
    const second = await open();
    expect(second.rootsPem).toBe(first.rootsPem);
    expect(second.intermediates).toEqual(first.intermediates);
    expect(second.issuer.certificate.isSignedBy(second.roots[0]!)).toBe(true);
  });

  test.each([0o640, 0o604, 0o660, 0o644])("is refused where its file has mode %o", async (loose) => {
    await open();
    chmodSync(file, loose);
    await expect(open()).rejects.toThrow(
      `${file} has mode 0${loose.toString(8)}: it holds private keys, so give it 0600`,
    );
  });

  test("is refused where its folder is open to others, before and after it is made", async () => {
    await open();
    chmodSync(folder, 0o755);
    await expect(open()).rejects.toThrow("has mode 0755");
    rmSync(file);
    await expect(open()).rejects.toThrow("has mode 0755");
  });

  test("is refused through a link", async () => {
    await open();
    const elsewhere = join(base, "elsewhere.json");
    writeFileSync(elsewhere, readFileSync(file), { mode: 0o600 });
    rmSync(file);
    symlinkSync(elsewhere, file);
    await expect(open()).rejects.toThrow("is not a file");
  });

  test("is never replaced by a new one where it cannot be read", async () => {
    const authority = await open();
    const good = readFileSync(file, "utf8");
    for (const [text, message] of [
      ["", "is not JSON"],
      [good.slice(0, -10), "is not JSON"],
      ["{}", "no certificate and key of its root"],
      [good.replace("BEGIN CERTIFICATE", "BEGIN NOTHING"), "is not one certificate"],
      [good.replace("BEGIN PRIVATE KEY", "BEGIN NOTHING"), "cannot be read"],
    ] as const) {
      writeFileSync(file, text);
      await expect(open()).rejects.toThrow(message);
      expect(readFileSync(file, "utf8")).toBe(text);
    }
    writeFileSync(file, good);
    expect((await open()).rootsPem).toBe(authority.rootsPem);
  });

  test("is refused where a key is not its certificate's, or an intermediate not its root's", async () => {
    await open();
    const mine = JSON.parse(readFileSync(file, "utf8")) as Record<string, Record<string, string>>;
    rmSync(file);
    await open();
    const other = JSON.parse(readFileSync(file, "utf8")) as Record<string, Record<string, string>>;
    writeFileSync(file, JSON.stringify({ ...mine, root: { ...mine["root"], key: other["root"]?.["key"] } }));
    await expect(open()).rejects.toThrow("the key of the stored root is not its certificate's");
    writeFileSync(file, JSON.stringify({ ...mine, intermediate: other["intermediate"] }));
    await expect(open()).rejects.toThrow("the stored intermediate is not the stored root's");
  });

  test("is refused for another trust domain, and once its root has ended", async () => {
    await open();
    await expect(open("other.local")).rejects.toThrow("is of spiffe://example.local, not of spiffe://other.local");
    await expect(open("example.local", Date.now() + 3651 * DAY)).rejects.toThrow("the stored root ended at");
  });

  test("has a new intermediate after half of the old one's life, of the same root", async () => {
    const first = await open();
    const early = await open("example.local", Date.now() + 14 * DAY);
    expect(early.intermediates).toEqual(first.intermediates);
    const late = await open("example.local", Date.now() + 16 * DAY);
    expect(late.intermediates).not.toEqual(first.intermediates);
    expect(late.rootsPem).toBe(first.rootsPem);
    expect((await open("example.local", Date.now() + 16 * DAY)).intermediates).toEqual(late.intermediates);
  });
});
