import path from "node:path";
import { freePort } from "../../test/support/ports.ts";
import { start } from "../../test/support/processes.ts";
import type { Upstream } from "./target.ts";

/** Tokens of a stream, and the pace: a stream lasts two seconds. */
export const TOKENS = 100;
const EVERY_MS = 20;

export async function startTokenUpstream(): Promise<Upstream & { stop(): Promise<void> }> {
  const port = await freePort();
  const script = path.join(import.meta.dirname, "upstream-server.ts");
  const args = ["--disable-warning=ExperimentalWarning", script, String(port), String(TOKENS), String(EVERY_MS)];
  const running = start(process.execPath, args);
  await running.waitFor(/listening/u);
  return { port, stop: async () => void (await running.stop()) };
}
