/** The resources that the integration tests start from: one engine, a client that may and one that may not. */

export const NAMESPACES = `
apiVersion: v1
kind: Namespace
metadata: {name: inference}
---
apiVersion: v1
kind: Namespace
metadata: {name: apps}
`;

export const ENGINE_POD = `
apiVersion: v1
kind: Pod
metadata:
  name: tiny-0
  namespace: inference
  labels: {app: tiny}
  annotations: {sallyport.dev/inject: "true"}
spec: {serviceAccountName: engine}
`;

export const IDENTITIES = `
apiVersion: sallyport.dev/v1alpha1
kind: LlmIdentity
metadata: {name: chat-frontend, namespace: apps}
spec: {type: Workload, workload: {serviceAccountName: chat-frontend}}
---
apiVersion: sallyport.dev/v1alpha1
kind: LlmIdentity
metadata: {name: batch-jobs, namespace: apps}
spec: {type: Workload, workload: {serviceAccountName: batch-jobs}}
`;

export const DENIAL = "Models of that kind are managed by the platform team.";

/** chat-frontend may use the models; everybody is refused the forbidden ones, with words. */
export function policy(models: readonly string[] = ["tiny"]): string {
  return `
apiVersion: sallyport.dev/v1alpha1
kind: LlmPolicy
metadata: {name: tiny-chat, namespace: inference}
spec:
  podSelector: {matchLabels: {app: tiny}}
  rules:
  - name: not-these
    action: Deny
    models: ["forbidden-*"]
    message: ${DENIAL}
  - name: frontend-chats
    action: Allow
    from:
    - identity: {name: chat-frontend, namespace: apps}
    operations: [Chat, Completions, Embeddings, ListModels]
    models: ${JSON.stringify(models)}
    features: [Streaming, MultipleChoices]
`;
}

/** Everything that one engine, its clients and their policy need, by file. */
export const FILES: Readonly<Record<string, string>> = {
  "namespaces.yaml": NAMESPACES,
  "engine.yaml": ENGINE_POD,
  "identities.yaml": IDENTITIES,
  "policy.yaml": policy(),
};
