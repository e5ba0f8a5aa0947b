import { qualifiedName, type Node } from "./ast.ts";
import { parse } from "./parser.ts";
import {
  BOOL, BYTES, DOUBLE, DURATION, DYN, INT, listOf, mapOf, NULL, optionalOf, STRING, TIMESTAMP, typeOf, UINT,
  type CelType,
} from "./types.ts"; // prettier-ignore

const NAMES: Readonly<Record<string, CelType>> = {
  bool: BOOL, int: INT, uint: UINT, double: DOUBLE, string: STRING, bytes: BYTES, null: NULL, null_type: NULL, dyn: DYN,
  timestamp: TIMESTAMP, "google.protobuf.Timestamp": TIMESTAMP, duration: DURATION, "google.protobuf.Duration": DURATION,
  list: listOf(DYN), map: mapOf(DYN, DYN),
}; // prettier-ignore

/**
 * A type from its text, as `formatType` writes it: `map(string, list(int))`. Records and opaque types have
 * to be given by name.
 * @throws {SyntaxError} where the text is no type
 */
export function parseType(text: string, named: Readonly<Record<string, CelType>> = {}): CelType {
  // Types have the syntax of calls, so the expressions' parser reads them, with its bounds.
  const parsed = parse(text, () => undefined);
  const type = parsed.ok ? read(parsed.node, named) : undefined;
  if (type === undefined) throw new SyntaxError(`not a type: ${JSON.stringify(text.slice(0, 64))}`);
  return type;
}

function read(node: Node, named: Readonly<Record<string, CelType>>): CelType | undefined {
  if (node.kind === "literal") return node.value === null ? NULL : undefined;
  const name = qualifiedName(node);
  if (name !== undefined) {
    if (Object.hasOwn(named, name)) return named[name];
    return Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  }
  if (node.kind !== "call" || node.target !== undefined) return undefined;
  const params: CelType[] = [];
  for (const arg of node.args) {
    const type = read(arg, named);
    if (type === undefined) return undefined;
    params.push(type);
  }
  const [first, second] = params;
  if (first === undefined) return undefined;
  if (params.length === 2 && node.name === "map" && second !== undefined) return mapOf(first, second);
  if (params.length !== 1) return undefined;
  if (node.name === "list") return listOf(first);
  if (node.name === "type") return typeOf(first);
  return node.name === "optional" || node.name === "optional_type" ? optionalOf(first) : undefined;
}
