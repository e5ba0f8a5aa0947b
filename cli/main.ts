/** The `sallyport` command: finds the subcommand and turns what goes wrong into words and an exit code. */
import { checkCommand } from "./check.ts";
import { codeOf, EXIT, messageOf, StartError, UsageError, type Command } from "./command.ts";
import { standaloneCommand } from "./standalone.ts";
import { versionCommand } from "./version.ts";

/** Loaded when they are asked for: they bring the expression language's libraries. */
const expressions: readonly Command[] = [
  {
    name: "eval",
    summary: "evaluate an expression of the policy language",
    help: "",
    run: async (args) => await (await import("./eval.ts")).evaluate(args),
  },
  {
    name: "check-expr",
    summary: "check an expression: its type, what it reads, its cost",
    help: "",
    run: async (args) => (await import("./eval.ts")).checkExpression(args),
  },
];

const COMMANDS: readonly Command[] = [standaloneCommand, checkCommand, ...expressions, versionCommand];

const HELP = `sallyport: zero trust for LLM inference

usage: sallyport COMMAND [ARGUMENT…]

${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`).join("\n")}
  help        this page, or that of a command: sallyport help check

  sallyport standalone examples/quickstart
  sallyport check policies/

Exit codes: 0 well, 1 what was checked is wrong or denied, 2 wrong usage, 3 could not start, 130 ended by a second Ctrl-C.
`;

async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    process.stderr.write(HELP);
    return EXIT.usage;
  }
  const asked = name === "help" ? rest[0] : undefined;
  if (name === "--help" || name === "-h" || (name === "help" && asked === undefined)) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  if (name === "--version") return await versionCommand.run([]);
  const command = COMMANDS.find((candidate) => candidate.name === (asked ?? name));
  if (command === undefined) throw new UsageError(`there is no command ${JSON.stringify(asked ?? name)}`);
  const wantsHelp = asked !== undefined || rest.includes("--help") || rest.includes("-h");
  if (wantsHelp && command.help !== "") {
    process.stdout.write(command.help);
    return EXIT.ok;
  }
  return await command.run(asked === undefined ? rest : ["--help"]);
}

/** Arguments that node's own parser refuses are wrong usage too. */
function isUsage(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  return codeOf(error)?.startsWith("ERR_PARSE_ARGS_") === true;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`sallyport: ${messageOf(error)}\n`);
  if (isUsage(error)) {
    const [name = ""] = process.argv.slice(2);
    const known = COMMANDS.some((command) => command.name === name);
    process.stderr.write(`Try: sallyport ${known ? `${name} ` : ""}--help\n`);
    process.exitCode = EXIT.usage;
  } else {
    if (!(error instanceof StartError) && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
    process.exitCode = EXIT.couldNotStart;
  }
}
