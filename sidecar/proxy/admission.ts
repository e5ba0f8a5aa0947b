/**
 * From a request to the engine's door: who, what, may they, and it is written down; only then a Permit, made here and
 * nowhere else. Whatever fails on the way is a refusal with a code, in the caller's dialect, and in the audit.
 */
import type { Logger } from "pino";
import type { BeginRecord, DeniedRecord, Subject } from "../../core/audit/record.ts";
import { NO_GUARDS } from "../../core/guards/plan.ts";
import { UNLIMITED } from "../../core/ledger/reservation.ts";
import type { Exchange, Operation, RequestBody } from "../../core/llm/exchange.ts";
import { readRequest, routeOf, type Route } from "../../core/llm/openai/index.ts";
import { decide, peerKnown, strangerDenied, visibleModels } from "../../core/policy/decide.ts";
import type { Allowed, Denied } from "../../core/policy/decision.ts";
import type { Facts } from "../../core/policy/facts.ts";
import type { Recorder } from "../audit/recorder.ts";
import type { Configuration, InForce } from "../configuration.ts";
import type { Metrics } from "../metrics.ts";
import { Answer } from "./answer.ts";
import type { Caller, Verification } from "./caller.ts";
import type { EnginePool } from "./engine.ts";
import { field, type RequestHead } from "./http1/head.ts";
import { requestId } from "./ids.ts";
import type { MemoryBudget } from "./memory.ts";
import { grantPermit, type EngineRequest } from "./permit.ts";
import { policyRefusal, refusal, type Refusal } from "./refusal.ts";
import type { Handler, Inbound, Reply, Responder } from "./reply.ts";
import { RequestView } from "./request-view.ts";

export interface AdmissionParts {
  readonly configuration: Configuration;
  readonly recorder: Recorder;
  readonly engine: EnginePool;
  /** When this sidecar's own certificate ends, Unix milliseconds. */
  readonly notAfter: () => number;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Shared by all that is held whole. */
  readonly memory: MemoryBudget;
  /** Exchanges that may be under way at once. */
  readonly maxExchanges: number;
}

/** What is known of a request so far: grows on its way, and is what the audit says of it. */
interface Progress {
  readonly id: string;
  readonly head: RequestHead | undefined;
  readonly caller: Caller;
  readonly started: number;
  peer: string;
  exchange: Exchange | undefined;
  inForce: InForce | undefined;
}

const NOT_CONFIGURED = refusal(503, "not_configured", "this sidecar has no configuration yet");
const EXPIRED = refusal(503, "sidecar_expired", "this sidecar's own certificate has expired");
const INTERNAL = refusal(500, "internal_error", "this sidecar failed to decide");
const NOTHING: Responder = { onDrain: () => undefined, onGone: () => undefined };

export class Admission implements Handler {
  readonly #parts: AdmissionParts;
  #underWay = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Exchanges between their Begin and their End. */
  get underWay(): number {
    return this.#underWay;
  }

  /** A sidecar without configuration or with an expired certificate serves nobody, and a caller without an identity is refused on its head: no body is worth reading. */
  refuseEarly(head: RequestHead, caller: Caller, reply: () => Reply): boolean {
    const progress = this.#progress(head, caller);
    if (this.#parts.configuration.inForce === undefined) {
      this.#refuse(progress, NOT_CONFIGURED, reply());
      return true;
    }
    const now = this.#parts.now();
    if (now >= this.#parts.notAfter()) {
      this.#refuse(progress, EXPIRED, reply());
      return true;
    }
    const verification = caller.verify(now);
    if (verification.ok) return this.#refuseStranger(progress, verification, reply);
    this.#refuse(progress, identityRefusal(verification, progress.id), reply());
    return true;
  }

