/** `sallyport check`: resources without a cluster and without running anything. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { formatProblem, readFiles, resourceKey, type Known, type Located, type Problem } from "../core/api/index.ts";
import { indexWorld, ruleFindings, worldOf } from "../core/snapshot/index.ts";
import { selectionFindings, type WorldFinding } from "../operator/reconcile/selection-findings.ts";
import { checkPolicy } from "../operator/source/check-policy.ts";
import { listFiles, readAll, type Found, type Listing } from "../operator/source/folder-files.ts";
import { EXIT, messageOf, StartError, UsageError, type Command } from "./command.ts";

const HELP = `usage: sallyport check [--json] DIR|FILE…

Validates resources: their fields, bounds and expressions, and that none is there twice. Folders are read as standalone
reads them: *.yaml, *.yml and *.json in them and in their subfolders, not what is hidden. Symbolic links are followed
within the folder; one that leads out or nowhere is wrong, since what it stands for would be left out.

  sallyport check examples/quickstart
  sallyport check --json policy.yaml

Named too, without making it fail: rules that can never apply, conditions that say nothing, names of identities that
are not there (where the same set has an LlmIdentity), and selectors that select no Pod (where the same set has a Pod).

--json prints one object a line: a problem or a finding each, then {"documents", "problems", "findings"}.

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
  const findings = findingsIn(documents);
  const summary = { documents: documents.length, problems: problems.length, findings: findings.length };
  if (values.json) {
    for (const line of [...problems, ...findings, summary]) process.stdout.write(`${JSON.stringify(line)}\n`);
  } else {
    for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
    for (const { file, line, column, path: field, code, message } of findings) {
      process.stderr.write(`${file}:${String(line)}:${String(column)}: ${field}: ${code}: ${message}\n`);
    }
    const verdict = problems.length === 0 ? "well" : `${String(problems.length)} wrong`;
    const found = findings.length === 0 ? "" : `, ${counted(findings.length, "finding")}`;
    const read = `${counted(documents.length, "resource")} in ${counted(texts.length, "file")}`;
    process.stdout.write(`${read}: ${verdict}${found}\n`);
  }
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? "" : "s"}`;
}

interface LocatedFinding extends WorldFinding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What the resources say of each other, where it stands. The installation's trust domain is not known here. */
function findingsIn(documents: readonly Located<Known>[]): readonly LocatedFinding[] {
  const byKey = new Map(documents.map((document) => [resourceKey(document.resource), document]));
  const world = worldOf(documents.map(({ resource }) => resource));
  const index = indexWorld(world, { trustDomain: "check.invalid", roots: [] });
  // A set without identities is one of several: those that it names are elsewhere, as other trust domains' bundles may be.
  const between = index.findings.filter(
    ({ code, path: field }) =>
      code !== "UnresolvedReference" || (world.identities.length > 0 && field.endsWith(".identity")),
  );
  return [...between, ...ruleFindings(index), ...selectionFindings(world, index)].map((finding) => {
    const { kind, namespace, name, path: field } = finding;
    const key = resourceKey({ kind, metadata: namespace === "" ? { name } : { name, namespace } });
    const { file = "", line = 1, column = 1 } = byKey.get(key)?.locate(field) ?? {};
    return { ...finding, file, line, column };
  });
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
