/**
 * `npm run clean-clone`: a newcomer's first minutes, timed. Clones what is committed into an empty folder, follows the
 * README's `npm ci` and `npm start`, runs the first command that it prints, and fails when the first answer takes more than
 * 60 seconds.
 */
import path from "node:path";
import { temporaryFolder } from "../test/support/guardian.ts";
import { freePorts } from "../test/support/ports.ts";
import { runToEnd, start, succeed } from "../test/support/processes.ts";

const ROOT = path.join(import.meta.dirname, "..");
const LIMIT_SECONDS = 60;

async function main(): Promise<number> {
  const clone = path.join(temporaryFolder("clean-clone"), "sallyport");
  // a newcomer has this machine's node, not the one that npm puts in front for us
  const own = (process.env["PATH"] ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
  const env = { PATH: own.join(":"), npm_config_audit: "false", npm_config_fund: "false" };
  await succeed("git", ["clone", "--quiet", ROOT, clone]);
  const began = performance.now();
  const seconds = (): string => ((performance.now() - began) / 1000).toFixed(1);
  await succeed("npm", ["ci"], { cwd: clone, env, timeoutMs: 300_000 });
  process.stdout.write(`npm ci: ${seconds()} s\n`);
  const [port = 0, admin = 0] = await freePorts(2);
  const flags = [`--listen=127.0.0.1:${port}`, `--admin=127.0.0.1:${admin}`, `--state=${path.join(clone, ".state")}`];
  const running = start("npm", ["start", "--", ...flags], { cwd: clone, env });
  try {
    const [line] = await running.waitFor(/^\s*curl .*$/mu, 60_000);
    const answer = await runToEnd("sh", ["-c", line], { cwd: clone, timeoutMs: 30_000 });
    process.stdout.write(`first answer: ${seconds()} s\n${line.trim()}\n${answer.stdout.trim()}\n`);
    if (answer.code !== 0 || !answer.stdout.includes('"choices"')) {
      process.stderr.write(`that is no answer\n${answer.stderr}\n${running.tail()}\n`);
      return 1;
    }
    if (Number(seconds()) > LIMIT_SECONDS) {
      process.stderr.write(`the first answer took more than ${LIMIT_SECONDS} s\n`);
      return 1;
    }
    return 0;
  } finally {
    await running.stop("SIGINT");
  }
}

process.exitCode = await main();
