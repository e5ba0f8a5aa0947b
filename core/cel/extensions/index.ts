import type { Library } from "../declarations.ts";
import { ENCODERS } from "./encoders.ts";
import { QUANTITIES, SEMVERS, URLS } from "./kubernetes.ts";
import { LISTS, SETS } from "./lists.ts";
import { MATH } from "./math.ts";
import { NETWORK } from "./network.ts";
import { REGEX } from "./regex.ts";
import { SALLYPORT } from "./sallyport.ts";
import { STRINGS } from "./strings.ts";

/** The extension libraries, all of them. */
export const EXTENSIONS: readonly Library[] = [
  STRINGS,
  LISTS,
  SETS,
  MATH,
  ENCODERS,
  REGEX,
  NETWORK,
  URLS,
  QUANTITIES,
  SEMVERS,
  SALLYPORT,
];
