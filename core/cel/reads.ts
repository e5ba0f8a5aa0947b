import { children, type TypedNode } from "./typed.ts";

/** The paths of what an expression reads, sorted: through records as far as it selects fields. */
export function readPaths(root: TypedNode): readonly string[] {
  const paths = new Set<string>();
  const visit = (node: TypedNode): void => {
    const path = pathOf(node);
    if (path !== undefined) paths.add(path);
    else for (const child of children(node)) visit(child);
  };
  visit(root);
  return [...paths].sort();
}

/** `request.path` where the node is fields of a variable. */
export function pathOf(node: TypedNode): string | undefined {
  if (node.kind === "variable") return node.name;
  if (node.kind !== "field") return undefined;
  const operand = pathOf(node.operand);
  return operand === undefined ? undefined : `${operand}.${node.name}`;
}
