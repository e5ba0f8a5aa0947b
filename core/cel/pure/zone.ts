import { failure, success, type Result } from "./result.ts";

/** A time zone: what to add to UTC, at which instant. */
export interface Zone {
  readonly name: string;
  /** Seconds east of UTC at an instant given in seconds since 1970. */
  offsetAt(seconds: number): number;
}

class FixedZone implements Zone {
  readonly name: string;
  readonly #offset: number;

  constructor(name: string, offset: number) {
    this.name = name;
    this.#offset = offset;
  }

  offsetAt(): number {
    return this.#offset;
  }
}

/** Offsets are remembered for stretches of this many seconds: zones change at multiples of it, but for a few before 1972. */
const STRETCH = 900;
/** How many stretches a zone remembers; a power of two. */
const REMEMBERED = 32;

class NamedZone implements Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #stretches: Float64Array = new Float64Array(REMEMBERED).fill(NaN);
  readonly #offsets: Int32Array = new Int32Array(REMEMBERED);

  /** @throws {RangeError} if there is no zone of this name */
  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset", day: "numeric" });
  }

  offsetAt(seconds: number): number {
    const stretch = Math.floor(seconds / STRETCH);
    const slot = stretch & (REMEMBERED - 1);
    if (this.#stretches[slot] === stretch) return this.#offsets[slot] ?? 0;
    const offset = this.#lookUp(stretch * STRETCH);
    if (this.#lookUp(stretch * STRETCH + STRETCH - 1) !== offset) return this.#lookUp(seconds);
    this.#stretches[slot] = stretch;
    this.#offsets[slot] = offset;
    return offset;
  }

  /** Formatting is the one way to ask the runtime's zone data; it writes "31, GMT-04:56:02". */
  #lookUp(seconds: number): number {
    const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(this.#format.format(seconds * 1000));
    const offset = Number(match?.[2] ?? 0) * 3600 + Number(match?.[3] ?? 0) * 60 + Number(match?.[4] ?? 0);
    return match?.[1] === "-" ? -offset : offset;
  }
}

/** Zones kept; each holds a formatter of the runtime. */
const MAX_ZONES = 64;
const zones = new Map<string, Zone>([["UTC", new FixedZone("UTC", 0)]]);

/**
 * The zone of a name of the IANA database ("Europe/Zurich") or of a fixed offset ("+05:30", "-02:00", "02:00"), as
 * the specification has them. Zones are remembered, a bounded number of them.
 */
export function lookUpZone(name: string): Result<Zone> {
  const known = zones.get(name);
  if (known !== undefined) return success(known);
  const made = makeZone(name);
  if (made === undefined) return failure(`unknown time zone ${JSON.stringify(name.slice(0, 64))}`);
  if (zones.size >= MAX_ZONES) {
    const oldest = zones.keys().next().value;
    if (oldest !== undefined) zones.delete(oldest);
  }
  zones.set(name, made);
  return success(made);
}

function makeZone(name: string): Zone | undefined {
  const fixed = /^([+-]?)(0\d|1[0-4]):([0-5]\d)$/.exec(name);
  if (fixed !== null) {
    const offset = Number(fixed[2]) * 3600 + Number(fixed[3]) * 60;
    return new FixedZone(name, fixed[1] === "-" ? -offset : offset);
  }
  if (!/^[A-Z][A-Za-z0-9_+-]{0,31}(\/[A-Z][A-Za-z0-9_+-]{0,31}){0,2}$/.test(name)) return undefined;
  try {
    return new NamedZone(name);
  } catch {
    return undefined;
  }
}
