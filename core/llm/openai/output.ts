/** What shapes the answer: response formats and constrained decoding, OpenAI's, vLLM's and llama.cpp's. */
import { anyObject, either, flag, isObject, list, noted, object, text, type Check } from "./check.ts";
import { invalid } from "./fault.ts";

const type = text();
const schemaOrText = either(anyObject(), text(), "an object or a string");

const FORMATS: ReadonlyMap<unknown, Check> = new Map<string, Check>([
  ["text", object({ type })],
  // `schema` is llama.cpp's.
  ["json_object", noted("StructuredOutput", object({ type, schema: anyObject() }))],
  [
    "json_schema",
    noted(
      "StructuredOutput",
      object(
        { type, json_schema: object({ name: text(256), description: text(), schema: anyObject(), strict: flag }) },
        ["json_schema"],
      ),
    ),
  ],
  // vLLM's, in its older and its newer form.
  [
    "structural_tag",
    noted(
      "StructuredOutput",
      object({ type, structures: list(anyObject(), 1024), triggers: list(text(), 1024), format: anyObject() }),
    ),
  ],
]);

export const responseFormat: Check = (value, found) => {
  if (!isObject(value)) return invalid("has to be an object");
  const format = FORMATS.get(value["type"]);
  return format === undefined
    ? invalid("has to be one of text, json_object, json_schema, structural_tag", "type")
    : format(value, found);
};

/** vLLM's StructuredOutputsParams. */
const structuredOutputs: Check = noted(
  "StructuredOutput",
  object({
    json: schemaOrText,
    regex: text(),
    choice: list(text(), 65_536),
    grammar: text(),
    json_object: flag,
    structural_tag: schemaOrText,
    whitespace_pattern: text(),
    disable_fallback: flag,
    disable_any_whitespace: flag,
    disable_additional_properties: flag,
  }),
);

/** Top-level parameters. */
export const CONSTRAINED_OUTPUT: Readonly<Record<string, Check>> = {
  response_format: responseFormat,
  structured_outputs: structuredOutputs,
  guided_json: noted("StructuredOutput", schemaOrText),
  guided_regex: noted("StructuredOutput", text()),
  guided_choice: noted("StructuredOutput", list(text(), 65_536)),
  guided_grammar: noted("StructuredOutput", text()),
  guided_json_object: noted("StructuredOutput", flag),
  guided_whitespace_pattern: noted("StructuredOutput", text()),
  structural_tag: noted("StructuredOutput", text()),
  grammar: noted("StructuredOutput", text()),
  json_schema: noted("StructuredOutput", anyObject()),
};
