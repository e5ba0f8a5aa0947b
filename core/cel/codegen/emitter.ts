import { needsAdapting } from "../runtime/guards.ts";
import type * as runtime from "../runtime/index.ts";
import type { Slot, TypedNode } from "../typed.ts";
import { BOOL, type CelType } from "../types.ts";
import { CelError, Double, Uint, type ErrorCode, type Value } from "../values.ts";

/** A JavaScript expression; its value is in the representation of the type (values.ts). */
export interface Js {
  readonly code: string;
  readonly type: CelType;
}

/** Where a failing expression goes: the error is put into a variable and the labelled block is left. */
export interface Target {
  readonly label: string;
  readonly error: string;
  used: boolean;
}

/** A bound variable in generated code. `error` holds why the value of a bind could not be had. */
export interface Local {
  readonly js: Js;
  readonly error: string | undefined;
}

export type RuntimeName = keyof typeof runtime;

/**
 * Collects generated statements. What goes into the text: names that this class makes, fixed fragments,
 * numbers, and the schema's own property names (checked identifiers). Strings and all other constants
 * of an expression are passed in an array.
 */
export class Emitter {
  readonly constants: unknown[] = [];
  readonly used: Set<RuntimeName> = new Set();
  readonly locals: Map<Slot, Local> = new Map();
  readonly temps: string[] = [];
  /** Receives the nodes whose values a trace records; undefined where none is wanted. */
  readonly traced: TypedNode[] | undefined;
  target: Target;
  #lines: string[] = [];
  #next = 0;
  readonly #known: Map<unknown, string> = new Map();

  readonly #generate: (node: TypedNode, out: Emitter) => Js;

  /** `generate` makes the code of a node; it is passed so that the parts of the generator need not import each other. */
  constructor(trace: boolean, generate: (node: TypedNode, out: Emitter) => Js) {
    this.#generate = generate;
    this.traced = trace ? [] : undefined;
    this.target = this.newTarget();
  }

  /** Emits the statements of a node and returns the expression that has its value. */
  generate(node: TypedNode): Js {
    return this.#generate(node, this);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  emit(line: string): void {
    this.#lines.push(line);
  }

  /** What `run` emits, instead of emitting it. */
  capture<T>(run: () => T): { readonly lines: readonly string[]; readonly result: T } {
    const outer = this.#lines;
    this.#lines = [];
    const result = run();
    const lines = this.#lines;
    this.#lines = outer;
    return { lines, result };
  }

  /** As capture, with failures going to a target of their own. */
  guarded<T>(run: () => T): { readonly lines: readonly string[]; readonly result: T; readonly target: Target } {
    const outer = this.target;
    const target = this.newTarget();
    this.target = target;
    const { lines, result } = this.capture(run);
    this.target = outer;
    return { lines, result, target };
  }

  append(lines: readonly string[]): void {
    for (const line of lines) this.#lines.push(line);
  }

  newTarget(): Target {
    return { label: this.label(), error: this.temp(), used: false };
  }

  label(): string {
    return `L${this.#next++}`;
  }

  temp(): string {
    const name = `t${this.#next++}`;
    this.temps.push(name);
    return name;
  }

  /** A function or value of the runtime, by name. */
  use(name: RuntimeName): string {
    this.used.add(name);
    return name;
  }

  /** A constant that is passed to the generated function. */
  constant(value: unknown): string {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const name = `c${this.constants.length}`;
    this.constants.push(value);
    this.#known.set(value, name);
    return name;
  }

  /** The statement that leaves the current target's block with an error. */
  failure(error: string): string {
    this.target.used = true;
    return `${this.target.error}=${error};break ${this.target.label};`;
  }

  /** An error made when the expression is compiled. */
  error(code: ErrorCode, message: string, offset: number): string {
    return this.constant(new CelError(code, message, offset));
  }

  /** The same value as a variable, so that it may be named twice. */
  hold(js: Js): string {
    if (/^[tc]\d+$/.test(js.code)) return js.code;
    const name = this.temp();
    this.emit(`${name}=${js.code};`);
    return name;
  }

  /** A call of the runtime that may return a CelError, and the statement that fails if it did. */
  checked(code: string, type: CelType, offset: number): Js {
    const scalar = type.kind === "int" || type.kind === "uint" || type.kind === "double" || type.kind === "bool";
    return this.#checked(code, type, offset, scalar ? "object" : undefined);
  }

