/** Strict, closed shapes of JSON values: what is not described is refused by name. */

/** Copies a value of the described shape; throws a ShapeError for any other. */
export type Shape<T> = (value: unknown, path: string) => T;

export class ShapeError extends Error {}

export function literal<T extends string | number>(...values: readonly T[]): Shape<T> {
  return (value, path) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw new ShapeError(`${path} must be ${values.join(" or ")}, not ${shown(value)}`);
    return found;
  };
}

export function text(maxLength: number): Shape<string> {
  return (value, path) => {
    if (typeof value !== "string") throw new ShapeError(`${path} must be a string, not ${shown(value)}`);
    if (value.length > maxLength) throw new ShapeError(`${path} is longer than ${String(maxLength)}`);
    return value;
  };
}

export function whole(min: number, max: number): Shape<number> {
  return (value, path) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new ShapeError(`${path} must be a whole number from ${String(min)} to ${String(max)}, not ${shown(value)}`);
  };
}

export function listOf<T>(item: Shape<T>, maxItems: number): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(`${path} must be a list, not ${shown(value)}`);
    if (value.length > maxItems) throw new ShapeError(`${path} has more than ${String(maxItems)} items`);
    return value.map((member, i) => item(member, `${path}[${String(i)}]`));
  };
}

/** A map; the copy has no prototype, so that only what is in it answers. */
export function mapOf<T>(member: Shape<T>, maxEntries: number): Shape<Readonly<Record<string, T>>> {
  return (value, path) => {
    const entries = Object.entries(record(value, path));
    if (entries.length > maxEntries) throw new ShapeError(`${path} has more than ${String(maxEntries)} entries`);
    const copy = Object.create(null) as Record<string, T>;
    for (const [key, inner] of entries) copy[key] = member(inner, `${path}[${JSON.stringify(key)}]`);
    return copy;
  };
}

interface Optional<T> {
  readonly optional: Shape<T>;
}

type Members<T> = {
  readonly [K in keyof T]-?: Pick<T, K> extends Required<Pick<T, K>> ? Shape<T[K]> : Optional<Exclude<T[K], undefined>>;
};

export function optional<T>(shape: Shape<T>): Optional<T> {
  return { optional: shape };
}

/** An object with exactly these members. */
export function objectOf<T extends object>(members: Members<T>): Shape<T> {
  const known = new Map(Object.entries<Shape<unknown> | Optional<unknown>>(members));
  return (value, path) => {
    const given = record(value, path);
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(given)) {
      if (!known.has(key)) throw new ShapeError(`${at(path, key)} is not known to this version`);
    }
    for (const [key, member] of known) {
      const inner = Object.hasOwn(given, key) ? given[key] : undefined;
      if (typeof member === "function") copy[key] = member(inner, at(path, key));
      else if (inner !== undefined) copy[key] = member.optional(inner, at(path, key));
    }
    // Every member of T was just read by its own shape, and there is no other.
    return copy as T;
  };
}

function record(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ShapeError(`${path === "" ? "it" : path} must be an object, not ${shown(value)}`);
}

function at(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  const json = JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
