import { expect, it } from "@jest/globals";
import { humanReport, jsonReport, type Happening } from "./report.ts";

function lines(happening: Happening, color = false): string {
  let text = "";
  humanReport((written) => (text += written), { color })(happening);
  return text;
}

const ACK: Happening = {
  event: "ack",
  sidecar: "a/b",
  version: `sha256:${"0".repeat(64)}`,
  elapsedMs: 12.6,
  reason: "",
};

it("speaks in colour only where it is asked to", () => {
  expect(lines(ACK)).toBe("ACK        a/b took sha256:000000000000 in 13 ms\n");
  expect(lines(ACK, true)).toBe("\u001B[32mACK       \u001B[0m a/b took sha256:000000000000 in 13 ms\n");
});

it("tells of a NACK with its reason, and of a death with what follows", () => {
  expect(lines({ ...ACK, event: "nack", reason: "needs Guards" })).toBe(
    "NACK       a/b refused sha256:000000000000: needs Guards\n",
  );
  expect(lines({ event: "died", sidecar: "a/b", reason: "SIGKILL", restartMs: 250 })).toBe(
    "died       a/b: SIGKILL; starting it again in 250 ms\n",
  );
});

it("turns a sidecar's log into words, and lets other lines through", () => {
  const log = (line: string): string => lines({ event: "log", sidecar: "a/b", line });
  expect(log('{"level":40,"time":1,"instance":"b","reason":"no way","retryMs":5,"msg":"no stream"}')).toBe(
    'a/b | warn no stream reason="no way" retryMs=5\n',
  );
  expect(log("(node:1) Warning: x")).toBe("a/b | (node:1) Warning: x\n");
  expect(log("[1]")).toBe("a/b | [1]\n");
});

it("gives machines the time and the same facts", () => {
  let text = "";
  jsonReport(
    (written) => (text += written),
    () => 5,
  )(ACK);
  expect(JSON.parse(text)).toEqual({ time: 5, ...ACK });
});