  /** Whom no rule allows anything is refused before its body is read: what it says would change nothing. */
  #refuseStranger(progress: Progress, verification: Verification & { readonly ok: true }, reply: () => Reply): boolean {
    const { policies } = this.#parts.configuration.inForce!;
    const peer = verification.source.spiffeId;
    if (peerKnown(policies, peer)) return false;
    progress.peer = peer;
    progress.inForce = this.#parts.configuration.inForce;
    const denied = strangerDenied(policies);
    this.#refuse(progress, policyRefusal(denied, progress.id), reply(), denied);
    return true;
  }

  refuseProtocol(status: number, code: string, message: string, caller: Caller, reply: Reply): void {
    const progress = this.#progress(undefined, caller);
    const verification = caller.verify(this.#parts.now());
    if (verification.ok) progress.peer = verification.source.spiffeId;
    this.#refuse(progress, refusal(status, code, message), reply);
  }

  handle(inbound: Inbound, reply: Reply): Responder {
    const progress = this.#progress(inbound.head, inbound.caller);
    try {
      return this.#decide(inbound, progress, reply);
    } catch (error) {
      // A fault of ours denies like any other reason.
      this.#parts.log.error({ err: error, id: progress.id }, "admission failed");
      return this.#refuse(progress, INTERNAL, reply);
    }
  }

  #decide({ head, body, caller }: Inbound, progress: Progress, reply: Reply): Responder {
    const now = this.#parts.now();
    const verification = caller.verify(now);
    if (!verification.ok) return this.#refuse(progress, identityRefusal(verification, progress.id), reply);
    progress.peer = verification.source.spiffeId;

    const route = routeOf(
      head.method,
      head.target,
      field(head.fields, "content-type"),
      field(head.fields, "content-encoding"),
    );
    if (!route.ok)
      return this.#refuse(
        progress,
        refusal(route.error.status, route.error.code, route.error.message, route.error.param),
        reply,
      );
    const reading = readRequest(route.route, body);
    if (!reading.ok)
      return this.#refuse(
        progress,
        refusal(reading.error.status, reading.error.code, reading.error.message, reading.error.param),
        reply,
      );
    progress.exchange = reading.exchange;

    const { inForce } = this.#parts.configuration;
    if (inForce === undefined) return this.#refuse(progress, NOT_CONFIGURED, reply);
    progress.inForce = inForce;
    const facts: Facts = {
      source: verification.source,
      destination: inForce.destination,
      request: new RequestView(progress.id, head, body.length, now),
      llm: reading.exchange,
    };
    const decision = decide(inForce.policies, facts);
    if (decision.outcome === "Deny")
      return this.#refuse(progress, policyRefusal(decision, progress.id), reply, decision);
    if (this.#underWay >= this.#parts.maxExchanges)
      return this.#refuse(progress, refusal(503, "overloaded", "too many exchanges are under way"), reply);
    return this.#admit(progress, route.route, verification, decision, reading.body, reply);
  }

  /** Writes the Begin; once it is on disk the request goes to the engine. */
  #admit(
    progress: Progress,
    route: Route,
    verification: Verification & { readonly ok: true },
    decision: Allowed,
    body: RequestBody,
    reply: Reply,
  ): Responder {
    const exchange = progress.exchange!;
    const { by, maxOutputTokens } = decision.allowance;
    const request = engineRequest(route, progress, body, maxOutputTokens);
    const { policies } = progress.inForce!;
    const peer = verification.source.spiffeId;
    const answer = new Answer({
      id: progress.id,
      exchange,
      reply,
      started: progress.started,
      parts: this.#parts,
      memory: this.#parts.memory.holder(() => peer),
      visible: visibleModels(policies, peer),
      done: () => void this.#underWay--,
    });
    this.#underWay++;
    const begin: BeginRecord = {
      kind: "Begin",
      id: progress.id,
      time: this.#parts.now(),
      ...subjectOf(progress),
      policy: by.policy,
      rule: by.rule,
      snapshot: progress.inForce!.version,
      streaming: exchange.streaming,
      features: exchange.features,
      requestBytes: request.body.length,
      ...(decision.shadow === undefined ? {} : { shadow: decision.shadow }),
    };
    this.#parts.recorder.begin(begin, (receipt, error) => {
      if (receipt === undefined) {
        this.#parts.log.error({ err: error, id: progress.id }, "audit begin failed");
        answer.refuse(refusal(503, "audit_unavailable", "the audit cannot be written"));
        return;
      }
      if (answer.abandoned()) return;
      try {
        const grounds = {
          peer: verification.peer,
          allowance: decision.allowance,
          reservation: UNLIMITED,
          guards: NO_GUARDS,
          receipt,
        };
        answer.start(this.#parts.engine.send(grantPermit(grounds, request), answer), UNLIMITED);
      } catch (failure) {
        this.#parts.log.error({ err: failure, id: progress.id }, "sending failed");
        answer.refuse(INTERNAL);
      }
    });
    return answer;
  }

  #refuse(progress: Progress, refused: Refusal, reply: Reply, decision?: Denied): Responder {
    const record: DeniedRecord = {
      kind: "Denied",
      id: progress.id,
      time: this.#parts.now(),
      ...subjectOf(progress),
      policy: decision?.by?.policy ?? "",
      rule: decision?.by?.rule ?? "",
      snapshot: progress.inForce?.version ?? "",
      status: refused.status,
      code: decision?.code ?? refused.code,
      reason: decision?.reason ?? refused.message,
      ...(decision?.shadow === undefined ? {} : { shadow: decision.shadow }),
    };
    this.#parts.recorder.denied(record);
    this.#parts.metrics.request(
      progress.exchange?.operation ?? "",
      refused.status,
      record.code,
      this.#parts.clock() - progress.started,
    );
    refused.sendTo(reply, progress.id);
    return NOTHING;
  }

  #progress(head: RequestHead | undefined, caller: Caller): Progress {
    return {
      id: requestId(),
      head,
      caller,
      started: this.#parts.clock(),
      peer: "",
      exchange: undefined,
      inForce: undefined,
    };
  }
}

