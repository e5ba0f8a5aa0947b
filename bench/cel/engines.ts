import * as bufbuild from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import * as marcbachmann from "@marcbachmann/cel-js";
import { EXTENSIONS } from "../../core/cel/extensions/index.ts";
import { compile, Environment, INT, listOf, mapOf, recordOf, STRING, TIMESTAMP } from "../../core/cel/index.ts";
import { matchGlob } from "../../core/cel/pure/glob.ts";
import { toBufbuild, toMarcbachmann, toOurs } from "../../test/fuzz/cel/engines.ts";
import type { Tagged } from "../../test/fuzz/cel/values.ts";
import type { Facts, Policy } from "./policies.ts";

/** An engine in this process. */
export interface Engine {
  readonly name: string;
  /** Evaluates the policy once; undefined where it cannot be compiled. */
  readonly prepare: (policy: Policy) => (() => unknown) | undefined;
}

/** A fresh instance of each engine. */
export function engines(): readonly Engine[] {
  return [
    { name: "ours", prepare: ours },
    { name: "by hand", prepare: byHand },
    { name: "bufbuild", prepare: withBufbuild },
    { name: "marcbachmann", prepare: withMarcbachmann },
  ];
}

const environment = new Environment({
  variables: {
    source: recordOf("Source", { address: STRING, namespace: STRING }),
    user: recordOf("User", { kind: STRING, groups: listOf(STRING), authTime: TIMESTAMP }),
    risk: recordOf("Risk", { score: INT }),
    request: recordOf("Request", { path: STRING, method: STRING, headers: mapOf(STRING, STRING), time: TIMESTAMP }),
    llm: recordOf("Llm", {
      model: STRING,
      tools: listOf(recordOf("Tool", { name: STRING })),
      messages: listOf(recordOf("Message", { role: STRING, content: STRING })),
    }),
  },
  libraries: EXTENSIONS,
});

function ours({ expression, input }: Policy): () => unknown {
  const compiled = compile(expression, environment);
  if (!compiled.ok) throw new Error(compiled.problems.map((problem) => problem.message).join("; "));
  const { program } = compiled;
  const activation = plain(input, toOurs);
  return () => program.test(activation);
}

function byHand(policy: Policy): () => unknown {
  const facts = plain(policy.input, (leaf) =>
    leaf[0] === "timestamp" ? new Date(leaf[1]) : leaf[0] === "int" ? Number(leaf[1]) : leaf[1],
  ) as unknown;
  return () => policy.byHand(facts as Facts);
}

/** Maps as plain objects, lists as arrays, leaves as an engine has them: what the proxy would hand over. */
function plain(input: Readonly<Record<string, Tagged>>, leaf: (value: Tagged) => unknown): Record<string, unknown> {
  const convert = (value: Tagged): unknown => {
    if (value[0] === "list") return value[1].map(convert);
    if (value[0] === "map") return Object.fromEntries(value[1].map(([key, item]) => [String(key[1]), convert(item)]));
    return leaf(value);
  };
  return Object.fromEntries(Object.entries(input).map(([name, value]) => [name, convert(value)]));
}

const bufbuildEnv = bufbuild.celEnv({
  funcs: [
    ...strings,
    bufbuild.celMethod(
      "glob",
      bufbuild.CelScalar.STRING,
      [bufbuild.CelScalar.STRING],
      bufbuild.CelScalar.BOOL,
      function (pattern) {
        return matchGlob(this, pattern);
      },
    ),
  ],
});

function withBufbuild({ expression, input }: Policy): (() => unknown) | undefined {
  try {
    const planned = bufbuild.plan(bufbuildEnv, bufbuild.parse(expression));
    const activation = Object.fromEntries(Object.entries(input).map(([name, value]) => [name, toBufbuild(value)]));
    return () => planned(activation as never);
  } catch {
    return undefined;
  }
}

function withMarcbachmann({ expression, input }: Policy): (() => unknown) | undefined {
  try {
    const env = new marcbachmann.Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
    env.registerFunction("string.glob(string): bool", (text: string, pattern: string) => matchGlob(text, pattern));
    const parsed = env.parse(expression);
    const activation = plain(input, toMarcbachmann);
    return () => parsed(activation) as unknown;
  } catch {
    return undefined;
  }
}