  /** As checked, for a library's function: only what is an error is one. */
  returned(code: string, type: CelType, offset: number): Js {
    return this.#checked(code, type, offset, undefined);
  }

  #checked(code: string, type: CelType, offset: number, errorType: "object" | undefined): Js {
    const name = this.temp();
    this.emit(`${name}=${code};`);
    const failed = errorType === undefined ? `${name} instanceof ${this.use("CelError")}` : `typeof ${name}==="object"`;
    this.emit(`if(${failed}){${this.failure(`${this.use("placed")}(${name},${offset})`)}}`);
    return { code: name, type };
  }

  /** In the universal representation. */
  box(js: Js): string {
    if (js.type.kind === "double") return `${this.use("boxDouble")}(${js.code})`;
    if (js.type.kind === "uint") return `new ${this.use("Uint")}(${js.code})`;
    return js.code;
  }

  /** A universal value as one of a static type; ends the evaluation where it is none. */
  unbox(code: string, type: CelType, offset: number): Js {
    return { code: this.#guard(code, type, offset), type };
  }

  /** A value of the activation as one of a static type. */
  outside(code: string, type: CelType, offset: number): Js {
    if (!needsAdapting(type)) return this.unbox(code, type, offset);
    return { code: `${this.use("adapt")}(${code},${this.constant(type)},${offset})`, type };
  }

  #guard(code: string, type: CelType, offset: number): string {
    switch (type.kind) {
      case "string":
        return `${this.use("str")}(${code},${offset})`;
      case "bool":
        return `${this.use("bool")}(${code},${offset})`;
      case "int":
        return `${this.use("int")}(${code},${offset})`;
      case "uint":
        return `${this.use("uint")}(${code},${offset})`;
      case "double":
        return `${this.use("dbl")}(${code},${offset})`;
      case "list":
        return `${this.use("lst")}(${code},${offset})`;
      case "map":
        return `${this.use("map")}(${code},${offset})`;
      case "record":
        return `${this.use("rec")}(${code},${offset})`;
      case "bytes":
      case "timestamp":
      case "duration":
      case "optional":
        return `${this.use(type.kind)}(${code},${offset})`;
      case "type":
        return `${this.use("typeValue")}(${code},${offset})`;
      case "null":
        return `${this.use("nul")}(${code},${offset})`;
      case "opaque":
        return `${this.use("opaque")}(${code},${this.constant(type.name)},${offset})`;
      case "dyn":
      case "param":
        return `${this.use("any")}(${code},${offset})`;
    }
  }

  /** From one static type's representation to another's. */
  convert(js: Js, type: CelType, offset: number): Js {
    if (js.type.kind === type.kind) return { code: js.code, type };
    // The checker lets null stand for a record, a time or a value of a library.
    if (js.type.kind === "null") return { code: js.code, type };
    const boxed = this.box(js);
    if (type.kind === "dyn" || type.kind === "param") return { code: boxed, type };
    return this.unbox(boxed, type, offset);
  }

  /** A bool, or a failure where it is another value. */
  condition(js: Js, name: string, offset: number): Js {
    if (js.type.kind === "bool") return js;
    const value = this.hold({ code: this.box(js), type: js.type });
    this.emit(
      `if(typeof ${value}!=="boolean"){${this.failure(
        `${this.use("placed")}(${this.use("noOverload")}(${this.constant(name)},${value}),${offset})`,
      )}}`,
    );
    return { code: value, type: BOOL };
  }

  /** A constant of a static type. Numbers, bools and null are written out, the rest is passed. */
  literal(value: Value, type: CelType): Js {
    if (type.kind === "double" || type.kind === "uint") {
      const raw = value instanceof Double || value instanceof Uint ? value.value : value;
      return { code: this.#plain(raw), type };
    }
    return { code: this.#plain(value), type };
  }

  #plain(value: Value): string {
    if (value === null || typeof value === "boolean") return String(value);
    if (typeof value === "number" && Number.isFinite(value)) {
      return value < 0 || Object.is(value, -0) ? `(-${-value})` : String(value);
    }
    return this.constant(value);
  }
}

/** A declared name as a property name in code. Declarations were checked to be identifiers; this checks again. */
export function propertyName(name: string): string {
  if (!/^[A-Za-z_@][A-Za-z0-9_.]*$/.test(name)) throw new Error("a declared name is no identifier");
  return `"${name}"`;
}
