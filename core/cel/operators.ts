import {
  BOOL, BYTES, DOUBLE, DURATION, INT, STRING, TIMESTAMP, UINT,
  listOf, mapOf, optionalOf, paramOf, type CelType,
} from "./types.ts"; // prettier-ignore

/** An overload of an operator; the compiler knows by id what it does. */
export interface OperatorOverload {
  readonly id: string;
  readonly params: readonly CelType[];
  readonly result: CelType;
}

const A = paramOf("A");
const B = paramOf("B");
const LIST_A = listOf(A);
const MAP_AB = mapOf(A, B);

function binary(id: string, a: CelType, b: CelType, result: CelType): OperatorOverload {
  return { id, params: [a, b], result };
}

function each(name: string, types: readonly CelType[], result?: CelType): OperatorOverload[] {
  return types.map((type) => binary(`${name}_${type.kind}`, type, type, result ?? type));
}

const NUMBERS = [INT, UINT, DOUBLE] as const;

/** Numbers of different types compare by their mathematical values. */
function comparison(name: string): OperatorOverload[] {
  const mixed = NUMBERS.flatMap((a) =>
    NUMBERS.filter((b) => a !== b).map((b) => binary(`${name}_${a.kind}_${b.kind}`, a, b, BOOL)),
  );
  return [...each(name, [BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION], BOOL), ...mixed];
}

/** Operators by their name in the tree. */
export const OPERATORS: ReadonlyMap<string, readonly OperatorOverload[]> = new Map<string, readonly OperatorOverload[]>(
  [
    ["_&&_", [binary("and", BOOL, BOOL, BOOL)]],
    ["_||_", [binary("or", BOOL, BOOL, BOOL)]],
    ["!_", [{ id: "not", params: [BOOL], result: BOOL }]],
    ["_?_:_", [{ id: "conditional", params: [BOOL, A, A], result: A }]],
    ["_==_", [binary("equals", A, A, BOOL)]],
    ["_!=_", [binary("not_equals", A, A, BOOL)]],
    ["_<_", comparison("less")],
    ["_<=_", comparison("less_equals")],
    ["_>_", comparison("greater")],
    ["_>=_", comparison("greater_equals")],
    [
      "_+_",
      [
        ...each("add", [...NUMBERS, STRING, BYTES]),
        binary("add_list", LIST_A, LIST_A, LIST_A),
        binary("add_timestamp_duration", TIMESTAMP, DURATION, TIMESTAMP),
        binary("add_duration_timestamp", DURATION, TIMESTAMP, TIMESTAMP),
        binary("add_duration", DURATION, DURATION, DURATION),
      ],
    ],
    [
      "_-_",
      [
        ...each("subtract", NUMBERS),
        binary("subtract_timestamp", TIMESTAMP, TIMESTAMP, DURATION),
        binary("subtract_timestamp_duration", TIMESTAMP, DURATION, TIMESTAMP),
        binary("subtract_duration", DURATION, DURATION, DURATION),
      ],
    ],
    ["_*_", each("multiply", NUMBERS)],
    ["_/_", each("divide", NUMBERS)],
    ["_%_", each("modulo", [INT, UINT])],
    [
      "-_",
      [
        { id: "negate_int", params: [INT], result: INT },
        { id: "negate_double", params: [DOUBLE], result: DOUBLE },
      ],
    ],
    ["@in", [binary("in_list", A, LIST_A, BOOL), binary("in_map", A, MAP_AB, BOOL)]],
    [
      "_[_]",
      [
        binary("index_list", LIST_A, INT, A),
        binary("index_map", MAP_AB, A, B),
        binary("index_optional_list", optionalOf(LIST_A), INT, optionalOf(A)),
        binary("index_optional_map", optionalOf(MAP_AB), A, optionalOf(B)),
      ],
    ],
    [
      "_[?_]",
      [
        binary("optional_index_list", LIST_A, INT, optionalOf(A)),
        binary("optional_index_map", MAP_AB, A, optionalOf(B)),
        binary("optional_index_optional_list", optionalOf(LIST_A), INT, optionalOf(A)),
        binary("optional_index_optional_map", optionalOf(MAP_AB), A, optionalOf(B)),
      ],
    ],
  ],
);

/** How an operator is written, for error texts. */
export function operatorSymbol(name: string): string {
  return name === "@in" ? "in" : name.replaceAll("_", "");
}
