import type { OperatorNode, TypedNode } from "../typed.ts";
import { BOOL, DYN, type CelType } from "../types.ts";
import type { Value } from "../values.ts";
import { found } from "./access.ts";
import type { Emitter, Js, RuntimeName } from "./emitter.ts";

/** An operator: JavaScript's own where static types allow, else a function of the runtime. */
export function generateOperator(node: OperatorNode, out: Emitter): Js {
  switch (node.name) {
    case "_&&_":
      return generateLogical(node, false, out);
    case "_||_":
      return generateLogical(node, true, out);
    case "_?_:_":
      return generateConditional(node, out);
    case "_==_":
      return generateEquals(node, false, out);
    case "_!=_":
      return generateEquals(node, true, out);
    case "@in":
      return generateIn(node, out);
    default:
      return node.overload === undefined ? generateDynamic(node, out) : generateStatic(node, node.overload, out);
  }
}

function argument(node: OperatorNode, index: number): TypedNode {
  const arg = node.args[index];
  if (arg === undefined) throw new Error(`${node.name} lacks an operand`);
  return arg;
}

/**
 * `&&` and `||`: the value that decides (false, true) wins over an error of the other side. `decides` is
 * that value.
 */
function generateLogical(node: OperatorNode, decides: boolean, out: Emitter): Js {
  const [left, right] = [argument(node, 0), argument(node, 1)];
  const operand = (arg: TypedNode): Js => out.condition(out.generate(arg), node.name, arg.start);
  const a = out.guarded(() => operand(left));
  const not = decides ? "!" : "";
  if (!a.target.used) {
    out.append(a.lines);
    const b = out.capture(() => operand(right));
    const sign = decides ? "||" : "&&";
    if (b.lines.length === 0) return { code: `(${a.result.code}${sign}${b.result.code})`, type: BOOL };
    const result = out.hold({ code: `(${a.result.code})`, type: BOOL });
    out.emit(`if(${not}${result}){`);
    out.append(b.lines);
    out.emit(`${result}=${b.result.code};}`);
    return { code: result, type: BOOL };
  }
  const result = out.temp();
  const error = a.target.error;
  out.emit(`${error}=null;${result}=${String(!decides)};${a.target.label}:{`);
  out.append(a.lines);
  out.emit(`${result}=${a.result.code};}`);
  const b = out.guarded(() => operand(right));
  out.emit(`if(${not}${result}){`);
  if (b.target.used) out.emit(`${b.target.error}=null;${b.target.label}:{`);
  out.append(b.lines);
  out.emit(`if(${decides ? "" : "!"}(${b.result.code})){${result}=${String(decides)};${error}=null;}`);
  if (b.target.used) out.emit(`}if(${error}===null)${error}=${b.target.error};`);
  out.emit(`}if(${error}!==null){${out.failure(error)}}`);
  return { code: result, type: BOOL };
}

function generateConditional(node: OperatorNode, out: Emitter): Js {
  const [condition, yes, no] = [argument(node, 0), argument(node, 1), argument(node, 2)];
  const test = out.condition(out.generate(condition), node.name, condition.start);
  const branch = (arg: TypedNode): Js => out.convert(out.generate(arg), node.type, arg.start);
  const a = out.capture(() => branch(yes));
  const b = out.capture(() => branch(no));
  if (a.lines.length === 0 && b.lines.length === 0) {
    return { code: `(${test.code}?${a.result.code}:${b.result.code})`, type: node.type };
  }
  const result = out.temp();
  out.emit(`if(${test.code}){`);
  out.append(a.lines);
  out.emit(`${result}=${a.result.code};}else{`);
  out.append(b.lines);
  out.emit(`${result}=${b.result.code};}`);
  return { code: result, type: node.type };
}

const IDENTICAL: ReadonlySet<CelType["kind"]> = new Set(["bool", "string", "int", "uint", "double"]);

