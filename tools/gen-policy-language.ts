/**
 * Writes docs/policy-language.md from the declarations of the expression language: `node tools/gen-policy-language.ts`.
 * A test holds the file against what this writes, and evaluates every example in it.
 */
import fs from "node:fs/promises";
import path from "node:path";
import * as prettier from "prettier";
import type { Example, FunctionDeclaration, Library, MacroDeclaration, Overload } from "../core/cel/declarations.ts";
import { formatType, type CelType, type RecordType } from "../core/cel/index.ts";
import { OPERATORS } from "../core/cel/operators.ts";
import { BASE_LIBRARIES } from "../core/cel/standard/libraries.ts";
import { LIBRARIES } from "../core/policy/libraries.ts";
import { PHASES, variablesIn } from "../core/policy/phase.ts";

/** Where the reference is kept. */
export const POLICY_LANGUAGE: string = path.join(import.meta.dirname, "..", "docs", "policy-language.md");

const INTRODUCTION = `# The policy language

<!-- Written by tools/gen-policy-language.ts from the declarations in core/cel and core/policy. Do not edit. -->

Conditions are written in [CEL](https://cel.dev), checked against the variables below when a policy is admitted. What
does not compile is refused with its line and column; what fails when it is evaluated denies.

- **Types** are \`bool\`, \`int\` and \`uint\` (64 bits, overflow is an error), \`double\`, \`string\` (of code points), \`bytes\`,
  \`timestamp\`, \`duration\`, \`list(T)\`, \`map(K, V)\`, \`optional_type(T)\`, \`null_type\`, records with fixed fields, and \`dyn\`:
  a value whose type is known when it is evaluated. Numbers of different types compare by their values.
- **Missing is not null.** \`has(m.k)\` is true for a key whose value is null. Reading what is missing is an error; \`m.?k\`
  gives an optional instead.
- **Errors** are absorbed by \`&&\` and \`||\` where the other side decides: \`false && error\` is false.
- **Limits.** A condition whose estimated cost is too high is refused; one that takes too much work when it is evaluated
  ends with an error. Regular expressions are RE2's: time is linear in the subject, patterns have at most 4,096
  characters, subjects at most 1,048,576 (65,536 for functions that give back parts).
`;

const DIFFERENCES = `## Where this language is stricter

Policies written for Kubernetes or cel-go mean the same here, but for what those leave loose:

- Timestamps: RFC 3339 with at most nine digits of a second; no leap seconds, no days that a month does not have, no
  numbers as text. Zones: IANA names in their own spelling, or offsets up to 14 hours.
- \`indexOf\` and \`lastIndexOf\` from beyond the end of a string are errors, as the specification's tests have it.
- \`quantity\`: a text without digits is refused; \`isInteger\` asks whether the value is whole, however it is written.
- \`semver\`: numbers must fit in an int. \`url\`: hosts must be UTF-8.
- \`regex.replace\` refuses a bad replacement even where nothing matches. \`sort\` refuses NaN.
- \`lists.range\` makes at most 10,000 elements, \`flatten\` 65,536, \`format\` 65,536 characters, any string function
  1,048,576.
- Base64 with stray bits or wrong padding is refused.
`;

const OPERATOR_SYMBOLS: ReadonlyMap<string, string> = new Map([
  ["_?_:_", "a ? b : c"],
  ["!_", "!a"],
  ["-_", "-a"],
  ["_[_]", "a[b]"],
  ["@in", "a in b"],
  ["_[?_]", "a[?b]"],
]);

/** The whole reference, as it stands in the file. */
export async function policyLanguage(): Promise<string> {
  const libraries = [...BASE_LIBRARIES, ...LIBRARIES];
  const parts = [
    INTRODUCTION,
    variables(),
    operators(),
    "## Macros and functions",
    ...libraries.map(librarySection),
    DIFFERENCES,
  ];
  const options = await prettier.resolveConfig(POLICY_LANGUAGE);
  return prettier.format(parts.join("\n\n"), { ...options, parser: "markdown" });
}

