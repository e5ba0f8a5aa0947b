/** Token counts as an engine reports them. */
import type { Usage } from "../exchange.ts";
import { isObject } from "./check.ts";

export const NO_USAGE: Usage = { promptTokens: 0, completionTokens: 0 };

/** From a `usage` member; undefined when it is none. What is no count is 0. */
export function usageOf(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  return { promptTokens: count(value["prompt_tokens"]), completionTokens: count(value["completion_tokens"]) };
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
