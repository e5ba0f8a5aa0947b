/** `sallyport check`: resources without a cluster and without running anything. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { formatProblem, readFiles, type Problem } from "../core/api/index.ts";
import { checkPolicy } from "../operator/source/check-policy.ts";
import { listFiles, readAll, type Found, type Listing } from "../operator/source/folder-files.ts";
import { EXIT, messageOf, StartError, UsageError, type Command } from "./command.ts";

const HELP = `usage: sallyport check [--json] DIR|FILE…

Validates resources: their fields, bounds and expressions, and that none is there twice. Folders are read as standalone
reads them: *.yaml, *.yml and *.json, not what is hidden.

  sallyport check examples/quickstart
  sallyport check --json policy.yaml

--json prints one object a line: a problem each, then {"documents", "problems"}.

Exit codes: 0 all is well, 1 something is wrong (file:line:column, field and reason are printed), 2 wrong usage,
3 something could not be read.
`;

export const checkCommand: Command = {
  name: "check",
  summary: "validate resources, offline",
  help: HELP,
  run: check,
};

async function check(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: true,
    options: { json: { type: "boolean", default: false } },
  });
  if (positionals.length === 0) throw new UsageError("check needs a folder or a file");
  const found: Found[] = [];
  const problems: Problem[] = [];
  for (const place of positionals) {
    const listing = await list(place);
    found.push(...listing.files);
    problems.push(...listing.problems);
  }
  const { texts, problems: unread } = await readAll(unique(found));
  const { documents, problems: wrong } = readFiles(texts, { checkPolicy });
  problems.push(...unread, ...wrong);
  const summary = { documents: documents.length, problems: problems.length };
  if (values.json) {
    for (const line of [...problems, summary]) process.stdout.write(`${JSON.stringify(line)}\n`);
  } else {
    for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
    const verdict = problems.length === 0 ? "well" : `${String(problems.length)} wrong`;
    process.stdout.write(`${String(documents.length)} resources in ${String(texts.length)} files: ${verdict}\n`);
  }
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

async function list(place: string): Promise<Pick<Listing, "files" | "problems">> {
  try {
    const found = await stat(place);
    return found.isDirectory() ? await listFiles(place) : { files: [{ file: place, stamp: "" }], problems: [] };
  } catch (error) {
    throw new StartError(`cannot read ${place}: ${messageOf(error)}`);
  }
}

/** A file that was named twice is one file. */
function unique(files: readonly Found[]): readonly Found[] {
  return [...new Map(files.map((found) => [path.resolve(found.file), found])).values()];
}
