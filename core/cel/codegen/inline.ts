import type { FunctionNode } from "../typed.ts";
import { BOOL, DYN, INT } from "../types.ts";
import { TypeValue } from "../values.ts";
import { typeName } from "../type-names.ts";
import { found } from "./access.ts";
import type { Emitter, Js } from "./emitter.ts";

type Inline = (node: FunctionNode, out: Emitter) => Js | undefined;

function argument(node: FunctionNode, index: number, out: Emitter): Js {
  const arg = node.args[index];
  if (arg === undefined) throw new Error(`${node.name} lacks an argument`);
  return out.generate(arg);
}

/** A method of JavaScript's strings; the budget counts only text that is no constant. */
function method(name: "startsWith" | "endsWith"): Inline {
  return (node, out) => {
    const subject = argument(node, 0, out);
    const text = argument(node, 1, out);
    const code =
      node.args[1]?.kind === "const"
        ? `${subject.code}.${name}(${text.code})`
        : `${out.use(name)}(${subject.code},${text.code})`;
    return { code, type: BOOL };
  };
}

function wrap(name: "codePoints" | "mapSize"): Inline {
  return (node, out) => ({ code: `${out.use(name)}(${argument(node, 0, out).code})`, type: INT });
}

const length: Inline = (node, out) => ({ code: `${argument(node, 0, out).code}.length`, type: INT });

/** `a.or(b)` and `a.orValue(b)` of an optional: b is evaluated only where a has no value. */
function alternative(ofValue: boolean): Inline {
  return (node, out) => {
    const target = out.hold(argument(node, 0, out));
    const result = out.temp();
    const value = `${target}.value`;
    out.emit(`${result}=${ofValue ? value : target};if(${value}===undefined){`);
    const other = argument(node, 1, out);
    out.emit(`${result}=${out.box(other)};}`);
    return ofValue ? found(result, node.type, node.start, out) : { code: result, type: node.type };
  };
}

/** Overloads of the standard library that have code of their own; the others are called. */
export const INLINE: ReadonlyMap<string, Inline> = new Map<string, Inline>([
  ["starts_with_string", method("startsWith")],
  ["ends_with_string", method("endsWith")],
  ["size_string", wrap("codePoints")],
  ["string_size", wrap("codePoints")],
  ["size_map", wrap("mapSize")],
  ["map_size", wrap("mapSize")],
  ["size_list", length],
  ["list_size", length],
  ["size_bytes", length],
  ["bytes_size", length],
  ["optional_or_optional", alternative(false)],
  ["optional_or_value", alternative(true)],
  ["to_dyn", (node, out) => ({ code: out.box(argument(node, 0, out)), type: DYN })],
  [
    "type",
    (node, out) => {
      const value = argument(node, 0, out);
      if (value.type.kind === "record") {
        return { code: out.constant(new TypeValue(typeName(value.type))), type: node.type };
      }
      return { code: `${out.use("typeOfValue")}(${out.box(value)})`, type: node.type };
    },
  ],
]);
