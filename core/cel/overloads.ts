import type { FunctionEntry } from "./environment.ts";
import type { Substitution } from "./inference.ts";
import { DYN, formatType, sameType, type CelType } from "./types.ts";

interface Signature {
  readonly params: readonly CelType[];
  readonly result: CelType;
}

/** All overloads that arguments fit, and the type of what they return: dyn where they differ. */
export function resolveOverloads<T extends Signature>(
  substitution: Substitution,
  overloads: readonly T[],
  args: readonly CelType[],
): { readonly matches: readonly T[]; readonly result: CelType } {
  const matches: T[] = [];
  let result: CelType | undefined;
  for (const overload of overloads) {
    if (overload.params.length !== args.length) continue;
    const [own = DYN, ...params] = substitution.instantiate([overload.result, ...overload.params]);
    if (!substitution.assign(args, params)) continue;
    matches.push(overload);
    const type = substitution.apply(own, false);
    if (result === undefined) result = type;
    else if (result.kind !== "dyn" && !sameType(type, result)) result = DYN;
  }
  return { matches, result: result ?? DYN };
}

/** Why a call of a function that there is does not fit. */
export function noOverloadMessage(entry: FunctionEntry, args: readonly CelType[], member: boolean): string {
  const { name } = entry;
  if ((member ? entry.member : entry.global).length === 0) {
    return member ? `'${name}' is called without a receiver: ${name}(…)` : `'${name}' needs a receiver: x.${name}(…)`;
  }
  const types = args.map(formatType);
  const applied = member ? `${types[0] ?? ""}.(${types.slice(1).join(", ")})` : `(${types.join(", ")})`;
  return `no matching overload for '${name}' applied to ${applied}`;
}
