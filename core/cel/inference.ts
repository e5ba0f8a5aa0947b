import { DYN, sameType, type CelType, type ParamType } from "./types.ts";

/**
 * Type parameters and what they stand for, as the specification's type checker does it: a parameter
 * takes the first type it meets and widens to a more general one (`int`, then `dyn`) later.
 */
export class Substitution {
  readonly #bound: Map<string, CelType> = new Map();
  /** What was bound before each binding of the assignment under way, to be undone if it fails. */
  readonly #trail: (readonly [string, CelType | undefined])[] = [];
  #fresh = 0;

  /** A type parameter that occurs nowhere else. */
  freshParam(): ParamType {
    this.#fresh++;
    return { kind: "param", name: `%${this.#fresh}` };
  }

  /** The types with their parameters replaced by fresh ones, the same for all of them. */
  instantiate(types: readonly CelType[]): CelType[] {
    const renamed = new Map<string, ParamType>();
    return types.map((type) =>
      mapParams(type, (param) => {
        const known = renamed.get(param.name) ?? this.freshParam();
        renamed.set(param.name, known);
        return known;
      }),
    );
  }

  /** The type with every parameter replaced by what it stands for; by `dyn` where nothing is known and `toDyn` is set. */
  apply(type: CelType, toDyn: boolean): CelType {
    return mapParams(type, (param) => {
      const bound = this.#bound.get(param.name);
      if (bound !== undefined) return this.apply(bound, toDyn);
      return toDyn ? DYN : param;
    });
  }

  /** Whether values of the types on the left can stand where those on the right are wanted; binds parameters if so, and leaves all as it was if not. */
  assign(from: readonly CelType[], to: readonly CelType[]): boolean {
    this.#trail.length = 0;
    const fits = from.length === to.length && from.every((type, i) => this.#fits(type, to[i] ?? DYN));
    if (!fits) this.#undo();
    return fits;
  }

  #undo(): void {
    for (const [name, type] of this.#trail.toReversed()) {
      if (type === undefined) this.#bound.delete(name);
      else this.#bound.set(name, type);
    }
  }

  #bind(param: ParamType, type: CelType): void {
    this.#trail.push([param.name, this.#bound.get(param.name)]);
    this.#bound.set(param.name, type);
  }

  #fits(from: CelType, to: CelType): boolean {
    if (to.kind === "param") {
      const outcome = this.#substitutes(from, to);
      if (outcome === "yes" || outcome === "bound") return true;
      if (outcome === "conflict") return false;
    }
    if (from.kind === "param") {
      const outcome = this.#substitutes(to, from);
      return outcome === "yes" || outcome === "bound";
    }
    if (from.kind === "dyn" || to.kind === "dyn") {
      // What a dyn holds is not known either: `dyn(x).distinct()` is a list(dyn).
      if (from.kind === "dyn") this.#open(to);
      return true;
    }
    if (from.kind === "null") return acceptsNull(to);
    if (to.kind === "null") return acceptsNull(from);
    switch (from.kind) {
      case "list":
        return to.kind === "list" && this.#fits(from.element, to.element);
      case "map":
        return to.kind === "map" && this.#fits(from.key, to.key) && this.#fits(from.value, to.value);
      case "optional":
        return to.kind === "optional" && this.#fits(from.value, to.value);
      case "type":
        return to.kind === "type";
      case "opaque": {
        if (to.kind !== "opaque" || to.name !== from.name) return false;
        const [a, b] = [from.params ?? [], to.params ?? []];
        return a.length === b.length && a.every((type, i) => this.#fits(type, b[i] ?? DYN));
      }
      default:
        return sameType(from, to);
    }
  }

  /** Makes the parameters in a type that stand for nothing yet stand for dyn. */
  #open(type: CelType): void {
    mapParams(type, (param) => {
      if (!this.#bound.has(param.name)) this.#bind(param, DYN);
      return param;
    });
  }

  /** Whether `type` can be what `param` stands for. "absent": no, since the parameter occurs in it. */
  #substitutes(type: CelType, param: ParamType): "yes" | "bound" | "conflict" | "absent" {
    if (sameType(type, param)) return "yes";
    const known = this.#bound.get(param.name);
    if (known === undefined) {
      if (this.#occurs(param, type)) return "absent";
      this.#bind(param, type);
      return "bound";
    }
    if (sameType(type, known)) return "yes";
    if (!this.#fits(type, known)) return "conflict";
    const general = mostGeneral(type, known);
    if (!this.#occurs(param, general)) this.#bind(param, general);
    return "yes";
  }

  #occurs(param: ParamType, type: CelType): boolean {
    let found = false;
    mapParams(type, (inner) => {
      const bound = this.#bound.get(inner.name);
      if (inner.name === param.name || (bound !== undefined && this.#occurs(param, bound))) found = true;
      return inner;
    });
    return found;
  }
}

/** Types whose values may be null: those that stand for things, not for data. */
function acceptsNull(type: CelType): boolean {
  switch (type.kind) {
    case "null":
    case "timestamp":
    case "duration":
    case "record":
    case "opaque":
    case "optional":
      return true;
    default:
      return false;
  }
}

/** The wider of two types that fit each other. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return lessSpecific(a, b) ? a : b;
}

function lessSpecific(a: CelType, b: CelType): boolean {
  if (a.kind === "dyn" || a.kind === "param") return true;
  if (b.kind === "dyn" || b.kind === "param") return false;
  if (a.kind === "null") return false;
  if (b.kind === "null") return true;
  if (a.kind === "list") return b.kind === "list" && lessSpecific(a.element, b.element);
  if (a.kind === "map") return b.kind === "map" && lessSpecific(a.key, b.key) && lessSpecific(a.value, b.value);
  if (a.kind === "optional") return b.kind === "optional" && lessSpecific(a.value, b.value);
  return sameType(a, b);
}

function mapParams(type: CelType, replace: (param: ParamType) => CelType): CelType {
  switch (type.kind) {
    case "param":
      return replace(type);
    case "list": {
      const element = mapParams(type.element, replace);
      return element === type.element ? type : { ...type, element };
    }
    case "map": {
      const [key, value] = [mapParams(type.key, replace), mapParams(type.value, replace)];
      return key === type.key && value === type.value ? type : { ...type, key, value };
    }
    case "optional":
      return { ...type, value: mapParams(type.value, replace) };
    case "type":
      return { ...type, of: mapParams(type.of, replace) };
    case "opaque":
      return type.params === undefined
        ? type
        : { ...type, params: type.params.map((param) => mapParams(param, replace)) };
    default:
      return type;
  }
}

/** Whether a type has more parts than a limit; looks at no more of it than that. */
export function isLargerThan(type: CelType, limit: number): boolean {
  let left = limit;
  const visit = (inner: CelType): boolean => {
    if (--left < 0) return false;
    switch (inner.kind) {
      case "list":
        return visit(inner.element);
      case "map":
        return visit(inner.key) && visit(inner.value);
      case "optional":
        return visit(inner.value);
      case "type":
        return visit(inner.of);
      case "opaque":
        return inner.params === undefined || inner.params.every(visit);
      default:
        return true;
    }
  };
  return !visit(type);
}

/** Whether an expression of one type can be what another is expected: dyn fits all, and is checked when evaluated. */
export function sameForExpectation(type: CelType, expected: CelType): boolean {
  return type.kind === "dyn" || new Substitution().assign([type], [expected]);
}
