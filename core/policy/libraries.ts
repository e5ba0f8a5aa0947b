/** The function libraries that policies may use. */
import type { Library } from "../cel/index.ts";

export const LIBRARIES: readonly Library[] = [];
