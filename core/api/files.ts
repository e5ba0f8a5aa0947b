import { readDocuments, type Located, type ReadOptions } from "./documents.ts";
import type { Problem } from "./problem.ts";
import type { Known } from "./types.ts";

export interface FileText {
  /** As it is shown to people. */
  readonly file: string;
  readonly text: string;
}

/** Reads several files as one set: a resource may be there once. */
export function readFiles(
  files: readonly FileText[],
  options: ReadOptions = {},
): { readonly documents: readonly Located<Known>[]; readonly problems: readonly Problem[] } {
  const documents: Located<Known>[] = [];
  const problems: Problem[] = [];
  const seen = new Map<string, Located<Known>>();
  for (const { file, text } of files) {
    const read = readDocuments(text, file, options);
    problems.push(...read.problems);
    for (const document of read.documents) {
      const key = resourceKey(document.resource);
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, document);
        documents.push(document);
        continue;
      }
      const { file: other, line } = first.position;
      const message = `${key} is already at ${other}:${String(line)}`;
      const at = document.locate("metadata.name");
      problems.push({ ...at, path: "metadata.name", code: "duplicate_resource", message, excerpt: "" });
    }
  }
  return { documents, problems };
}

/** What names a resource among all: `LlmPolicy inference/llama-chat`. */
export function resourceKey({ kind, metadata: { name, namespace } }: Pick<Known, "kind" | "metadata">): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}
