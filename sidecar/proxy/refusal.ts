/** What a caller is told when its request does not reach the engine, or comes back from it broken. */
import { errorBody, errorEvent } from "../../core/llm/openai/index.ts";
import type { Denied } from "../../core/policy/decision.ts";
import type { Reply } from "./reply.ts";

export class Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly param: string;

  constructor(status: number, code: string, message: string, param: string) {
    this.status = status;
    this.code = code;
    this.message = message;
    this.param = param;
  }

  /** As a whole answer. */
  sendTo(reply: Reply, id: string): void {
    const retry = this.status === 503 ? "retry-after: 1\r\n" : "";
    const fields = `content-type: application/json\r\nx-request-id: ${id}\r\n${retry}`;
    reply.send(this.status, fields, Buffer.from(errorBody(this.status, this.code, this.message, this.param), "utf8"));
  }

  /** As the last event of a stream that has begun: never a clean end of what was cut. */
  event(): Buffer {
    return errorEvent(this.status, this.code, this.message);
  }
}

export function refusal(status: number, code: string, message: string, param = ""): Refusal {
  return new Refusal(status, code, message, param);
}

/** A policy's denial: as much of it as the policy lets the caller know. The rule's own message is always told. */
export function policyRefusal(decision: Denied, id: string): Refusal {
  const words = decision.message === "" ? "this request is not allowed by policy" : decision.message;
  switch (decision.detail) {
    case "None":
      return refusal(403, "denied", "this request is not allowed");
    case "Code":
      return refusal(403, decision.code, `${words} (${decision.code}, request ${id})`);
    case "Rule": {
      const by =
        decision.by === undefined
          ? decision.reason
          : `rule ${decision.by.rule} of policy ${decision.by.policy}: ${decision.reason}`;
      return refusal(403, decision.code, `${words} (${by}; ${decision.code}, request ${id})`);
    }
  }
}
