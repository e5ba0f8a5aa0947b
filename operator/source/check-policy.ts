import type { CheckPolicy } from "../../core/api/index.ts";
import { compilePolicy } from "../../core/policy/rules.ts";

/** Checks a policy's expressions by compiling them just as the sidecar will. */
export const checkPolicy: CheckPolicy = ({ variables, rules }) =>
  compilePolicy({
    tier: "Team",
    namespace: "",
    name: "checked",
    mode: "Enforce",
    denials: { detail: "Code" },
    variables,
    rules,
  }).problems;
