import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Chain, lineHash, verifyChain, type AuditRecord, type BeginRecord } from "./record.ts";

const BEGIN: BeginRecord = {
  kind: "Begin",
  id: "req_1",
  time: Date.UTC(2026, 10, 21, 9, 0, 0, 5),
  peer: "spiffe://example.com/ns/apps/sa/chat",
  address: "10.0.0.1",
  method: "POST",
  path: "/v1/chat/completions",
  operation: "Chat",
  model: "llama",
  policy: "inference/llama-chat",
  rule: "frontend-chats",
  snapshot: "sha256:00",
  streaming: true,
  features: ["Streaming"],
  requestBytes: 10,
};

function lines(records: readonly AuditRecord[]): string[] {
  const chain = new Chain();
  return records.map((record) => chain.append(record).slice(0, -1));
}

describe("a record", () => {
  test("is one line of JSON with its time in UTC", () => {
    const [line] = lines([BEGIN]);
    expect(JSON.parse(line!)).toEqual({ ...BEGIN, seq: 1, prev: "", time: "2026-11-21T09:00:00.005Z" });
  });

  test("survives any text in its fields", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const [line] = lines([{ ...BEGIN, path: text, model: text }]);
        expect(line).not.toContain("\n");
        expect(JSON.parse(line!).path).toBe(text);
      }),
    );
  });
});

describe("a chain", () => {
  const records: AuditRecord[] = [
    { kind: "Open", time: 0, workload: "w", lost: 0 },
    BEGIN,
    {
      kind: "End",
      id: "req_1",
      time: 1,
      outcome: "Completed",
      status: 200,
      code: "",
      promptTokens: 1,
      completionTokens: 2,
      answerBytes: 3,
      milliseconds: 4,
    },
  ];

  test("verifies as it was written", () => {
    const written = lines(records);
    expect(verifyChain(written, "")).toEqual({ records: 3, head: lineHash(written[2]!) });
  });

  test("shows a line that was changed, taken out, put in or moved", () => {
    const [open, begin, end] = lines(records) as [string, string, string];
    expect(() => verifyChain([open, begin.replace("llama", "other"), end], "")).toThrow("line 3 does not follow");
    expect(() => verifyChain([open, end], "")).toThrow("line 2 does not follow");
    expect(() => verifyChain([open, begin, begin, end], "")).toThrow("line 3 does not follow");
    expect(() => verifyChain([begin, open, end], "")).toThrow("line 1 does not follow");
    expect(() => verifyChain([open, "{}"], "")).toThrow("line 2 is not an audit record");
  });
});
