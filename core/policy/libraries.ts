/** The function libraries that policies may use: all that the language has. */
import { EXTENSIONS } from "../cel/extensions/index.ts";
import type { Library } from "../cel/index.ts";

export const LIBRARIES: readonly Library[] = EXTENSIONS;
