import type { Library } from "../declarations.ts";
import { ENCODERS } from "./encoders.ts";
import { LISTS } from "./lists.ts";
import { MATH } from "./math.ts";
import { NETWORK } from "./network.ts";
import { QUANTITIES } from "./quantity.ts";
import { REGEX } from "./regex.ts";
import { SALLYPORT } from "./sallyport.ts";
import { SEMVERS } from "./semver.ts";
import { SETS } from "./sets.ts";
import { STRINGS } from "./strings.ts";
import { URLS } from "./url.ts";

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
