import { describe, expect, it } from "@jest/globals";
import { formatProblem, readDocuments, readFiles, type CheckPolicy, type Known } from "./index.ts";

const POLICY = `apiVersion: sallyport.dev/v1alpha1
kind: LlmPolicy
metadata: {name: chat, namespace: inference}
spec:
  podSelector: {}
`;

function readAll(text: string): readonly Known[] {
  const { documents, problems } = readDocuments(text, "a.yaml");
  expect(problems.map(formatProblem)).toEqual([]);
  return documents.map(({ resource }) => resource);
}

function codes(text: string): readonly string[] {
  return readDocuments(text, "a.yaml").problems.map(({ code }) => code);
}

describe("documents", () => {
  it("get their defaults", () => {
    expect(readAll(POLICY)).toEqual([
      {
        apiVersion: "sallyport.dev/v1alpha1",
        kind: "LlmPolicy",
        metadata: { name: "chat", namespace: "inference" },
        spec: { podSelector: {}, mode: "Enforce", variables: [], rules: [], denials: { detail: "Code" } },
      },
    ]);
  });

  it("have a certificate's life in seconds, an hour unless they say otherwise", () => {
    const identity = (ttl: string): string => `apiVersion: sallyport.dev/v1alpha1
kind: LlmIdentity
metadata: {name: a}
spec: {type: Workload, workload: {serviceAccountName: a${ttl}}}
`;
    expect(readAll(`${identity("")}---\n${identity(", ttl: 1h30m")}`)).toMatchObject([
      { metadata: { namespace: "default" }, spec: { workload: { ttlSeconds: 3600 } } },
      { spec: { workload: { ttlSeconds: 5400 } } },
    ]);
  });

  it("may be several in a file, empty ones and comments between them", () => {
    const text = `# first\n---\n---\n${POLICY}---\n# nothing\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n...\n`;
    expect(readAll(text).map(({ kind }) => kind)).toEqual(["LlmPolicy", "Namespace"]);
  });

  it("may be JSON, indented by tabs, and a List, as kubectl writes them", () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", labels: { app: "é😀".slice(0, 0) } },
      spec: {},
    };
    const list = { apiVersion: "v1", kind: "List", metadata: {}, items: [pod, { ...pod, metadata: { name: "q" } }] };
    expect(readAll(JSON.stringify(list, null, "\t"))).toMatchObject([
      { kind: "Pod", metadata: { name: "p" }, spec: { serviceAccountName: "default" } },
      { kind: "Pod", metadata: { name: "q" } },
    ]);
  });

  it("may have what the API server writes, which configures nothing", () => {
    const text = `${POLICY.replace("namespace: inference", "namespace: inference, resourceVersion: '1', creationTimestamp: null")}status: {conditions: []}\n`;
    expect(readAll(text)).toMatchObject([{ metadata: { name: "chat", namespace: "inference" } }]);
  });

  it("keep what else stands in other people's kinds out", () => {
    const pod =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {serviceAccountName: a, containers: [{name: b}]}\n";
    expect(readAll(pod)).toEqual([
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "p", namespace: "default" },
        spec: { serviceAccountName: "a" },
      },
    ]);
  });

  it("may use anchors, which stand for a copy", () => {
    const text = `${POLICY}  rules:\n  - {name: a, action: Deny, models: &m [x]}\n  - {name: b, action: Deny, models: *m}\n`;
    expect(readAll(text)).toMatchObject([{ spec: { rules: [{ models: ["x"] }, { models: ["x"] }] } }]);
  });

  it("know where each of their fields is, or what is nearest to it", () => {
    const [document] = readDocuments(`---\n${POLICY}  rules:\n  - name: a\n    action: Deny\n`, "a.yaml").documents;
    expect(document?.position).toMatchObject({ file: "a.yaml", line: 2, column: 1 });
    expect(document?.locate("spec.rules[0].action")).toMatchObject({ line: 9, column: 5 });
    expect(document?.locate("spec.rules[0].when")).toMatchObject({ line: 8, column: 5 });
    expect(document?.locate("spec.mode")).toMatchObject({ line: 5, column: 1 });
  });

  it("are not used when a label would answer for a prototype's member", () => {
    const [policy] = readAll(POLICY.replace("podSelector: {}", "podSelector: {matchLabels: {constructor: a}}"));
    const labels = policy?.kind === "LlmPolicy" ? policy.spec.podSelector.matchLabels : undefined;
    expect(labels).toBeDefined();
    expect(Object.getPrototypeOf(labels)).toBeNull();
    expect(codes(POLICY.replace("podSelector: {}", "podSelector: {matchLabels: {__proto__: a}}"))).toEqual([
      "invalid_value",
    ]);
  });
});