function variables(): string {
  const seen = new Set<string>();
  const records = new Map<string, RecordType>();
  const lines = ["## Variables", "What a condition may read, by the phase from which on it is there."];
  for (const phase of PHASES) {
    for (const [name, type] of Object.entries(variablesIn(phase))) {
      if (seen.has(name)) continue;
      seen.add(name);
      lines.push(`### \`${name}\` (from ${phase} on)`, fieldTable(type, records));
    }
  }
  for (const [name, record] of records) lines.push(`### ${name}`, fieldTable(record, records));
  return lines.join("\n\n");
}

function fieldTable(record: RecordType, records: Map<string, RecordType>): string {
  const rows = Object.entries(record.fields).map(([name, field]) => {
    collectRecords(field.type, records);
    const optional = field.optional === true ? " May be missing." : "";
    return `| \`${name}\` | \`${formatType(field.type)}\` | ${escapeCell(`${field.doc ?? ""}${optional}`)} |`;
  });
  return ["| field | type | |", "| --- | --- | --- |", ...rows].join("\n");
}

function collectRecords(type: CelType, records: Map<string, RecordType>): void {
  if (type.kind === "record") records.set(type.name, type);
  else if (type.kind === "list") collectRecords(type.element, records);
  else if (type.kind === "map") collectRecords(type.value, records);
  else if (type.kind === "optional") collectRecords(type.value, records);
}

function operators(): string {
  const rows = [...OPERATORS].map(([name, overloads]) => {
    const symbol = OPERATOR_SYMBOLS.get(name) ?? name.replace("_", "a ").replace("_", " b").trim();
    const results = new Map<string, string[]>();
    for (const { params, result } of overloads) {
      const key = formatType(result);
      results.set(key, [...(results.get(key) ?? []), `(${params.map(formatType).join(", ")})`]);
    }
    const texts = [...results].map(
      ([result, params]) =>
        `${params.length > 6 ? `${params.slice(0, 6).join(", ")}, …` : params.join(", ")} → ${result}`,
    );
    return `| \`${escapeCell(symbol)}\` | ${texts.map((text) => `\`${escapeCell(text)}\``).join("<br>")} |`;
  });
  return ["## Operators", "| operator | operands and result |", "| --- | --- |", ...rows]
    .join("\n")
    .replace("## Operators\n", "## Operators\n\n");
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function librarySection(library: Library): string {
  const entries = [
    ...library.macros.map(macroEntry),
    ...library.functions.filter(({ name }) => !name.startsWith("@")).map(functionEntry),
  ];
  return [`### Library: ${library.name}`, library.doc, ...entries].join("\n\n");
}

function macroEntry(macro: MacroDeclaration): string {
  return entry(macro.name, [macro.signature], macro.doc, macro.examples);
}

function functionEntry(declaration: FunctionDeclaration): string {
  const examples = [...declaration.examples, ...declaration.overloads.flatMap((overload) => overload.examples ?? [])];
  return entry(
    declaration.name,
    declaration.overloads.map((overload) => signature(declaration.name, overload)),
    declaration.doc,
    examples,
  );
}

function signature(name: string, { member, params, result }: Overload): string {
  const [self, ...rest] = params.map(formatType);
  const call =
    member === true ? `${self ?? ""}.${name}(${rest.join(", ")})` : `${name}(${params.map(formatType).join(", ")})`;
  return `${call} → ${formatType(result)}`;
}

function entry(name: string, signatures: readonly string[], doc: string, examples: readonly Example[]): string {
  const lines = [
    `#### \`${name}\``,
    doc.replaceAll("\\", "\\\\").replaceAll("*", "\\*").replaceAll("`\\*`", "`*`"),
    ["```text", ...signatures, "```"].join("\n"),
  ];
  if (examples.length > 0)
    lines.push(
      ["```cel", ...examples.map(({ expression, result }) => `${expression}  // ${result}`), "```"].join("\n"),
    );
  return lines.join("\n\n");
}

if (import.meta.main) await fs.writeFile(POLICY_LANGUAGE, await policyLanguage());
