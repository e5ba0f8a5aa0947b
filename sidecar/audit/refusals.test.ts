import { expect, test } from "@jest/globals";
import type { DeniedRecord } from "../../core/audit/record.ts";
import { Refusals } from "./refusals.ts";

function denied(peer: string, code: string): DeniedRecord {
  return {
    kind: "Denied", id: "req_1", time: 0, peer, address: "10.0.0.1", method: "GET", path: "/", operation: "", model: "",
    policy: "", rule: "", snapshot: "", status: 403, code, reason: "",
  }; // prettier-ignore
}

test("equal refusals are written in full up to a number, then counted until the second is over", () => {
  const refusals = new Refusals();
  const admitted = Array.from({ length: 50 }, () => refusals.admit(denied("a", "x"))).filter(Boolean).length;
  expect(admitted).toBe(20);
  expect(refusals.admit(denied("b", "x"))).toBe(true);
  expect(refusals.admit(denied("a", "y"))).toBe(true);
  expect(refusals.turn(5)).toEqual([{ kind: "Repeated", time: 5, caller: "a", code: "x", count: 30 }]);
  expect(refusals.turn(6)).toEqual([]);
  expect(refusals.admit(denied("a", "x"))).toBe(true);
});

test("a caller without an identity is known by its address", () => {
  const refusals = new Refusals();
  for (let i = 0; i < 30; i++) refusals.admit(denied("", "identity_missing"));
  expect(refusals.turn(0)).toEqual([
    { kind: "Repeated", time: 0, caller: "10.0.0.1", code: "identity_missing", count: 10 },
  ]);
});

test("kinds beyond a number are counted together, so that many callers are no way round it", () => {
  const refusals = new Refusals();
  let admitted = 0;
  for (let i = 0; i < 5000; i++) if (refusals.admit(denied(`peer-${i}`, "x"))) admitted++;
  expect(admitted).toBe(1020);
  expect(refusals.turn(0)).toEqual([{ kind: "Repeated", time: 0, caller: "", code: "x", count: 3980 }]);
});
