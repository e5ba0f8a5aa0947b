import type { CallNode, EntryNode, FoldNode, Node, SelectNode } from "./ast.ts";
import type { CheckState, MutableSlot } from "./check.ts";
import type { SelectMode, Slot, TypedNode } from "./typed.ts";
import { typeName } from "./type-names.ts";
import { DYN, type CelType } from "./types.ts";
import { CelError, TypeValue } from "./values.ts";

/** The typed tree of an expression that was checked without problems. */
export function elaborate(node: Node, state: CheckState): TypedNode {
  return new Elaborator(state).node(node);
}

class Elaborator {
  readonly #state: CheckState;

  constructor(state: CheckState) {
    this.#state = state;
  }

  node(node: Node): TypedNode {
    const base = { start: node.start, end: node.end, type: this.#final(this.#state.types.get(node) ?? DYN) };
    switch (node.kind) {
      case "literal":
        return { ...base, kind: "const", value: node.value };
      case "ident":
        return this.#reference(node, base);
      case "select":
        return this.#state.references.get(node)?.kind === "field" || !this.#state.references.has(node)
          ? this.#select(node, base)
          : this.#reference(node, base);
      case "call":
        return this.#call(node, base);
      case "list":
        return { ...base, kind: "list", elements: node.elements.map((e) => this.node(e)), optional: node.optional };
      case "map":
        return { ...base, kind: "map", entries: node.entries.map((entry) => this.#entry(entry)) };
      case "message":
        throw new Error("a message passed the checker");
      case "fold":
        return this.#fold(node, base);
      case "bind": {
        const value = this.node(node.value);
        const [slot] = this.#slots(node);
        if (slot === undefined) throw new Error("a bind without a variable");
        return { ...base, kind: "bind", slot, value, body: this.node(node.body) };
      }
    }
  }

  #final(type: CelType): CelType {
    return this.#state.substitution.apply(type, true);
  }

  #slot(slot: MutableSlot): Slot {
    slot.final ??= { name: slot.name, type: this.#final(slot.type) };
    return slot.final;
  }

  #slots(node: Node): Slot[] {
    const reference = this.#state.references.get(node);
    return reference?.kind === "slots" ? reference.slots.map((slot) => this.#slot(slot)) : [];
  }

  #reference(node: Node, base: BaseNode): TypedNode {
    const reference = this.#state.references.get(node);
    switch (reference?.kind) {
      case "variable":
        return { ...base, kind: "variable", name: reference.name };
      case "local":
        return { ...base, kind: "local", slot: this.#slot(reference.slot) };
      case "type":
        return { ...base, kind: "const", value: new TypeValue(typeName(reference.type)) };
      case "failure":
        return { ...base, kind: "failure", error: new CelError(reference.code, reference.message, node.start) };
      default:
        throw new Error("a name without a meaning passed the checker");
    }
  }

  #select(node: SelectNode, base: BaseNode): TypedNode {
    const operand = this.node(node.operand);
    const mode: SelectMode = node.test ? "test" : node.optional ? "optional" : "value";
    const reference = this.#state.references.get(node);
    if (reference?.kind === "field") {
      const { name, field } = reference;
      return { ...base, kind: "field", operand, name, field, mode };
    }
    return { ...base, kind: "member", operand, key: node.field, mode };
  }

  #call(node: CallNode, base: BaseNode): TypedNode {
    const reference = this.#state.references.get(node);
    if (reference?.kind === "operator") {
      const args = node.args.map((arg) => this.node(arg));
      return { ...base, kind: "operator", name: node.name, overload: reference.overload, args };
    }
    if (reference?.kind === "function") {
      const { name, overloads, dynamic, qualified } = reference;
      const member = node.target !== undefined && !qualified;
      const nodes = member && node.target !== undefined ? [node.target, ...node.args] : node.args;
      const args = nodes.map((arg) => this.node(arg));
      return { ...base, kind: "function", name, member, overloads, dynamic, args };
    }
    return this.#reference(node, base);
  }

  #entry(entry: EntryNode): { key: TypedNode; value: TypedNode; optional: boolean } {
    return { key: this.node(entry.key), value: this.node(entry.value), optional: entry.optional };
  }

  #fold(node: FoldNode, base: BaseNode): TypedNode {
    const range = this.node(node.range);
    const slots = this.#slots(node);
    const filter = node.filter === undefined ? undefined : this.node(node.filter);
    return { ...base, kind: "fold", op: node.op, range, slots, filter, body: this.node(node.body) };
  }
}

type BaseNode = { readonly start: number; readonly end: number; readonly type: CelType };
