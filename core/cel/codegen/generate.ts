import type { BindNode, FunctionNode, ListNode, MapNode, TypedNode } from "../typed.ts";
import { DYN } from "../types.ts";
import { CelError } from "../values.ts";
import { generateField, generateMember } from "./access.ts";
import { dispatcher } from "./dispatch.ts";
import { propertyName, type Emitter, type Js } from "./emitter.ts";
import { generateFold } from "./folds.ts";
import { INLINE } from "./inline.ts";
import { generateOperator } from "./operators.ts";

/** Generates the code of a node: emits statements, returns the expression that has its value. */
export function generate(node: TypedNode, out: Emitter): Js {
  if (out.traced === undefined || node.kind === "const") return generateNode(node, out);
  return generateTraced(node, out, out.traced);
}

/** Each value, or error, is also given to the activation's recorder. */
function generateTraced(node: TypedNode, out: Emitter, traced: TypedNode[]): Js {
  const index = traced.push(node) - 1;
  const { lines, result, target } = out.guarded(() => {
    const js = generateNode(node, out);
    return { code: out.hold(js), type: js.type };
  });
  const outer = out.label();
  out.emit(`${outer}:{${target.label}:{`);
  out.append(lines);
  out.emit(`rec$(${index},${out.box(result)});break ${outer};}`);
  out.emit(target.used ? `rec$(${index},${target.error});${out.failure(target.error)}}` : "}");
  return result;
}

function generateNode(node: TypedNode, out: Emitter): Js {
  switch (node.kind) {
    case "const":
      return out.literal(node.value, node.type);
    case "variable":
      return generateVariable(node.name, node, out);
    case "local": {
      const local = out.locals.get(node.slot);
      if (local === undefined) throw new Error("a variable is used outside of its scope");
      if (local.error !== undefined) out.emit(`if(${local.error}!==null){${out.failure(local.error)}}`);
      return local.js;
    }
    case "field":
      return generateField(node, out);
    case "member":
      return generateMember(node, out);
    case "operator":
      return generateOperator(node, out);
    case "function":
      return generateFunction(node, out);
    case "list":
      return generateList(node, out);
    case "map":
      return generateMap(node, out);
    case "fold":
      return generateFold(node, out);
    case "bind":
      return generateBind(node, out);
    case "failure": {
      out.emit(`if(true){${out.failure(out.constant(node.error))}}`);
      return { code: "null", type: DYN };
    }
  }
}

function generateVariable(name: string, node: TypedNode, out: Emitter): Js {
  const read = `a[${propertyName(name)}]`;
  if (node.type.kind !== "dyn") return out.outside(read, node.type, node.start);
  const value = out.temp();
  out.emit(`${value}=${read};`);
  const error = out.error("no_such_attribute", `no such attribute: ${name}`, node.start);
  out.emit(`if(${value}===undefined){${out.failure(error)}}`);
  return { code: value, type: node.type };
}

function generateFunction(node: FunctionNode, out: Emitter): Js {
  const overload = node.overloads[0];
  if (node.dynamic || overload === undefined) {
    if (node.member && (node.name === "or" || node.name === "orValue")) return generateAlternative(node, out);
    const args = node.args.map((arg) => out.box(out.generate(arg)));
    const call = out.constant(dispatcher(node.name, node.overloads, node.member));
    const value = out.checked(`${call}(${args.join(",")})`, DYN, node.start);
    return out.convert(value, node.type, node.start);
  }
  const inline = INLINE.get(overload.id)?.(node, out);
  if (inline !== undefined) return inline;
  const args = node.args.map((arg, i) => {
    const js = out.generate(arg);
    return out.convert(js, overload.params[i] ?? DYN, arg.start).code;
  });
  const constants = node.args.map((arg) => (arg.kind === "const" ? arg.value : undefined));
  const special = constants.some((constant) => constant !== undefined) ? overload.specialise?.(constants) : undefined;
  const call = special === undefined || special instanceof CelError ? overload.call : special;
  const code = `${out.constant(call)}(${args.join(",")})`;
  const result =
    overload.total === true ? { code, type: overload.result } : out.returned(code, overload.result, node.start);
  // A list(int) may have come from a dyn and hold anything, and so may what a function takes out of it.
  const loose = overload.params.some(({ kind }) => kind === "list" || kind === "map" || kind === "optional");
  return loose && result.type.kind === node.type.kind
    ? out.unbox(result.code, node.type, node.start)
    : out.convert(result, node.type, node.start);
}

