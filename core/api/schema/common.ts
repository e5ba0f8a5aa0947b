/** What several kinds have in common. */
import { DNS_LABEL, DNS_SUBDOMAIN, LABEL_KEY, LABEL_VALUE, TIMESTAMP } from "../formats.ts";
import { enumeration, integer, list, object, optional, required, string, stringMap } from "../node.ts";
import type { Schema, StringNode } from "../node.ts";
import type { LabelSelector, LabelSelectorRequirement, ObjectMeta } from "../types.ts";

/** What the API server and tools write into metadata and what configures nothing here. */
const SERVER_METADATA = [
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "finalizers",
  "generateName",
  "managedFields",
  "ownerReferences",
  "resourceVersion",
  "selfLink",
];

const LABEL_VALUE_NODE: StringNode = { kind: "string", minLength: 0, maxLength: 63, format: LABEL_VALUE };
const ANNOTATION_NODE: StringNode = { kind: "string", minLength: 0, maxLength: 262_144 };

/** ObjectMeta of a kind. */
export function metadata(scope: "Namespaced" | "Cluster"): Schema<ObjectMeta> {
  const namespaced = scope === "Namespaced";
  const namespace = string(63, { format: DNS_LABEL });
  return object<ObjectMeta>(
    {
      name: required(string(253, { format: DNS_SUBDOMAIN }), "Name, unique among its kind in its namespace."),
      namespace: optional(namespace, namespaced ? 'Namespace; "default" where none is given.' : "Not for this kind."),
      labels: optional(stringMap(LABEL_KEY, LABEL_VALUE_NODE, 256), "Labels, which selectors look at."),
      annotations: optional(stringMap(LABEL_KEY, ANNOTATION_NODE, 256), "Annotations."),
      uid: optional(string(64), "Set by the API server."),
      generation: optional(
        integer(0, Number.MAX_SAFE_INTEGER),
        "Set by the API server; grows with each change of the spec.",
      ),
      creationTimestamp: optional(string(64, { format: TIMESTAMP, nullable: true }), "Set by the API server."),
    },
    { ignored: SERVER_METADATA },
  );
}

const requirement: Schema<LabelSelectorRequirement> = object<LabelSelectorRequirement>(
  {
    key: required(string(317, { format: LABEL_KEY }), "Label key."),
    operator: required(
      enumeration<LabelSelectorRequirement["operator"]>({
        In: "The label has one of the values.",
        NotIn: "The label is missing or has none of the values.",
        Exists: "The label is there.",
        DoesNotExist: "The label is not there.",
      }),
      "How the label is compared.",
    ),
    values: optional(
      list<string>({ node: LABEL_VALUE_NODE }, { maxItems: 64 }),
      "Values for In and NotIn; none for the others.",
    ),
  },
  {
    rules: [
      {
        path: "values",
        message: "In and NotIn need at least one value",
        cel: "!(self.operator in ['In', 'NotIn']) || (has(self.values) && size(self.values) > 0)",
        holds: ({ operator, values = [] }) => !(operator === "In" || operator === "NotIn") || values.length > 0,
      },
      {
        path: "values",
        message: "Exists and DoesNotExist take no values",
        cel: "!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || size(self.values) == 0",
        holds: ({ operator, values = [] }) => operator === "In" || operator === "NotIn" || values.length === 0,
      },
    ],
  },
);

export const labelSelector: Schema<LabelSelector> = object<LabelSelector>({
  matchLabels: optional(stringMap(LABEL_KEY, LABEL_VALUE_NODE, 32), "Labels that must have exactly these values."),
  matchExpressions: optional(list(requirement, { maxItems: 16 }), "Further conditions; all must hold."),
});