describe("plain scalars", () => {
  // What kubectl 1.36 makes of them (kubectl label --local -o json), where YAML 1.2 reads otherwise …
  const others = "y Y n N on On OFF yes No 0100 -017 0b11 -0b1 1_000 1__0 1.5_0 0.1_ 0_1 0x1_F 08_1".split(" ");
  // … and where it does not.
  const same = "z yES 1:30 190:20:30 2026-01-01 = _1 0o 0o9 a_1 08 09 0o17 0x1F 1e3 100 1.5 true null ~".split(" ");

  it.each(others)("are refused where kubectl reads %s otherwise", (written) => {
    expect(codes(`${POLICY}  mode: ${written}\n`)).toEqual(["yaml_ambiguous"]);
    expect(codes(`${POLICY}  ${written}: a\n`)).toEqual(["yaml_ambiguous"]);
    expect(codes(`${POLICY}  mode: "${written}"\n`)).toEqual(["invalid_value"]);
  });

  it.each(same)("are taken as they are where kubectl reads %s alike", (written) => {
    expect(["invalid_value", "wrong_type"]).toContain(codes(`${POLICY}  mode: ${written}\n`)[0]);
  });
});

describe("bombs", () => {
  const bombs: readonly (readonly [what: string, text: string, code: string])[] = [
    ["flow lists in each other", "a: ".concat("[".repeat(100_000)), "too_deep"],
    ["block lists in each other", "- ".repeat(100_000).concat("a"), "too_deep"],
    ["maps in each other", "{a: ".repeat(50_000), "too_deep"],
    [
      "aliases of aliases",
      ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        .concat(
          Array.from(
            { length: 30 },
            (_, i) => `a${String(i + 1)}: &a${String(i + 1)} [${`*a${String(i)}, `.repeat(10)}]`,
          ),
        )
        .join("\n"),
      "too_large",
    ],
    [
      "aliases that nest",
      ["a0: &a0 [x]"]
        .concat(Array.from({ length: 100 }, (_, i) => `a${String(i + 1)}: &a${String(i + 1)} [*a${String(i)}]`))
        .join("\n"),
      "too_deep",
    ],
    ["an alias of itself", "a: &a [*a]", "yaml_syntax"],
    ["many keys", Array.from({ length: 120_000 }, (_, i) => `k${String(i)}:`).join("\n"), "too_large"],
    ["a large file", "#".repeat(1_048_577), "too_large"],
  ];
  it.each(bombs)("are refused in bounded time: %s", (_what, text, code) => {
    const before = process.cpuUsage();
    expect(codes(text)[0]).toBe(code);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(5);
  });

  it("do not flood the reader with problems", () => {
    const fields = Array.from({ length: 1000 }, (_, i) => `  f${String(i)}: 1\n`).join("");
    expect(codes(POLICY + fields)).toHaveLength(50);
  });
});

describe("expressions", () => {
  const text = `${POLICY}  variables:
  - {name: v, expression: 'a == ''b'' || BAD'}
  - {name: w, expression: "tab\\tand \\u00e9 BAD"}
  rules:
  - name: literal
    action: Deny
    when: |
      one
        && BAD
  - name: folded
    action: Require
    require: >-
      one &&
      two &&

      BAD
    when: plain and
      BAD
`;

  /** Finds BAD in each expression. */
  const checkPolicy: CheckPolicy = ({ variables, rules }) =>
    [
      ...variables.map(({ expression }, i) => [`variables[${String(i)}].expression`, expression] as const),
      ...rules.map(({ when = "" }, i) => [`rules[${String(i)}].when`, when] as const),
      ...rules.map(({ require = "" }, i) => [`rules[${String(i)}].require`, require] as const),
    ]
      .filter(([, text]) => text.includes("BAD"))
      .map(([path, text]) => ({ path, code: "bad", message: "is bad", offset: text.indexOf("BAD"), length: 3 }));

  it("have their problems where they stand in the file, whatever the quoting", () => {
    const { problems, documents } = readDocuments(text, "a.yaml", { checkPolicy });
    const lines = text.split("\n");
    expect(documents).toEqual([]);
    expect(problems.map(({ path }) => path)).toEqual([
      "spec.variables[0].expression",
      "spec.variables[1].expression",
      "spec.rules[0].when",
      "spec.rules[1].require",
      "spec.rules[1].when",
    ]);
    for (const { line, column, excerpt } of problems) {
      expect(lines[line - 1]?.slice(column - 1, column + 2)).toBe("BAD");
      expect(excerpt.endsWith("^~~")).toBe(true);
    }
  });

  it("have them inside a List too", () => {
    const [item] = readAll(text.replaceAll("BAD", "GOOD"));
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: [item] }).replace("GOOD", "BAD");
    const { problems } = readDocuments(list, "a.json", { checkPolicy });
    expect(problems.map(({ path }) => path)).toEqual(["items[0].spec.variables[0].expression"]);
    expect(list.slice((problems[0]?.column ?? 0) - 1).startsWith("BAD")).toBe(true);
  });

  it("are checked even where something else is wrong", () => {
    const { problems } = readDocuments(`${text}  mode: Wrong\n`, "a.yaml", { checkPolicy });
    expect(problems.map(({ code }) => code)).toEqual([
      ...Array.from({ length: 5 }, () => "invalid_expression"),
      "invalid_value",
    ]);
  });
});

describe("files", () => {
  it("are one set, in which a resource may be there once", () => {
    const { documents, problems } = readFiles([
      { file: "a.yaml", text: POLICY },
      { file: "b.yaml", text: `${POLICY.replace("chat", "other")}---\n${POLICY}` },
    ]);
    expect(documents).toHaveLength(2);
    expect(problems.map(formatProblem)).toEqual([
      "b.yaml:9:12: metadata.name: LlmPolicy inference/chat is already at a.yaml:1",
    ]);
  });
});
