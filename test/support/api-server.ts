/** A real etcd and kube-apiserver on free ports, in a folder of their own (test/cluster starts them). */
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import { parse } from "yaml";
import { guard, temporaryFolder } from "./guardian.ts";
import { freePorts } from "./ports.ts";
import { succeed } from "./processes.ts";

const CLUSTER = path.join(import.meta.dirname, "..", "cluster", "cluster");
/** A cold cache builds kube-apiserver first. */
const UP_MS = 900_000;

export interface ApiAnswer<Body> {
  readonly status: number;
  readonly body: Body;
}

export class ApiServer {
  readonly kubeconfig: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #url: URL;
  readonly #agent: https.Agent;

  constructor(kubeconfig: string, env: Readonly<Record<string, string>>) {
    this.kubeconfig = kubeconfig;
    this.#env = env;
    const { clusters, users } = parse(fs.readFileSync(kubeconfig, "utf8")) as Kubeconfig;
    const [{ cluster } = missing()] = clusters;
    const [{ user } = missing()] = users;
    this.#url = new URL(cluster.server);
    this.#agent = new https.Agent({
      ca: decode(cluster["certificate-authority-data"]),
      cert: decode(user["client-certificate-data"]),
      key: decode(user["client-key-data"]),
      keepAlive: true,
    });
  }

  /** As the administrator. */
  async request<Body>(method: string, target: string, body?: unknown): Promise<ApiAnswer<Body>> {
    const text = body === undefined ? "" : JSON.stringify(body);
    return await new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
      const { hostname, port } = this.#url;
      const request = https.request({ agent: this.#agent, hostname, port, method, path: target, headers }, (answer) => {
        let all = "";
        answer.setEncoding("utf8").on("data", (part: string) => (all += part));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(all) as Body }));
      });
      request.once("error", reject);
      request.end(text);
    });
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await succeed(CLUSTER, ["down"], { env: this.#env });
  }
}

export async function startApiServer(): Promise<ApiServer> {
  const [api = 0, etcd = 0, peer = 0] = await freePorts(3);
  const folder = path.join(temporaryFolder("api-server"), "cluster");
  const env = {
    CLUSTER_DIR: folder,
    CLUSTER_API_PORT: String(api),
    CLUSTER_ETCD_PORT: String(etcd),
    CLUSTER_ETCD_PEER_PORT: String(peer),
  };
  await succeed(CLUSTER, ["up", "api"], { env, timeoutMs: UP_MS });
  // each was started in a session of its own, so it leads a group
  for (const name of ["etcd", "apiserver"])
    guard(Number(fs.readFileSync(path.join(folder, "run", `${name}.pid`), "utf8")));
  return new ApiServer(path.join(folder, "admin.kubeconfig"), env);
}

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly "certificate-authority-data": string };
  }[];
  readonly users: readonly {
    readonly user: { readonly "client-certificate-data": string; readonly "client-key-data": string };
  }[];
}

function missing(): never {
  throw new Error("the kubeconfig names no cluster or user");
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}
