/**
 * The audit's records, one JSON object on a line. Each carries the hash of the line before it, so that a line cannot be
 * changed, taken out or put in without the rest showing it. Prompts and answers are not in them.
 */
import { hash } from "node:crypto";

/** Who asked and what for, as far as it was understood. */
export interface Subject {
  /** SPIFFE ID of the verified peer; empty when there was none. */
  readonly peer: string;
  /** Address of the connection. */
  readonly address: string;
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  /** Empty until the request was read as an exchange. */
  readonly operation: string;
  readonly model: string;
}

/** What would have been, had the shadow policies counted. Present only where that differs. */
export interface ShadowVerdict {
  readonly outcome: "Allow" | "Deny";
  readonly policy: string;
  readonly rule: string;
}

/** Which rule decided; empty names where none did. */
export interface Ground {
  readonly policy: string;
  readonly rule: string;
  /** Version of the snapshot that the decision was made on; empty when there was none. */
  readonly snapshot: string;
}

export interface BeginRecord extends Subject, Ground {
  readonly kind: "Begin";
  readonly id: string;
  readonly time: number;
  readonly streaming: boolean;
  readonly features: readonly string[];
  readonly requestBytes: number;
  readonly shadow?: ShadowVerdict;
}

export type Outcome = "Completed" | "ClientGone" | "EngineFailed" | "Cut";

export interface EndRecord {
  readonly kind: "End";
  readonly id: string;
  readonly time: number;
  readonly outcome: Outcome;
  /** HTTP status that the caller saw; 0 when it had gone before. */
  readonly status: number;
  /** Code of what went wrong; empty when nothing did. */
  readonly code: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly answerBytes: number;
  readonly milliseconds: number;
}

/** A request that never reached the engine. */
export interface DeniedRecord extends Subject, Ground {
  readonly kind: "Denied";
  readonly id: string;
  readonly time: number;
  readonly status: number;
  readonly code: string;
  readonly reason: string;
  readonly shadow?: ShadowVerdict;
}

/** Equal refusals that were counted instead of being written one by one. */
export interface RepeatedRecord {
  readonly kind: "Repeated";
  readonly time: number;
  /** SPIFFE ID, or the address where there was none; empty where several callers are counted together. */
  readonly caller: string;
  readonly code: string;
  readonly count: number;
}

/** First of each file: ties it to the one before. */
export interface OpenRecord {
  readonly kind: "Open";
  readonly time: number;
  readonly workload: string;
  /** Records lost before this file, because nothing took them off the machine in time. */
  readonly lost: number;
}

export type AuditRecord = BeginRecord | EndRecord | DeniedRecord | RepeatedRecord | OpenRecord;

/** The chain's value before its first record. */
export const GENESIS = "";

/** A chain of records: turns each into its line. */
export class Chain {
  #previous: string;
  #sequence: number;

  constructor(previous: string = GENESIS, sequence = 0) {
    this.#previous = previous;
    this.#sequence = sequence;
  }

  /** The hash that the next line will carry. */
  get head(): string {
    return this.#previous;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** The line of a record, its line feed included. */
  append(record: AuditRecord): string {
    const line = `{"seq":${++this.#sequence},"prev":"${this.#previous}",${encodeRecord(record).slice(1)}`;
    this.#previous = lineHash(line);
    return `${line}\n`;
  }
}

/** The hash of a line, without its line feed: SHA-256 in base64url. */
export function lineHash(line: string): string {
  return hash("sha256", line, "base64url");
}

export interface Verified {
  readonly records: number;
  readonly head: string;
}

/** Checks that lines form one chain that starts after `previous`; throws an error that names the first line that does not fit. */
export function verifyChain(lines: readonly string[], previous: string | undefined): Verified {
  let expected = previous;
  let sequence: number | undefined;
  for (const [index, line] of lines.entries()) {
    const head = /^\{"seq":(\d{1,15}),"prev":"([A-Za-z0-9_-]{0,64})",/.exec(line);
    if (head === null) throw new Error(`line ${index + 1} is not an audit record`);
    if (expected !== undefined && head[2] !== expected)
      throw new Error(`line ${index + 1} does not follow the line before it`);
    const number = Number(head[1]);
    if (sequence !== undefined && number !== sequence + 1)
      throw new Error(`line ${index + 1} has number ${number}, not ${sequence + 1}`);
    sequence = number;
    expected = lineHash(line);
  }
  return { records: lines.length, head: expected ?? GENESIS };
}

/** JSON with time in RFC 3339. The hot kinds are written out by hand: JSON.stringify costs three times as much. */
function encodeRecord(record: AuditRecord): string {
  switch (record.kind) {
    case "Begin":
      return `{"kind":"Begin","id":${quote(record.id)},"time":"${instant(record.time)}",${subject(record)},${ground(record)},"streaming":${record.streaming},"features":${record.features.length === 0 ? "[]" : JSON.stringify(record.features)},"requestBytes":${record.requestBytes}${shadow(record.shadow)}}`;
    case "End":
      return `{"kind":"End","id":${quote(record.id)},"time":"${instant(record.time)}","outcome":"${record.outcome}","status":${record.status},"code":${quote(record.code)},"promptTokens":${record.promptTokens},"completionTokens":${record.completionTokens},"answerBytes":${record.answerBytes},"milliseconds":${record.milliseconds}}`;
    case "Denied":
      return `{"kind":"Denied","id":${quote(record.id)},"time":"${instant(record.time)}",${subject(record)},${ground(record)},"status":${record.status},"code":${quote(record.code)},"reason":${quote(record.reason)}${shadow(record.shadow)}}`;
    case "Repeated":
    case "Open":
      return JSON.stringify({ ...record, time: instant(record.time) });
  }
}

function subject(record: Subject): string {
  return `"peer":${quote(record.peer)},"address":${quote(record.address)},"method":${quote(record.method)},"path":${quote(record.path)},"operation":${quote(record.operation)},"model":${quote(record.model)}`;
}

function ground(record: Ground): string {
  return `"policy":${quote(record.policy)},"rule":${quote(record.rule)},"snapshot":${quote(record.snapshot)}`;
}

function shadow(verdict: ShadowVerdict | undefined): string {
  return verdict === undefined ? "" : `,"shadow":${JSON.stringify(verdict)}`;
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A JSON string. Most are plain ASCII, for which quotes are all it takes. */
function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

let lastMillisecond = 0;
let lastInstant = "1970-01-01T00:00:00.000Z";

/** RFC 3339 in UTC; remembered, for many records share a millisecond. */
function instant(time: number): string {
  if (time !== lastMillisecond) {
    lastInstant = new Date(time).toISOString();
    lastMillisecond = time;
  }
  return lastInstant;
}