function generateEquals(node: OperatorNode, negated: boolean, out: Emitter): Js {
  const [a, b] = [out.generate(argument(node, 0)), out.generate(argument(node, 1))];
  const same = a.type.kind === b.type.kind && IDENTICAL.has(a.type.kind);
  // A string or a bool equals nothing but itself, so identity tells even where the other side is dyn.
  const identity = [a, b].some(({ type }) => type.kind === "string" || type.kind === "bool");
  if (a.type.kind === "string" && b.type.kind === "string" && !node.args.some((arg) => arg.kind === "const")) {
    return { code: `${negated ? "!" : ""}${out.use("sameText")}(${a.code},${b.code})`, type: BOOL };
  }
  if (same || identity) {
    const [x, y] = same ? [a.code, b.code] : [out.box(a), out.box(b)];
    return { code: `(${x}${negated ? "!==" : "==="}${y})`, type: BOOL };
  }
  return { code: `${negated ? "!" : ""}${out.use("equals")}(${out.box(a)},${out.box(b)})`, type: BOOL };
}

/** How many constants make a set worth its lookup. */
const SET_FROM = 5;

function generateIn(node: OperatorNode, out: Emitter): Js {
  const [item, container] = [argument(node, 0), argument(node, 1)];
  const value = out.generate(item);
  const set = constantSet(container);
  if (set !== undefined && (value.type.kind === "string" || value.type.kind === "int")) {
    return { code: `${out.constant(set)}.has(${value.code})`, type: BOOL };
  }
  const list = out.generate(container);
  if (list.type.kind === "list" && node.overload === "in_list") {
    // Only where both sides are known to be of the type is identity enough.
    const element = list.type.element.kind;
    if (element === value.type.kind && (element === "string" || element === "bool")) {
      return { code: `${out.use("includes")}(${list.code},${value.code})`, type: BOOL };
    }
    return { code: `${out.use("listContains")}(${list.code},${out.box(value)})`, type: BOOL };
  }
  if (list.type.kind === "map" && node.overload === "in_map") {
    const helper = value.type.kind === "string" ? "member" : "mapGet";
    return { code: `(${out.use(helper)}(${list.code},${out.box(value)})!==undefined)`, type: BOOL };
  }
  return out.checked(`${out.use("isIn")}(${out.box(value)},${out.box(list)})`, BOOL, node.start);
}

/** The elements of a constant list of strings or of ints. */
function constantSet(node: TypedNode): ReadonlySet<Value> | undefined {
  if (node.kind !== "const" || !Array.isArray(node.value) || node.value.length < SET_FROM) return undefined;
  const elements = node.value as readonly Value[];
  const strings = elements.every((element) => typeof element === "string");
  const ints = elements.every((element) => typeof element === "bigint" || Number.isSafeInteger(element));
  return strings || ints ? new Set(elements) : undefined;
}

const DYNAMIC: Readonly<Record<string, RuntimeName>> = {
  "_+_": "add", "_-_": "subtract", "_*_": "multiply", "_/_": "divide", "_%_": "modulo", "-_": "negate", "!_": "not",
  "_<_": "less", "_<=_": "lessEquals", "_>_": "greater", "_>=_": "greaterEquals",
  "_[_]": "index", "_[?_]": "optionalIndex",
}; // prettier-ignore

function generateDynamic(node: OperatorNode, out: Emitter): Js {
  const helper = DYNAMIC[node.name];
  if (helper === undefined) throw new Error(`no operator ${node.name}`);
  const args = node.args.map((arg) => out.box(out.generate(arg)));
  const isBool = node.name === "!_" || RELATIONS.has(node.name);
  const value = out.checked(`${out.use(helper)}(${args.join(",")})`, isBool ? BOOL : DYN, node.start);
  return isBool ? value : found(value.code, node.type, node.start, out);
}

const RELATIONS: ReadonlyMap<string, string> = new Map([
  ["_<_", "<"],
  ["_<=_", "<="],
  ["_>_", ">"],
  ["_>=_", ">="],
]);

/** Overloads that are a function of the runtime which may fail. */
const CALLS: Readonly<Record<string, RuntimeName>> = {
  add_int: "addInt", add_uint: "addUint", subtract_int: "subtractInt", subtract_uint: "subtractUint",
  multiply_int: "multiplyInt", multiply_uint: "multiplyUint", divide_int: "divideInt", divide_uint: "divideUint",
  modulo_int: "moduloInt", modulo_uint: "moduloInt", negate_int: "negateInt",
  add_timestamp_duration: "addTimestampDuration", add_duration: "addDurations",
  subtract_timestamp: "subtractTimestamps", subtract_timestamp_duration: "subtractTimestampDuration",
  subtract_duration: "subtractDurations",
}; // prettier-ignore

