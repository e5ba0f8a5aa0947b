/** The proxies that are compared, each as a thing that can be started in front of an upstream and reached by clients. */
import type { Destination } from "./connection.ts";

/** PEM texts: what a client shows, and what it trusts. */
export interface ClientTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Target {
  readonly name: string;
  readonly port: number;
  /** The process whose tree is measured. */
  readonly pid: number;
  /** Who may, and whom the policy refuses. */
  readonly client: ClientTls;
  readonly intruder: ClientTls;
  stop(): Promise<void>;
}

/** What a target stands in front of: one server for plain answers, one for streams (they may be the same). */
export interface Upstream {
  readonly port: number;
}

/** Why a proxy cannot be had on this machine, in one line. */
export class Unavailable extends Error {}

export function destination(target: Target, who: "client" | "intruder"): Destination {
  return { port: target.port, tls: target[who] };
}