/** `a.or(b)` and `a.orValue(b)` where only the evaluation tells that a is an optional: with a value, b is left alone. */
function generateAlternative(node: FunctionNode, out: Emitter): Js {
  const [target, ...rest] = node.args;
  if (target === undefined) throw new Error(`${node.name} lacks a receiver`);
  const receiver = out.hold({ code: out.box(out.generate(target)), type: DYN });
  const result = out.temp();
  const chosen = node.name === "or" ? receiver : `${receiver}.value`;
  out.emit(`if(${receiver} instanceof ${out.use("Optional")}&&${receiver}.value!==undefined)${result}=${chosen};else{`);
  const args = rest.map((arg) => out.box(out.generate(arg)));
  const call = out.constant(dispatcher(node.name, node.overloads, node.member));
  const value = out.checked(`${call}(${[receiver, ...args].join(",")})`, DYN, node.start);
  out.emit(`${result}=${value.code};}`);
  return out.convert({ code: result, type: DYN }, node.type, node.start);
}

function generateList(node: ListNode, out: Emitter): Js {
  if (node.optional.length === 0) {
    const items = node.elements.map((element) => out.box(out.generate(element)));
    return { code: `[${items.join(",")}]`, type: node.type };
  }
  const list = out.temp();
  out.emit(`${list}=[];`);
  for (const [i, element] of node.elements.entries()) {
    const item = out.box(out.generate(element));
    if (node.optional.includes(i)) {
      const value = optionalContent(item, element, out);
      out.emit(`if(${value}!==undefined)${list}.push(${value});`);
    } else out.emit(`${list}.push(${item});`);
  }
  return { code: list, type: node.type };
}

/** What is in an optional, or undefined; a failure where it is no optional. */
function optionalContent(code: string, node: TypedNode, out: Emitter): string {
  const value = out.temp();
  out.emit(`${value}=${code};`);
  const error = out.error("no_such_overload", "expected an optional", node.start);
  out.emit(`if(!(${value} instanceof ${out.use("Optional")})){${out.failure(error)}}`);
  out.emit(`${value}=${value}.value;`);
  return value;
}

function generateMap(node: MapNode, out: Emitter): Js {
  const map = out.temp();
  const keyKind = node.type.kind === "map" ? node.type.key.kind : "dyn";
  const plain = keyKind === "string" || keyKind === "int" || keyKind === "bool";
  out.emit(`${map}=new ${plain ? "Map" : out.use("UintKeyMap")}();`);
  for (const entry of node.entries) {
    const key = out.hold({ code: out.box(out.generate(entry.key)), type: DYN });
    const item = out.box(out.generate(entry.value));
    const value = entry.optional ? optionalContent(item, entry.value, out) : item;
    const added = out.temp();
    out.emit(entry.optional ? `if(${value}!==undefined){` : "{");
    out.emit(`${added}=${out.use("mapAdd")}(${map},${key},${value});`);
    out.emit(`if(${added}!==undefined){${out.failure(`${out.use("placed")}(${added},${entry.key.start})`)}}}`);
  }
  return { code: map, type: node.type };
}

/** An error in the value is kept, and met only where the variable is used. */
function generateBind(node: BindNode, out: Emitter): Js {
  const { lines, result, target } = out.guarded(() => out.generate(node.value));
  const name = out.temp();
  if (target.used) out.emit(`${target.error}=null;${target.label}:{`);
  out.append(lines);
  out.emit(`${name}=${result.code};${target.used ? "}" : ""}`);
  const js = { code: name, type: result.type };
  out.locals.set(node.slot, { js, error: target.used ? target.error : undefined });
  const body = out.generate(node.body);
  return body;
}
