/** OpenAI's own clients, of npm and of PyPI, as applications use them: the same cases, the same outcomes. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fs from "node:fs";
import path from "node:path";
import { APIError, type OpenAI } from "openai";
import { openaiClient, type Caller } from "../support/clients.ts";
import { startFaultyEngine, type FaultyEngine, type Fault } from "../support/faulty-engine.ts";
import { temporaryFolder } from "../support/guardian.ts";
import { succeed } from "../support/processes.ts";
import { pythonWith } from "../support/python.ts";
import { startStandalone, type Standalone } from "../support/sallyport.ts";
import { describeUnless } from "../support/skips.ts";
import { DENIAL, FILES, policy } from "../integration/resources.ts";

const MODELS = ["tiny", "broken-stream", "dead"];

/** An engine whose behaviour goes by the model's name, so that a client in another process can ask for each. */
const FAULTS: Readonly<Record<string, Fault>> = {
  "broken-stream": { kind: "dies", where: "in-stream", how: "end" },
  dead: { kind: "dies", where: "before-head", how: "reset" },
};

let engine: FaultyEngine;
let sallyport: Standalone;
beforeAll(async () => {
  engine = await startFaultyEngine();
  engine.choose = ({ path, body }) => {
    if (path === "/v1/models") return MODEL_LIST;
    return FAULTS[(JSON.parse(body) as { readonly model: string }).model] ?? { kind: "none" };
  };
  sallyport = await startStandalone({ files: { ...FILES, "policy.yaml": policy(MODELS) }, engine: engine.url });
}, 60_000);
afterAll(async () => {
  await sallyport.stop();
  await engine.refuse();
});

const MODEL_LIST: Fault = {
  kind: "answer",
  status: 200,
  type: "application/json",
  body: JSON.stringify({
    object: "list",
    data: ["tiny", "secret-model"].map((id) => ({ id, object: "model", created: 1, owned_by: "test" })),
  }),
};

/** What a case came to: a value, or the typed error that was raised. */
interface Outcome {
  readonly value?: unknown;
  readonly raised?: string;
  readonly status?: number;
  readonly code?: string;
  readonly message?: string;
  readonly request_id?: string;
}

type Outcomes = Readonly<Record<string, Outcome>>;

/** What is expected of every client library; names are those of openai_cases.py. */
function expectations(outcomes: () => Outcomes): void {
  const raised = (name: string, type: string, status: number, code: string): void => {
    test(`${name}: ${type} with status ${status} and code ${code}`, async () => {
      const outcome = outcomes()[name];
      expect(outcome).toMatchObject({ raised: type, status, code });
      const [record] = await sallyport.auditOf(outcome?.request_id ?? "", 1);
      expect(record).toBeDefined();
    });
  };
  test("a chat is answered", () => {
    expect(outcomes()["plain"]?.value).toEqual({ text: "hello there", tokens: 2 });
  });
  test("a stream is read to its end", () => {
    expect(outcomes()["streamed"]?.value).toEqual({ text: "token 0token 1token 2" });
  });
  test("a stream that the engine cut raises an error that can be read, after what came", () => {
    expect(outcomes()["broken stream"]?.value).toMatchObject({
      raised: "APIError",
      code: "engine_failed",
      message: expect.stringMatching(/engine/u),
      text: "onetwo",
    });
  });
  raised("denied", "PermissionDeniedError", 403, "denied_by_rule");
  raised("no rule", "PermissionDeniedError", 403, "no_rule_allows");
  raised("no certificate", "AuthenticationError", 401, "identity_missing");
  raised("unknown path", "NotFoundError", 404, "unknown_operation");
  raised("unknown parameter", "BadRequestError", 400, "unknown_parameter");
  raised("engine down", "InternalServerError", 502, "engine_failed");
  test("the denial's message is the rule's own", () => {
    expect(outcomes()["denied"]?.message).toContain(DENIAL);
  });
  test("the list of models holds only what the caller may use", () => {
    expect(outcomes()["models"]?.value).toEqual(["tiny"]);
  });
}

describe("openai of npm", () => {
  let outcomes: Outcomes;
  beforeAll(async () => {
    outcomes = await npmOutcomes(sallyport.url, sallyport.client("apps", "chat-frontend"), { ca: sallyport.ca });
  }, 60_000);
  expectations(() => outcomes);
});

const python = await pythonWith("openai");

describeUnless(python.ok ? undefined : `openai of PyPI: ${python.reason}`)("openai of PyPI", () => {
  let outcomes: Outcomes;
  beforeAll(async () => {
    const folder = temporaryFolder("python-client");
    const { ca, cert, key } = sallyport.client("apps", "chat-frontend");
    const files = Object.entries({ ca, cert, key }).map(([name, text]) => {
      const file = path.join(folder, `${name}.pem`);
      fs.writeFileSync(file, text, { mode: 0o600 });
      return file;
    });
    const script = path.join(import.meta.dirname, "openai_cases.py");
    const interpreter = path.join(python.ok ? python.value : "", "python");
    const { stdout } = await succeed(interpreter, [script, `${sallyport.url}/v1`, ...files], { timeoutMs: 60_000 });
    outcomes = JSON.parse(stdout) as Outcomes;
  }, 90_000);
  expectations(() => outcomes);
});

async function npmOutcomes(url: string, caller: Caller, nobody: Caller): Promise<Outcomes> {
  const client = openaiClient(url, caller);
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "hello" }];
  const chat =
    (model: string, of: OpenAI = client) =>
    async (): Promise<unknown> =>
      (await of.chat.completions.create({ model, messages })).model;
  const cases: Readonly<Record<string, () => Promise<unknown>>> = {
    plain: async () => {
      const { choices, usage } = await client.chat.completions.create({ model: "tiny", messages });
      return { text: choices[0]?.message.content, tokens: usage?.completion_tokens };
    },
    streamed: async () => {
      let text = "";
      const stream = await client.chat.completions.create({ model: "tiny", messages, stream: true });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      return { text };
    },
    "broken stream": async () => {
      let text = "";
      try {
        const stream = await client.chat.completions.create({ model: "broken-stream", messages, stream: true });
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      } catch (error) {
        if (!(error instanceof APIError)) throw error;
        return { raised: error.constructor.name, code: error.code, message: error.message, text };
      }
      return { text };
    },
    denied: chat("forbidden-model", openaiClient(url, caller, { retries: 2 })),
    "no rule": chat("unheard-of"),
    "no certificate": chat("tiny", openaiClient(url, nobody)),
    "unknown path": async () => await client.post("/slots/0", { body: {} }),
    "unknown parameter": async () => {
      const more = { model: "tiny", messages, frobnicate: 1 };
      return await client.chat.completions.create(more);
    },
    "engine down": chat("dead"),
    models: async () => (await client.models.list()).data.map(({ id }) => id),
  };
  const outcomes: Record<string, Outcome> = {};
  for (const [name, run] of Object.entries(cases)) outcomes[name] = await outcomeOf(run);
  return outcomes;
}

async function outcomeOf(run: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await run() };
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    return {
      raised: error.constructor.name,
      message: error.message,
      ...(error.status === undefined ? {} : { status: error.status }),
      ...(typeof error.code === "string" ? { code: error.code } : {}),
      ...(typeof error.requestID === "string" ? { request_id: error.requestID } : {}),
    };
  }
}
