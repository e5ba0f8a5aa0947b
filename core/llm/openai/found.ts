/** What the checks learn on their way through a request, beside whether it is well-formed. */
import { FEATURES, type Feature } from "../exchange.ts";

export interface Found {
  /** A bit for each of FEATURES. */
  features: number;
  /** Token numbers in prompts. */
  promptTokens: number;
}

export function nothingFound(): Found {
  return { features: 0, promptTokens: 0 };
}

export function bit(feature: Feature): number {
  return 1 << FEATURES.indexOf(feature);
}

const NO_FEATURES: readonly Feature[] = [];
const LISTS = new Map<number, readonly Feature[]>([[0, NO_FEATURES]]);

/** In FEATURES' order. The lists are shared: requests of one kind use the same features again and again. */
export function featuresOf(bits: number): readonly Feature[] {
  const known = LISTS.get(bits);
  if (known !== undefined) return known;
  const list = FEATURES.filter((feature) => (bits & bit(feature)) !== 0);
  if (LISTS.size < 4096) LISTS.set(bits, list);
  return list;
}
