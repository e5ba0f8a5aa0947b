import type { Constant } from "./program.ts";
import type { TypedNode } from "./typed.ts";

/** Whether an expression has the same value whatever its variables are, and why. Sound, not complete. */
export function provenConstant(node: TypedNode): Constant | undefined {
  if (node.kind === "const") return { value: node.value, reason: "no variable decides it" };
  return undefined;
}
