import type { Library } from "../declarations.ts";

/** The extension libraries, all of them. */
export const EXTENSIONS: readonly Library[] = [];
