import { describe, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { OneTimeTokens } from "./one-time-tokens.ts";

const KEY = Buffer.from("one key");
const OTHER = Buffer.from("another key");
const subject = { namespace: "inference", serviceAccount: "engine", instance: "engine-0" };

describe("a one-time token", () => {
  let time = 0;
  const make = (): OneTimeTokens => {
    time = 1_000_000;
    return new OneTimeTokens({ trustDomain: "example.local", now: () => time, randomBytes });
  };

  test("says who holds it, to one key", async () => {
    const tokens = make();
    const token = tokens.create(subject);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await tokens.attest(token, KEY)).toEqual({ ok: true, subject });
    expect(await tokens.attest(token, OTHER)).toMatchObject({ ok: false });
  });

  test("answers the same key again for a minute, in case its answer was lost", async () => {
    const tokens = make();
    const token = tokens.create(subject);
    await tokens.attest(token, KEY);
    time += 59_000;
    expect(await tokens.attest(token, KEY)).toMatchObject({ ok: true });
    time += 2_000;
    expect(await tokens.attest(token, KEY)).toMatchObject({ ok: false });
  });

  test("waits for ten minutes", async () => {
    const tokens = make();
    const [early, late] = [tokens.create(subject), tokens.create(subject)];
    time += 599_000;
    expect(await tokens.attest(early, KEY)).toMatchObject({ ok: true });
    time += 2_000;
    expect(await tokens.attest(late, KEY)).toEqual({ ok: false, message: "the token has expired" });
  });

  test("is not guessed, cut, or sent by the megabyte", async () => {
    const tokens = make();
    const token = tokens.create(subject);
    for (const wrong of ["", token.slice(1), `${token}x`, token.toLowerCase(), "x".repeat(1_000_000)]) {
      expect(await tokens.attest(wrong, KEY)).toMatchObject({ ok: false });
    }
    expect(await tokens.attest(token, KEY)).toMatchObject({ ok: true });
  });

  test("counts no more once its workload is revoked", async () => {
    const tokens = make();
    const token = tokens.create(subject);
    const other = tokens.create({ ...subject, serviceAccount: "other" });
    tokens.revoke(subject);
    expect(await tokens.attest(token, KEY)).toMatchObject({ ok: false });
    expect(await tokens.attest(other, KEY)).toMatchObject({ ok: true });
  });
});
