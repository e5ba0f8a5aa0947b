/** What is wrong with a part of a request, with a path that grows as it is handed up. */
import type { ReadingError } from "../exchange.ts";
import { shown } from "../json-fault.ts";

export type FaultCode = "unknown_parameter" | "unsupported_parameter" | "invalid_parameter" | "missing_parameter";

export interface Fault {
  readonly code: FaultCode;
  /** Behind the path it reads as a sentence. */
  readonly what: string;
  /** From the part that was read; "" is the part itself. */
  readonly path: string;
}

export function invalid(what: string, path = ""): Fault {
  return { code: "invalid_parameter", what, path };
}

export function missing(name: string): Fault {
  return { code: "missing_parameter", what: "is required", path: name };
}

/** `name` is the caller's own: it is shortened and escaped before it is shown. */
export function unknown(name: string): Fault {
  return { code: "unknown_parameter", what: "is not a parameter that is known here", path: safeName(name) };
}

/** The same fault seen from one level further out. */
export function within(prefix: string, fault: Fault): Fault {
  const joint = fault.path === "" || fault.path.startsWith("[") ? "" : ".";
  return { ...fault, path: `${prefix}${joint}${fault.path}` };
}

export function toReadingError(fault: Fault): ReadingError {
  const subject = fault.path === "" ? "the body" : fault.path;
  return { status: 400, code: fault.code, message: `${subject} ${fault.what}`, param: fault.path };
}

function safeName(name: string): string {
  return /^[A-Za-z0-9_.$-]{1,64}$/.test(name) ? name : shown(name);
}
