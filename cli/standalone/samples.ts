/** Requests to try by hand: found by asking the sidecar's own decision, so that each does what it says. */
import path from "node:path";
import { Timestamp } from "../../core/cel/index.ts";
import { parseSpiffeId } from "../../core/identity/index.ts";
import { readRequest, routeOf } from "../../core/llm/openai/index.ts";
import { decide } from "../../core/policy/decide.ts";
import { compilePolicies, type PolicySet } from "../../core/policy/rules.ts";
import type { Snapshot } from "../../core/snapshot/index.ts";
import type { Client } from "./client-certificates.ts";

export interface Sample {
  readonly name: "allowed" | "streamed" | "denied-model" | "denied-identity" | "no-certificate";
  /** What will happen, in words. */
  readonly says: string;
  /** A shell command in one line. */
  readonly command: string;
}

interface Surroundings {
  readonly snapshot: Snapshot;
  readonly clients: readonly Client[];
  /** Base URL of the sidecar. */
  readonly url: string;
  readonly caFile: string;
}

/** Tried as a model that nobody allows where no rule names one that is denied. */
const FOREIGN_MODEL = "gpt-4o";
const CHAT_PATH = "/v1/chat/completions";

/** Commands that show what this workload's policies do; fewer where the policies allow nothing. */
export function samplesFor(surroundings: Surroundings): readonly Sample[] {
  const { snapshot, clients } = surroundings;
  const compiled = compilePolicies(snapshot);
  if (!compiled.ok) return [];
  const outcome = (client: Client, body: string): string => judge(compiled.set, snapshot, client, body);
  const models = modelsOf(snapshot);
  const samples: Sample[] = [];
  const found = clients
    .flatMap((client) => models.map((model) => ({ client, model })))
    .find(({ client, model }) => outcome(client, chat(model, false)) === "");
  const first = clients[0];
  if (found !== undefined) {
    const { client, model } = found;
    samples.push(
      sample(surroundings, "allowed", `${client.identity} may chat with ${model}`, client, chat(model, false)),
    );
    if (outcome(client, chat(model, true)) === "") {
      samples.push(sample(surroundings, "streamed", "the same as a stream", client, chat(model, true)));
    }
    const denied = deniedModel(models, (candidate) => outcome(client, chat(candidate, false)));
    if (denied !== undefined) {
      const says = `${client.identity} may not use ${denied.model} (${denied.why})`;
      samples.push(sample(surroundings, "denied-model", says, client, chat(denied.model, false)));
    }
    const other = clients.find((candidate) => candidate !== client && outcome(candidate, chat(model, false)) !== "");
    if (other !== undefined) {
      const says = `${other.identity} is known, and not allowed (${outcome(other, chat(model, false))})`;
      samples.push(sample(surroundings, "denied-identity", says, other, chat(model, false)));
    }
  } else if (first !== undefined) {
    const body = chat(models[0] ?? FOREIGN_MODEL, false);
    const says = `${first.identity} is known, and nothing allows it (${outcome(first, body)})`;
    samples.push(sample(surroundings, "denied-identity", says, first, body));
  }
  const body = chat(found?.model ?? models[0] ?? FOREIGN_MODEL, false);
  samples.push(sample(surroundings, "no-certificate", "nobody comes in without a certificate", undefined, body));
  return samples;
}

/** A model that is denied, by a rule of its own if there is one: that has the better story. */
function deniedModel(
  models: readonly string[],
  outcome: (model: string) => string,
): { readonly model: string; readonly why: string } | undefined {
  const judged = [...models, FOREIGN_MODEL].map((model) => ({ model, why: outcome(model) }));
  return judged.find(({ why }) => why === "denied_by_rule") ?? judged.find(({ why }) => why !== "");
}

/** Names that the rules' globs match: what is written, with something in place of each "*". */
function modelsOf({ policies }: Snapshot): readonly string[] {
  const globs = policies.flatMap(({ rules }) => rules.flatMap(({ models }) => models ?? []));
  return [...new Set(globs.map((glob) => (glob === "*" ? "llama-3-8b" : glob.replaceAll("*", "llama-4"))))];
}

function chat(model: string, stream: boolean): string {
  const messages = [{ role: "user", content: "Hello" }];
  return JSON.stringify(stream ? { model, messages, stream } : { model, messages });
}

/** The code of the denial; empty where it is allowed. */
function judge(set: PolicySet, snapshot: Snapshot, { spiffeId, identity }: Client, body: string): string {
  const routing = routeOf("POST", CHAT_PATH, "application/json");
  const parsed = parseSpiffeId(spiffeId);
  if (!routing.ok || !parsed.ok) throw new Error(`the sample request cannot be judged for ${spiffeId}`);
  const reading = readRequest(routing.route, Buffer.from(body));
  if (!reading.ok) return reading.error.code;
  const [namespace = "", name = ""] = identity.split("/");
  const decision = decide(set, {
    source: {
      spiffeId,
      identity: {
        trustDomain: parsed.id.trustDomain,
        namespace,
        serviceAccount: spiffeId.slice(spiffeId.lastIndexOf("/") + 1),
        name,
      },
      address: "127.0.0.1",
    },
    destination: snapshot.workload,
    request: {
      id: "",
      method: "POST",
      path: CHAT_PATH,
      host: "localhost",
      headers: new Map(),
      time: new Timestamp(Math.floor(Date.now() / 1000), 0),
      size: body.length,
    },
    llm: reading.exchange,
  });
  return decision.outcome === "Allow" ? "" : decision.code;
}

function sample(
  { url, caFile }: Surroundings,
  name: Sample["name"],
  says: string,
  client: Client | undefined,
  body: string,
): Sample {
  const words = ["curl", "-sS"];
  if (body.includes('"stream":true')) words.push("-N");
  words.push("--cacert", quote(shown(caFile)));
  if (client !== undefined) words.push("--cert", quote(shown(client.certificate)), "--key", quote(shown(client.key)));
  words.push("-H", quote("content-type: application/json"), "-d", quote(body), quote(`${url}${CHAT_PATH}`));
  return { name, says, command: words.join(" ") };
}

/** As it is found from here: short where it is below the current folder. */
function shown(file: string): string {
  const relative = path.relative("", file);
  return relative.startsWith("..") || path.isAbsolute(relative) ? path.resolve(file) : relative;
}

/** A word for any POSIX shell. */
function quote(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
