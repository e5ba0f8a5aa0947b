/** The client in examples/, run as its first lines say, against the quickstart. */
import { expect, test } from "@jest/globals";
import fs from "node:fs";
import path from "node:path";
import { succeed } from "../support/processes.ts";
import { startStandalone } from "../support/sallyport.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");
const QUICKSTART = path.join(ROOT, "examples", "quickstart");

test("the example of the openai SDK gets an answer, a stream, and a denial with the rule's words", async () => {
  const files = Object.fromEntries(
    fs.readdirSync(QUICKSTART).map((file) => [file, fs.readFileSync(path.join(QUICKSTART, file), "utf8")]),
  );
  const running = await startStandalone({ files });
  try {
    const script = path.join(ROOT, "examples", "clients", "openai.mjs");
    const { stdout } = await succeed(process.execPath, [script, running.url, running.state]);
    expect(stdout.trimEnd().split("\n")).toEqual([
      "This engine is scripted. You said: Hello",
      "This engine is scripted. You said: Hello",
      expect.stringMatching(/^PermissionDeniedError: 403 Preview models are not open to applications\./),
    ]);
  } finally {
    await running.stop();
  }
}, 60_000);
