/** What the decision looks at beside an exchange: who is on the other side, and the request that carried it. */
import type { Timestamp } from "../cel/index.ts";
import type { Exchange } from "../llm/exchange.ts";

export interface SourceFacts {
  readonly spiffeId: string;
  readonly identity: {
    readonly trustDomain: string;
    readonly namespace: string;
    readonly serviceAccount: string;
    readonly name: string;
  };
  readonly address: string;
}

export interface DestinationFacts {
  readonly spiffeId: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface RequestFacts {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** May be a getter: most policies never read headers. */
  readonly headers: ReadonlyMap<string, string>;
  readonly time: Timestamp;
  readonly size: number;
}

/** The variables of one request, one property for each name in VARIABLES. */
export type Facts = {
  readonly source: SourceFacts;
  readonly destination: DestinationFacts;
  readonly request: RequestFacts;
  readonly llm: Exchange;
};
