/** Request identifiers: 96 random bits each, drawn from the system in bulk. */
import { randomFillSync } from "node:crypto";

const BYTES = 12;
const pool = Buffer.alloc(BYTES * 256);
let at = pool.length;

/** A new identifier, for instance req_9f86d081884c7d659a2feaa0. */
export function requestId(): string {
  if (at === pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  const id = pool.toString("hex", at, at + BYTES);
  at += BYTES;
  return `req_${id}`;
}
