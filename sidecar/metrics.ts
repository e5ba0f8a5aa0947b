/** Counts of the hot path, kept as plain numbers and handed to prom-client when somebody scrapes. */
import { Counter, Gauge, Registry } from "prom-client";

/** Upper bounds in seconds: an engine's answers take from milliseconds to minutes. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

interface Series {
  readonly operation: string;
  readonly status: string;
  readonly code: string;
  count: number;
}

interface Durations {
  readonly counts: number[];
  sum: number;
  total: number;
}

/** What is read at scrape time instead of being counted. */
export interface Gauges {
  readonly connections: () => number;
  readonly exchanges: () => number;
  readonly engineConnections: () => number;
  readonly snapshotVersion: () => string;
  /** Unix seconds; 0 without an identity. */
  readonly identityNotAfter: () => number;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Map<string, Series>();
  readonly #durations = new Map<string, Durations>();
  #promptTokens = 0;
  #completionTokens = 0;
  #auditLost = 0;
  #auditFailures = 0;

  constructor(gauges: Gauges) {
    const registry = this.#registry;
    const requests = this.#requests;
    const requestsTotal = new Counter({
      name: "sallyport_requests_total",
      help: "Requests by operation, HTTP status and code (empty: nothing went wrong).",
      labelNames: ["operation", "status", "code"],
      registers: [],
      collect(): void {
        this.reset();
        for (const { operation, status, code, count } of requests.values())
          this.inc({ operation, status, code }, count);
      },
    });
    const tokens = (): readonly [string, number][] => [
      ["prompt", this.#promptTokens],
      ["completion", this.#completionTokens],
    ];
    const tokensTotal = new Counter({
      name: "sallyport_tokens_total",
      help: "Tokens as the engine counted them.",
      labelNames: ["type"],
      registers: [],
      collect(): void {
        this.reset();
        for (const [type, count] of tokens()) this.inc({ type }, count);
      },
    });
    this.#count("sallyport_audit_records_lost_total", "Audit records that could not be kept.", () => this.#auditLost);
    this.#count("sallyport_audit_failures_total", "Failures to write the audit.", () => this.#auditFailures);
    this.#gauge("sallyport_connections", "Open connections from clients.", gauges.connections);
    this.#gauge("sallyport_exchanges", "Exchanges under way.", gauges.exchanges);
    this.#gauge("sallyport_engine_connections", "Connections to the engine.", gauges.engineConnections);
    this.#gauge(
      "sallyport_identity_not_after_seconds",
      "When this sidecar's certificate ends, Unix time.",
      gauges.identityNotAfter,
    );
    const snapshotInfo = new Gauge({
      name: "sallyport_snapshot_info",
      help: "Version of the snapshot in force.",
      labelNames: ["version"],
      registers: [],
      collect(): void {
        this.reset();
        this.set({ version: gauges.snapshotVersion() }, 1);
      },
    });
    registry.registerMetric(requestsTotal);
    registry.registerMetric(tokensTotal);
    registry.registerMetric(snapshotInfo);
  }

  request(operation: string, status: number, code: string, milliseconds: number): void {
    const key = `${operation} ${status} ${code}`;
    const series = this.#requests.get(key);
    if (series === undefined) this.#requests.set(key, { operation, status: String(status), code, count: 1 });
    else series.count++;
    let durations = this.#durations.get(operation);
    if (durations === undefined)
      this.#durations.set(operation, (durations = { counts: BUCKETS.map(() => 0), sum: 0, total: 0 }));
    const seconds = milliseconds / 1000;
    durations.sum += seconds;
    durations.total++;
    for (let i = 0; i < BUCKETS.length; i++) if (seconds <= BUCKETS[i]!) durations.counts[i]!++;
  }

  tokens(prompt: number, completion: number): void {
    this.#promptTokens += prompt;
    this.#completionTokens += completion;
  }

  auditLost(records: number): void {
    this.#auditLost += records;
  }

  auditFailed(): void {
    this.#auditFailures++;
  }

  /** Prometheus' text format. */
  async text(): Promise<string> {
    return `${await this.#registry.metrics()}\n${this.#histogram()}`;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #count(name: string, help: string, value: () => number): void {
    const counter = new Counter({
      name,
      help,
      registers: [],
      collect(): void {
        this.reset();
        this.inc(value());
      },
    });
    this.#registry.registerMetric(counter);
  }

  #gauge(name: string, help: string, value: () => number): void {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      collect(): void {
        this.set(value());
      },
    });
    this.#registry.registerMetric(gauge);
  }

  /** prom-client's Histogram cannot be set from outside, so its text is written here. */
  #histogram(): string {
    const name = "sallyport_request_duration_seconds";
    let text = `# HELP ${name} From a request's last byte to its answer's last byte.\n# TYPE ${name} histogram\n`;
    for (const [operation, { counts, sum, total }] of this.#durations) {
      const label = `operation="${operation}"`;
      for (const [i, bound] of BUCKETS.entries()) text += `${name}_bucket{${label},le="${bound}"} ${counts[i]}\n`;
      text += `${name}_bucket{${label},le="+Inf"} ${total}\n${name}_sum{${label}} ${sum}\n${name}_count{${label}} ${total}\n`;
    }
    return text;
  }
}
