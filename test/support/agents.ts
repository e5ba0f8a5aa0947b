/** Agents for tests, against a whole operator. */
import { afterEach } from "@jest/globals";
import { existsSync, openSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workloadId } from "../../core/identity/index.ts";
import type { Snapshot } from "../../core/snapshot/index.ts";
import {
  removeFolder,
  snapshotOf,
  startTestOperator,
  subjectOf,
  TRUST_DOMAIN,
  type TestOperator,
  type TestOperatorOptions,
} from "./operator.ts";
import {
  startAgent,
  type Agent,
  type AgentIdentity,
  type AgentOptions,
  type AgentState,
  type SnapshotVerdict,
} from "../../sidecar/agent/agent.ts";

/** Run after each test, the last first. */
export const cleanups: (() => Promise<void>)[] = [];

/** Ends after each test what it started. */
export function cleanUpAfterEach(): void {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
}

export async function operator(options: TestOperatorOptions = {}): Promise<TestOperator> {
  const started = await startTestOperator(options);
  cleanups.push(async () => {
    await started.stop(0);
    await removeFolder(started.folder);
  });
  return started;
}

export interface Line {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export interface TestAgent {
  readonly agent: Agent;
  readonly identities: AgentIdentity[];
  readonly snapshots: Snapshot[];
  readonly states: AgentState[];
  readonly lines: Line[];
  readonly cacheDir: string;
  readonly token: string;
  judge: (snapshot: Snapshot) => SnapshotVerdict;
}

export interface AgentTestOptions {
  readonly name?: string;
  readonly cacheDir?: string;
  readonly token?: string;
  readonly change?: Partial<AgentOptions>;
}

export async function agent(of: TestOperator, options: AgentTestOptions = {}): Promise<TestAgent> {
  const { name = "engine", change = {} } = options;
  const folder = await mkdtemp(join(tmpdir(), "sallyport-agent-"));
  cleanups.push(() => removeFolder(folder));
  const token = options.token ?? of.tokens.create(subjectOf(name));
  const file = join(folder, "token");
  writeFileSync(file, `${token}\n`);
  const identities: AgentIdentity[] = [];
  const snapshots: Snapshot[] = [];
  const states: AgentState[] = [];
  const lines: Line[] = [];
  const write = (level: string) => (fields: object, message: string) => lines.push({ level, fields, message });
  const cacheDir = options.cacheDir ?? join(folder, "cache");
  const result: Omit<TestAgent, "agent"> = {
    identities,
    snapshots,
    states,
    lines,
    cacheDir,
    token,
    judge: () => ({ ok: true }),
  };
  const started = startAgent(
    {
      operatorAddress: of.address,
      operatorId: of.id.uri,
      trustBundle: of.authority.rootsPem,
      token: { fd: openSync(file, "r") },
      cacheDir,
      instance: `${name}-0`,
      build: "test",
      features: [],
      log: { info: write("info"), warn: write("warn"), error: write("error") },
      ...change,
    },
    {
      onIdentity: (identity) => identities.push(identity),
      onSnapshot: (snapshot) => {
        const verdict = result.judge(snapshot);
        if (verdict.ok) snapshots.push(snapshot);
        return verdict;
      },
      onState: (state) => states.push(state),
    },
  );
  cleanups.push(() => started.stop());
  return Object.assign(result, { agent: started });
}

export const isCached = ({ cacheDir }: TestAgent): boolean => existsSync(join(cacheDir, "snapshot"));

export const publish = (of: TestOperator, name: string, mark: string): string =>
  of.config.publish(workloadId(TRUST_DOMAIN, "inference", name).uri, snapshotOf(name, mark).bytes);

export const marks = ({ snapshots }: TestAgent): readonly (string | undefined)[] =>
  snapshots.map(({ workload }) => workload.labels["mark"]);
