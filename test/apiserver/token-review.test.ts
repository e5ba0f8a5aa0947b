/** What identity will stand on in a cluster: a pod's projected token, held to its audience, its pod and its account. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startApiServer, type ApiServer } from "../support/api-server.ts";

const AUDIENCE = "sallyport.dev/operator";
const NAMESPACE = "inference";

let api: ApiServer;
let podUid: string;

beforeAll(async () => {
  api = await startApiServer();
  const created = async (target: string, body: unknown): Promise<{ readonly metadata: { readonly uid: string } }> => {
    const answer = await api.request<{ readonly metadata: { readonly uid: string } }>("POST", target, body);
    expect(answer).toMatchObject({ status: 201 });
    return answer.body;
  };
  await created("/api/v1/namespaces", { metadata: { name: NAMESPACE } });
  await created(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, { metadata: { name: "engine" } });
  const spec = { serviceAccountName: "engine", containers: [{ name: "engine", image: "engine" }] };
  const pod = await created(`/api/v1/namespaces/${NAMESPACE}/pods`, { metadata: { name: "engine-0" }, spec });
  podUid = pod.metadata.uid;
}, 900_000);
afterAll(async () => await api.stop());

interface TokenRequest {
  readonly status: { readonly token: string };
}

interface TokenReview {
  readonly status: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly error?: string;
    readonly user: { readonly username: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  };
}

/** What the kubelet asks for when it projects a token into a pod. */
async function projectedToken(
  audience: string,
  uid = podUid,
): Promise<{ readonly status: number; readonly token: string }> {
  const boundObjectRef = { apiVersion: "v1", kind: "Pod", name: "engine-0", uid };
  const spec = { audiences: [audience], expirationSeconds: 600, boundObjectRef };
  const target = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/engine/token`;
  const { status, body } = await api.request<Partial<TokenRequest>>("POST", target, { spec });
  return { status, token: body.status === undefined || typeof body.status === "string" ? "" : body.status.token };
}

async function review(token: string): Promise<TokenReview["status"]> {
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token, audiences: [AUDIENCE] } };
  return (await api.request<TokenReview>("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body)).body.status;
}

test("a pod's token with our audience tells its account and its pod", async () => {
  const { token } = await projectedToken(AUDIENCE);
  const status = await review(token);
  expect(status).toMatchObject({
    authenticated: true,
    audiences: [AUDIENCE],
    user: { username: `system:serviceaccount:${NAMESPACE}:engine` },
  });
  expect(status.user.extra?.["authentication.kubernetes.io/pod-uid"]).toEqual([podUid]);
  expect(status.user.extra?.["authentication.kubernetes.io/pod-name"]).toEqual(["engine-0"]);
});

test("a token for somebody else's audience is nobody's here", async () => {
  const { token } = await projectedToken("https://kubernetes.default.svc");
  expect((await review(token)).authenticated ?? false).toBe(false);
});

test("a token is not given out for a pod that is not that pod", async () => {
  const { status } = await projectedToken(AUDIENCE, "00000000-0000-0000-0000-000000000000");
  expect(status).toBe(409);
});

test("a changed token is nobody's", async () => {
  const { token } = await projectedToken(AUDIENCE);
  const [head = "", , signature = ""] = token.split(".");
  const claims = { sub: "system:serviceaccount:kube-system:admin", aud: [AUDIENCE] };
  const forged = [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  expect((await review(forged)).authenticated ?? false).toBe(false);
});

test("the token of a pod that was deleted is nobody's any more", async () => {
  const { token } = await projectedToken(AUDIENCE);
  const target = `/api/v1/namespaces/${NAMESPACE}/pods/engine-0?gracePeriodSeconds=0`;
  expect((await api.request("DELETE", target)).status).toBe(200);
  // the API server keeps a good token's review for ten seconds
  let authenticated = true;
  for (let tries = 0; tries < 60 && authenticated; tries++) {
    authenticated = (await review(token)).authenticated ?? false;
    if (authenticated) await new Promise((resolve) => setTimeout(resolve, 250));
  }
  expect(authenticated).toBe(false);
}, 30_000);