const TOTAL: Readonly<Record<string, RuntimeName>> = {
  add_string: "concat",
  add_bytes: "concatBytes",
  add_list: "concatLists",
};

const DOUBLES: Readonly<Record<string, string>> = {
  add_double: "+",
  subtract_double: "-",
  multiply_double: "*",
  divide_double: "/",
};

function generateStatic(node: OperatorNode, overload: string, out: Emitter): Js {
  if (node.name === "!_") return { code: `!${out.generate(argument(node, 0)).code}`, type: BOOL };
  if (node.name === "_[_]" || node.name === "_[?_]") return generateIndex(node, overload, out);
  const args = node.args.map((arg) => out.generate(arg));
  const codes = args.map((arg) => arg.code).join(",");
  const relation = RELATIONS.get(node.name);
  if (relation !== undefined) return generateRelation(relation, args, out);
  const double = DOUBLES[overload];
  if (double !== undefined) return { code: `(${args.map((arg) => arg.code).join(double)})`, type: node.type };
  if (overload === "negate_double") return { code: `(-${codes})`, type: node.type };
  if (overload === "add_duration_timestamp") {
    const swapped = `${out.use("addTimestampDuration")}(${args[1]?.code ?? ""},${args[0]?.code ?? ""})`;
    return out.checked(swapped, node.type, node.start);
  }
  const total = TOTAL[overload];
  if (total !== undefined) return { code: `${out.use(total)}(${codes})`, type: node.type };
  const call = CALLS[overload];
  if (call === undefined) throw new Error(`no code for the overload ${overload}`);
  return out.checked(`${out.use(call)}(${codes})`, node.type, node.start);
}

const COMPARE: Readonly<Partial<Record<CelType["kind"], RuntimeName>>> = {
  string: "compareStrings",
  bytes: "compareBytes",
  timestamp: "compareTimes",
  duration: "compareTimes",
};

/** JavaScript compares ints, numbers or bigints, by their exact values, and false before true. */
function generateRelation(relation: string, args: readonly Js[], out: Emitter): Js {
  const [a, b] = args;
  if (a !== undefined && b !== undefined && (a.type.kind === "double") !== (b.type.kind === "double")) {
    return { code: `(Number(${a.code})${relation}Number(${b.code}))`, type: BOOL };
  }
  const compare = COMPARE[a?.type.kind ?? "dyn"];
  const code =
    compare === undefined
      ? `(${a?.code ?? ""}${relation}${b?.code ?? ""})`
      : `(${out.use(compare)}(${a?.code ?? ""},${b?.code ?? ""})${relation}0)`;
  return { code, type: BOOL };
}

function generateIndex(node: OperatorNode, overload: string, out: Emitter): Js {
  const container = out.generate(argument(node, 0));
  const index = out.generate(argument(node, 1));
  const value = out.temp();
  if (overload === "index_list") {
    const [list, at] = [out.hold(container), out.hold(index)];
    out.emit(`${value}=${at}>=0&&${at}<${list}.length?${list}[${at}]:undefined;`);
    const error = `${out.use("placed")}(${out.use("outOfRange")}(${at}),${node.start})`;
    out.emit(`if(${value}===undefined){${out.failure(error)}}`);
    return found(value, node.type, node.start, out);
  }
  if (overload === "index_map") {
    const key = out.hold({ code: out.box(index), type: DYN });
    out.emit(`${value}=${out.use("mapGet")}(${container.code},${key});`);
    const error = `${out.use("placed")}(${out.use("noSuchKey")}(${key}),${node.start})`;
    out.emit(`if(${value}===undefined){${out.failure(error)}}`);
    return found(value, node.type, node.start, out);
  }
  const helper = out.use(node.name === "_[_]" ? "index" : "optionalIndex");
  const result = out.checked(`${helper}(${out.box(container)},${out.box(index)})`, DYN, node.start);
  return found(result.code, node.type, node.start, out);
}
