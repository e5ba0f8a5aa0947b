import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Running } from "../../test/support/processes.ts";

const LIMIT_MS = 15_000;

/** Resolves once the port takes connections; fails with what the process printed if it does not. */
export async function untilListening(port: number, running: Running): Promise<void> {
  for (const deadline = Date.now() + LIMIT_MS; Date.now() < deadline && !running.ended; await sleep(5)) {
    if (await accepts(port)) return;
  }
  const text = running.tail();
  await running.stop("SIGKILL");
  throw new Error(`nothing listens on port ${port}\n${text}`);
}

async function accepts(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = net.connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
