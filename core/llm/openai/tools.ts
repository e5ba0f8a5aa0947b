/** Tools in a request: definitions, choices, and the calls in the history (OpenAI's chat completions). */
import { anyObject, flag, isObject, list, name, noted, notedWhen, object, oneOf, text, type Check } from "./check.ts";
import { invalid, type Fault } from "./fault.ts";
import type { Found } from "./found.ts";

const MAX_TOOLS = 1024;

/** Dispatches on `type`, so that the members of one kind cannot stand in another. */
function byType(kinds: Readonly<Record<string, Check>>): Check {
  const checks = new Map(Object.entries(kinds));
  const words = Object.keys(kinds).join(", ");
  return (value, found): Fault | undefined => {
    if (!isObject(value)) return invalid("has to be an object");
    const check = typeof value["type"] === "string" ? checks.get(value["type"]) : undefined;
    return check === undefined ? invalid(`has to be one of ${words}`, "type") : check(value, found);
  };
}

const type = text();

const definition = {
  name,
  description: text(),
  parameters: anyObject(),
  strict: flag,
};

const grammar = noted(
  "StructuredOutput",
  object({ definition: text(), syntax: oneOf("lark", "regex") }, ["definition", "syntax"]),
);

export const tools: Check = notedWhen(
  "Tools",
  (value) => Array.isArray(value) && value.length > 0,
  list(
    byType({
      function: object({ type, function: object(definition, ["name"]) }, ["function"]),
      custom: object(
        {
          type,
          custom: object(
            {
              name,
              description: text(),
              format: byType({ text: object({ type }), grammar: object({ type, grammar }, ["grammar"]) }),
            },
            ["name"],
          ),
        },
        ["custom"],
      ),
    }),
    MAX_TOOLS,
  ),
);

const functionName = object({ name }, ["name"]);
const namedTool = {
  function: object({ type, function: functionName }, ["function"]),
  custom: object({ type, custom: functionName }, ["custom"]),
};
const choiceObject = byType({
  ...namedTool,
  allowed_tools: object(
    {
      type,
      allowed_tools: object({ mode: oneOf("auto", "required"), tools: list(byType(namedTool), MAX_TOOLS) }, [
        "mode",
        "tools",
      ]),
    },
    ["allowed_tools"],
  ),
});
const choiceWord = oneOf("none", "auto", "required");

export const toolChoice: Check = noted("Tools", (value: unknown, found: Found) =>
  typeof value === "string" ? choiceWord(value, found) : choiceObject(value, found),
);

/** The form before tools, still read by the engines. */
export const functions: Check = noted(
  "Tools",
  list(object({ name, description: text(), parameters: anyObject() }, ["name"]), MAX_TOOLS),
);

const functionWord = oneOf("none", "auto");
export const functionChoice: Check = noted("Tools", (value: unknown, found: Found) =>
  typeof value === "string" ? functionWord(value, found) : functionName(value, found),
);

const calledFunction = object({ name, arguments: text() }, ["name", "arguments"]);
const call = byType({
  function: object({ id: text(256), type, function: calledFunction }, ["function"]),
  custom: object({ id: text(256), type, custom: object({ name, input: text() }, ["name", "input"]) }, ["custom"]),
});

/** An assistant message's calls. */
export const toolCalls: Check = notedWhen(
  "Tools",
  (value) => Array.isArray(value) && value.length > 0,
  list(call, MAX_TOOLS),
);
export const functionCall: Check = noted("Tools", calledFunction);