function identityRefusal(verification: Verification & { readonly ok: false }, id: string): Refusal {
  return refusal(401, verification.code, `${verification.message} (${verification.code}, request ${id})`);
}

function subjectOf(progress: Progress): Subject {
  const target = progress.head?.target ?? "";
  const query = target.indexOf("?");
  return {
    peer: progress.peer,
    address: progress.caller.address,
    method: progress.head?.method ?? "",
    path: query < 0 ? target : target.slice(0, query),
    operation: progress.exchange?.operation ?? "",
    model: progress.exchange?.model ?? "",
  };
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The engine's request: fields of our own making, and of the caller's only the trace context when it is well-formed. */
function engineRequest(
  route: Route,
  progress: Progress,
  body: RequestBody,
  maxTokens: number | undefined,
): EngineRequest {
  const exchange = progress.exchange!;
  const trace = field(progress.head!.fields, "traceparent");
  const accept = exchange.streaming ? "text/event-stream" : "application/json";
  const content = route.method === "POST" ? "content-type: application/json\r\n" : "";
  return {
    method: route.method,
    path: route.path,
    fields: `${content}accept: ${accept}\r\naccept-encoding: identity\r\nx-request-id: ${progress.id}\r\n${TRACEPARENT.test(trace) ? `traceparent: ${trace}\r\n` : ""}`,
    body: forwarded(exchange, body, maxTokens),
  };
}

const COUNTED: ReadonlySet<Operation> = new Set<Operation>(["Chat", "Completions"]);

/** What is forwarded: the bytes that were read, with the ceiling and the request for usage written in where they are missing. */
function forwarded(exchange: Exchange, body: RequestBody, ceiling: number | undefined): Buffer {
  if (!COUNTED.has(exchange.operation)) return body.bytes;
  const askUsage = exchange.streaming && !exchange.usageAsked;
  if (ceiling === undefined && !askUsage) return body.bytes;
  // Also where the request names a lower ceiling: engines differ in which of its two names they know.
  return body.rewrite({
    ...(ceiling === undefined ? {} : { maxTokens: ceiling }),
    ...(askUsage ? { includeUsage: true } : {}),
  });
}
