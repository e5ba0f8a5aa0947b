import type { Library } from "../declarations.ts";
import { CONVERSIONS } from "./conversions.ts";
import { BINDINGS, COMPREHENSIONS, MACROS } from "./macros.ts";
import { OPTIONALS } from "./optionals.ts";
import { TEXT } from "./text.ts";
import { TIME } from "./time.ts";

/** What every environment has: the specification's functions and macros, optionals, bindings, two-variable macros. */
export const BASE_LIBRARIES: readonly Library[] = [
  MACROS,
  TEXT,
  CONVERSIONS,
  TIME,
  OPTIONALS,
  BINDINGS,
  COMPREHENSIONS,
];
