import type { FoldOp } from "../ast.ts";
import { COLLECT_STEPS, DYNAMIC_OPERATOR_STEPS } from "../cost.ts";
import { children, type FoldNode, type Slot, type TypedNode } from "../typed.ts";
import { BOOL, DYN } from "../types.ts";
import type { Emitter, Js } from "./emitter.ts";

/** The macros over lists and maps: a plain loop each, a step of the budget (or more) for each turn. */
export function generateFold(node: FoldNode, out: Emitter): Js {
  const loop = beginLoop(node, out);
  switch (node.op) {
    case "all":
      return generateQuantifier(node, loop, false, out);
    case "exists":
      return generateQuantifier(node, loop, true, out);
    case "exists_one":
      return generateExistsOne(node, loop, out);
    default:
      return generateCollection(node, loop, out);
  }
}

interface Loop {
  readonly label: string;
  /** `for(…){` with the budget and the variables. */
  readonly head: readonly string[];
  /** The key and the element of this turn, universal. */
  readonly key: string;
  readonly element: string;
}

/** Evaluates the range and makes the head of the loop. */
function beginLoop(node: FoldNode, out: Emitter): Loop {
  const range = out.generate(node.range);
  const label = out.label();
  const index = out.temp();
  const [first, second] = node.slots;
  const two = second !== undefined;
  const isList = range.type.kind === "list";
  const list = out.temp();
  const values = out.temp();
  if (isList) out.emit(`${list}=${range.code};`);
  else if (two) {
    const both = out.checked(`${out.use("entries")}(${out.box(range)})`, DYN, node.range.start);
    out.emit(`${list}=${both.code}[0];${values}=${both.code}[1];`);
  } else {
    const keys = out.checked(`${out.use("range")}(${out.box(range)})`, DYN, node.range.start);
    out.emit(`${list}=${keys.code};`);
  }
  const weight =
    1 +
    weigh(node.body) +
    (node.filter === undefined ? 0 : weigh(node.filter)) +
    (COLLECTS.has(node.op) ? COLLECT_STEPS : 0);
  const head = out.capture(() => {
    out.emit(`${label}:for(${index}=0;${index}<${list}.length;${index}++){`);
    const budget = out.use("budget");
    out.emit(`if((${budget}.left-=${weight})<0)${out.use("over")}();`);
    if (first !== undefined && !two) bindSlot(first, `${list}[${index}]`, node, out);
    if (first !== undefined && two && isList) {
      out.locals.set(first, { js: { code: index, type: first.type }, error: undefined });
      bindSlot(second, `${list}[${index}]`, node, out);
    } else if (first !== undefined && two) {
      bindSlot(first, `${list}[${index}]`, node, out);
      bindSlot(second, `${values}[${index}]`, node, out);
    }
  });
  const listTwo = isList && two;
  return {
    label,
    head: head.lines,
    key: listTwo ? index : `${list}[${index}]`,
    element: two && !isList ? `${values}[${index}]` : `${list}[${index}]`,
  };
}

function bindSlot(slot: Slot, code: string, node: FoldNode, out: Emitter): void {
  const value = out.unbox(code, slot.type, node.range.start);
  out.locals.set(slot, { js: { code: out.hold(value), type: slot.type }, error: undefined });
}

/** Macros that make a list or a map, which costs more than a turn of a loop. */
const COLLECTS: ReadonlySet<FoldOp> = new Set(["map", "filter", "transformList", "transformMap", "transformMapEntry"]);

/** Steps of one turn, loops inside of it aside: what the estimate (cost.ts) counts, so it is never exceeded. */
function weigh(node: TypedNode): number {
  if (node.kind === "const") return 0;
  const own = node.kind === "operator" && node.overload === undefined ? DYNAMIC_OPERATOR_STEPS : 1;
  if (node.kind === "fold") return own + weigh(node.range);
  const parts = children(node).map(weigh);
  const [condition = 0, yes = 0, no = 0] = parts;
  if (node.kind === "operator" && node.name === "_?_:_") {
    // A branch with a loop pays for that itself, so the other one must not be paid for beside it.
    return own + condition + (node.args.some(hasFold) ? Math.min(yes, no) : Math.max(yes, no));
  }
  return parts.reduce((sum, part) => sum + part, own);
}

