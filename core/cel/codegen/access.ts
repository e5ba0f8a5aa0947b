import type { FieldNode, MemberNode } from "../typed.ts";
import { BOOL, DYN, type CelType } from "../types.ts";
import { propertyName, type Emitter, type Js } from "./emitter.ts";

/** A field of a record: a property read. */
export function generateField(node: FieldNode, out: Emitter): Js {
  const operand = out.generate(node.operand);
  const property = `[${propertyName(node.name)}]`;
  if (operand.type.kind === "optional") return throughOptional(node, operand, property, out);
  if (node.mode === "test") return { code: `(${operand.code}${property}!==undefined)`, type: BOOL };
  if (node.mode === "optional") {
    const value = out.hold({ code: `${operand.code}${property}`, type: DYN });
    return { code: optionalOf(value, node, out), type: node.type };
  }
  const { type, optional } = node.field;
  const at = node.end - node.name.length;
  if (optional !== true) return out.outside(`${operand.code}${property}`, type, at);
  const value = out.temp();
  out.emit(`${value}=${operand.code}${property};`);
  const error = out.error("no_such_field", `no such field: ${node.name}`, at);
  out.emit(`if(${value}===undefined){${out.failure(error)}}`);
  return out.outside(value, type, at);
}

/** An optional of a field's value that is in a variable, none where it is missing. */
function optionalOf(value: string, node: FieldNode, out: Emitter): string {
  const inner = out.box(out.outside(value, node.field.type, node.start));
  return `(${value}===undefined?${out.use("Optional")}.none:new ${out.use("Optional")}(${inner}))`;
}

function throughOptional(node: FieldNode, operand: Js, property: string, out: Emitter): Js {
  const record = out.hold({ code: `${operand.code}.value`, type: DYN });
  const read = `(${record}===undefined?undefined:${out.use("rec")}(${record},${node.start})${property})`;
  if (node.mode === "test") return { code: `(${read}!==undefined)`, type: BOOL };
  return { code: optionalOf(out.hold({ code: read, type: DYN }), node, out), type: node.type };
}

/** A key of a map, of a dyn, or of what is in an optional of these. */
export function generateMember(node: MemberNode, out: Emitter): Js {
  const operand = out.generate(node.operand);
  const key = out.constant(node.key);
  const at = node.end - node.key.length;
  const isMap = operand.type.kind === "map";
  if (isMap && node.mode === "test") {
    return { code: `(${out.use("member")}(${operand.code},${key})!==undefined)`, type: BOOL };
  }
  if (isMap && node.mode === "value") {
    const value = out.temp();
    out.emit(`${value}=${out.use("member")}(${operand.code},${key});`);
    const error = out.error("no_such_key", `no such key: ${JSON.stringify(node.key)}`, at);
    out.emit(`if(${value}===undefined){${out.failure(error)}}`);
    return found(value, node.type, at, out);
  }
  const helper = out.use(HELPERS[node.mode]);
  const value = out.checked(`${helper}(${out.box(operand)},${key})`, node.mode === "test" ? BOOL : DYN, at);
  return node.mode === "test" ? value : found(value.code, node.type, at, out);
}

const HELPERS = { value: "select", test: "has", optional: "selectOptional" } as const;

/** A value that is there; of static type dyn it may be anything. */
export function found(code: string, type: CelType, offset: number, out: Emitter): Js {
  return type.kind === "dyn" ? { code, type } : out.unbox(code, type, offset);
}
