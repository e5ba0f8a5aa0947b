/**
 * The messages of a chat: each role and each kind of content part with a closed list of members. vLLM takes a part's kind
 * from whichever member it finds when `type` is missing or a `uuid` is there; closed lists leave it nothing to find.
 */
import type { Feature } from "../exchange.ts";
import { checkMembers, isObject, name, noted, object, oneOf, table, text, type Check, type Table } from "./check.ts";
import { invalid, missing, within, type Fault } from "./fault.ts";
import { bit, type Found } from "./found.ts";
import { functionCall, toolCalls } from "./tools.ts";

const MAX_MESSAGES = 65_536;

const type = text();
const cacheBreakpoint = object({ mode: oneOf("explicit"), ttl: oneOf("30m", "12h") }, ["mode"]);

/** "Images" for data inside the request, "ImageUrls" for what the engine would fetch; any other scheme (file:) is refused. */
export function imageFeature(url: string): Feature | undefined {
  const scheme = url.slice(0, 8).toLowerCase();
  if (scheme.startsWith("data:")) return "Images";
  return scheme.startsWith("http://") || scheme === "https://" ? "ImageUrls" : undefined;
}

const imageUrl: Check = (value, found) => {
  if (typeof value !== "string") return invalid("has to be a string");
  const feature = imageFeature(value);
  if (feature === undefined) return invalid("has to begin with data:, https:// or http://");
  found.features |= bit(feature);
  return undefined;
};

interface PartKind {
  readonly members: Table;
  readonly required: string;
}

function part(required: string, check: Check): PartKind {
  return { members: table({ type, [required]: check, prompt_cache_breakpoint: cacheBreakpoint }), required };
}

const TEXT = part("text", text());
const REFUSAL = part("refusal", text());
const IMAGE = part("image_url", object({ url: imageUrl, detail: oneOf("auto", "low", "high", "original") }, ["url"]));
const AUDIO = part(
  "input_audio",
  noted("Audio", object({ data: text(), format: oneOf("wav", "mp3") }, ["data", "format"])),
);
const FILE = part("file", noted("Files", object({ file_data: text(), file_id: text(256), filename: text(1024) })));

type PartKinds = ReadonlyMap<string, PartKind>;
const TEXT_PARTS: PartKinds = new Map([["text", TEXT]]);
const ASSISTANT_PARTS: PartKinds = new Map([
  ["text", TEXT],
  ["refusal", REFUSAL],
]);
const USER_PARTS: PartKinds = new Map([
  ["text", TEXT],
  ["image_url", IMAGE],
  ["input_audio", AUDIO],
  ["file", FILE],
]);

/** A string or an array of parts of the kinds given. */
function contentOf(kinds: PartKinds): Check {
  const words = `has to be one of ${[...kinds.keys()].join(", ")} in a message of this role`;
  return (value, found) => {
    if (typeof value === "string") return undefined;
    if (!Array.isArray(value)) return invalid("has to be a string or an array of parts");
    for (let i = 0; i < value.length; i++) {
      const fault = checkPart(value[i], kinds, words, found);
      if (fault !== undefined) return within(`[${i}]`, fault);
    }
    return undefined;
  };
}

function checkPart(value: unknown, kinds: PartKinds, words: string, found: Found): Fault | undefined {
  if (!isObject(value)) return invalid("has to be an object");
  const kind = typeof value["type"] === "string" ? kinds.get(value["type"]) : undefined;
  if (kind === undefined) return invalid(words, "type");
  if (value[kind.required] === undefined || value[kind.required] === null) return missing(kind.required);
  return checkMembers(value, kind.members, found);
}

/** What the engine is shown as text that the caller has prepared; also a prediction's content. */
export const textContent: Check = contentOf(TEXT_PARTS);

const role = text();

interface RoleKind {
  readonly members: Table;
  readonly required: readonly string[];
}

const PROMPTING: RoleKind = { members: table({ role, content: textContent, name }), required: ["content"] };
const ROLES: ReadonlyMap<unknown, RoleKind> = new Map<string, RoleKind>([
  ["system", PROMPTING],
  ["developer", PROMPTING],
  ["user", { members: table({ role, content: contentOf(USER_PARTS), name }), required: ["content"] }],
  [
    "assistant",
    {
      members: table({
        role,
        content: contentOf(ASSISTANT_PARTS),
        name,
        refusal: text(),
        audio: noted("Audio", object({ id: text(256) }, ["id"])),
        tool_calls: toolCalls,
        function_call: functionCall,
        // What a reasoning model thought before: vLLM reads both names, llama.cpp and Ollama one each.
        reasoning: text(),
        reasoning_content: text(),
      }),
      required: [],
    },
  ],
  // Ollama takes the tool's name from the message.
  [
    "tool",
    {
      members: table({ role, content: noted("Tools", textContent), tool_call_id: text(256), name }),
      required: ["content", "tool_call_id"],
    },
  ],
  ["function", { members: table({ role, content: text(), name: noted("Tools", name) }), required: ["name"] }],
]);

export const messages: Check = (value, found) => {
  if (!Array.isArray(value)) return invalid("has to be an array");
  if (value.length === 0 || value.length > MAX_MESSAGES) return invalid(`has to have 1 to ${MAX_MESSAGES} messages`);
  for (let i = 0; i < value.length; i++) {
    const fault = checkMessage(value[i], found);
    if (fault !== undefined) return within(`[${i}]`, fault);
  }
  return undefined;
};

function checkMessage(value: unknown, found: Found): Fault | undefined {
  if (!isObject(value)) return invalid("has to be an object");
  const kind = ROLES.get(value["role"]);
  if (kind === undefined) {
    return "role" in value
      ? invalid("has to be one of system, developer, user, assistant, tool, function", "role")
      : missing("role");
  }
  for (const member of kind.required) {
    if (value[member] === undefined || value[member] === null) return missing(member);
  }
  return checkMembers(value, kind.members, found);
}
