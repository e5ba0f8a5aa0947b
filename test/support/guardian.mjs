// Ends what a test left behind. It reads lines on stdin: "+<pid>" and "-<pid>" add and remove a process group,
// "d<folder>" a temporary folder. When stdin ends, its owner has gone, in whatever way; what is still listed then goes too.
import fs from "node:fs";
import readline from "node:readline";

const groups = new Set();
const folders = new Set();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line.startsWith("+")) groups.add(Number(line.slice(1)));
  else if (line.startsWith("-")) groups.delete(Number(line.slice(1)));
  else if (line.startsWith("d")) folders.add(line.slice(1));
}
for (const group of groups) {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // gone already
  }
}
for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