function hasFold(node: TypedNode): boolean {
  return node.kind === "fold" || children(node).some(hasFold);
}

function condition(node: TypedNode, name: string, out: Emitter): Js {
  return out.condition(out.generate(node), name, node.start);
}

/** all and exists: the value that decides wins over errors of other elements. */
function generateQuantifier(node: FoldNode, loop: Loop, decides: boolean, out: Emitter): Js {
  const result = out.temp();
  const body = out.guarded(() => condition(node.body, node.op, out));
  const error = out.temp();
  const failing = body.target.used;
  out.emit(`${result}=${String(!decides)};${failing ? `${error}=null;` : ""}`);
  out.append(loop.head);
  if (failing) out.emit(`${body.target.error}=null;${body.target.label}:{`);
  out.append(body.lines);
  const stop = `${result}=${String(decides)};${failing ? `${error}=null;` : ""}break ${loop.label};`;
  out.emit(`if(${decides ? "" : "!"}(${body.result.code})){${stop}}`);
  if (failing) out.emit(`}if(${error}===null)${error}=${body.target.error};`);
  out.emit("}");
  if (failing) out.emit(`if(${error}!==null){${out.failure(error)}}`);
  return { code: result, type: BOOL };
}

function generateExistsOne(node: FoldNode, loop: Loop, out: Emitter): Js {
  const count = out.temp();
  out.emit(`${count}=0;`);
  out.append(loop.head);
  const test = condition(node.body, node.op, out);
  out.emit(`if(${test.code})${count}++;}`);
  return { code: `(${count}===1)`, type: BOOL };
}

/** map, filter and the transforming macros: an error of any element is the error of the whole. */
function generateCollection(node: FoldNode, loop: Loop, out: Emitter): Js {
  const result = out.temp();
  const toMap = node.op === "transformMap" || node.op === "transformMapEntry";
  out.emit(`${result}=${toMap ? `new ${out.use("UintKeyMap")}()` : "[]"};`);
  out.append(loop.head);
  if (node.filter !== undefined) out.emit(`if(!(${condition(node.filter, node.op, out).code}))continue ${loop.label};`);
  switch (node.op) {
    case "filter":
      out.emit(`if(${condition(node.body, node.op, out).code})${result}.push(${loop.key});`);
      break;
    case "transformMap": {
      const value = out.hold({ code: out.box(out.generate(node.body)), type: DYN });
      addEntry(result, loop.key, value, node, out);
      break;
    }
    case "transformMapEntry":
      addEntries(result, node, out);
      break;
    default:
      out.emit(`${result}.push(${out.box(out.generate(node.body))});`);
  }
  out.emit("}");
  return { code: result, type: node.type };
}

function addEntry(map: string, key: string, value: string, node: FoldNode, out: Emitter): void {
  const added = out.temp();
  out.emit(`${added}=${out.use("mapAdd")}(${map},${key},${value});`);
  out.emit(`if(${added}!==undefined){${out.failure(`${out.use("placed")}(${added},${node.start})`)}}`);
}

/** The entry that an element was made into: a map with one key. */
function addEntries(map: string, node: FoldNode, out: Emitter): void {
  const body = out.box(out.generate(node.body));
  const both = out.checked(`${out.use("entries")}(${body})`, DYN, node.body.start);
  const index = out.temp();
  out.emit(`for(${index}=0;${index}<${both.code}[0].length;${index}++){`);
  addEntry(map, `${both.code}[0][${index}]`, `${both.code}[1][${index}]`, node, out);
  out.emit("}");
}
