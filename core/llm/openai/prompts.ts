/** What completions and embeddings are asked of: texts, or token numbers, which no guard can read. */
import { isObject, type Check } from "./check.ts";
import { invalid, within, type Fault } from "./fault.ts";
import { bit, type Found } from "./found.ts";

const MAX_PROMPTS = 2048;
const MAX_TOKEN = 2 ** 31 - 1;
const TOKEN_ARRAYS = bit("TokenArrays");
const MULTIPLE_CHOICES = bit("MultipleChoices");

/** A string, an array of strings, an array of token numbers, or an array of those; never mixed, as llama.cpp would take it. */
export const input: Check = (value, found) => {
  if (typeof value === "string") return undefined;
  if (!Array.isArray(value))
    return invalid(
      isObject(value) ? "has to be text or token numbers, not an object" : "has to be a string or an array",
    );
  if (value.length === 0) return invalid("must not be empty");
  if (typeof value[0] === "number") return tokenNumbers(value, found);
  if (value.length > MAX_PROMPTS) return invalid(`has to have at most ${MAX_PROMPTS} elements`);
  return typeof value[0] === "string" ? strings(value) : tokenArrays(value, found);
};

/** As `input`; each of several prompts is answered. */
export const prompt: Check = (value, found) => {
  const fault = input(value, found);
  if (fault === undefined && promptCount(value) > 1) found.features |= MULTIPLE_CHOICES;
  return fault;
};

/** How many prompts a value that `input` let through holds. */
export function promptCount(value: unknown): number {
  return Array.isArray(value) && typeof value[0] !== "number" ? value.length : 1;
}

function strings(value: readonly unknown[]): Fault | undefined {
  for (let i = 0; i < value.length; i++) {
    if (typeof value[i] !== "string") return invalid("has to be a string like the elements before it", `[${i}]`);
  }
  return undefined;
}

function tokenArrays(value: readonly unknown[], found: Found): Fault | undefined {
  for (let i = 0; i < value.length; i++) {
    const element = value[i];
    if (!Array.isArray(element)) return invalid("has to be an array of token numbers", `[${i}]`);
    const fault = tokenNumbers(element, found);
    if (fault !== undefined) return within(`[${i}]`, fault);
  }
  return undefined;
}

function tokenNumbers(value: readonly unknown[], found: Found): Fault | undefined {
  found.features |= TOKEN_ARRAYS;
  found.promptTokens += value.length;
  for (let i = 0; i < value.length; i++) {
    const token = value[i];
    if (!Number.isSafeInteger(token) || (token as number) < 0 || (token as number) > MAX_TOKEN) {
      return invalid("has to be a token number", `[${i}]`);
    }
  }
  return undefined;
}
