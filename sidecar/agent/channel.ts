/** A connection to the operator: gRPC over TLS 1.3, the operator known by its SPIFFE ID and not by a host name. */
import {
  Client,
  credentials,
  Metadata,
  type ClientDuplexStream,
  type ClientUnaryCall,
  type ServiceError,
} from "@grpc/grpc-js";
import { createSecureContext, type DetailedPeerCertificate, type PeerCertificate } from "node:tls";
import { certificatesToPem, validatePeer, type SpiffeId, type TrustBundle } from "../../core/identity/index.ts";
import type { ConfigRequest, ConfigResponse } from "../../proto/config.ts";
import type { IssueRequest, IssueResponse } from "../../proto/identity.ts";
import { ISSUE, STREAM } from "../../proto/methods.ts";

export interface ChannelOptions {
  /** HOST:PORT. */
  readonly address: string;
  readonly operatorId: SpiffeId;
  readonly bundle: TrustBundle;
  /** PEM; absent before there is one. */
  readonly identity?: { readonly key: string; readonly chain: string };
  /** Unix milliseconds. */
  readonly now: () => number;
}

export type ConfigCall = ClientDuplexStream<ConfigRequest, ConfigResponse>;

const MAX_RESPONSE_BYTES = 4_194_304 + 65_536;
const KEEPALIVE_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;
const MAX_CHAIN = 8;
/** What gRPC says around the reason why there is no connection. */
const GRPC_WRAPPING = /^No connection established\. Last error: (?:Error: )?(.+?)\. Resolution note: /;

export class OperatorChannel {
  readonly #client: Client;
  #call: ClientUnaryCall | undefined;
  /** Why the operator's certificate was refused; gRPC's own error does not say. */
  #distrust: Error | undefined;

  constructor({ address, operatorId, bundle, identity, now }: ChannelOptions) {
    const context = createSecureContext({
      ca: certificatesToPem(bundle.roots.map((root) => root.raw)),
      minVersion: "TLSv1.3",
      ...(identity === undefined ? {} : { key: identity.key, cert: identity.chain }),
    });
    const checkServerIdentity = (_host: string, certificate: PeerCertificate): Error | undefined => {
      this.#distrust = distrust(chainOf(certificate), operatorId, bundle, now());
      return this.#distrust;
    };
    this.#client = new Client(address, credentials.createFromSecureContext(context, { checkServerIdentity }), {
      // Only a label: the operator is known by its ID.
      "grpc.ssl_target_name_override": operatorId.trustDomain,
      "grpc.default_authority": operatorId.trustDomain,
      "grpc.enable_http_proxy": 0,
      "grpc.enable_channelz": 0,
      "grpc.enable_retries": 0,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.service_config_disable_resolution": 1,
      "grpc.max_receive_message_length": MAX_RESPONSE_BYTES,
      "grpc.keepalive_time_ms": KEEPALIVE_MS,
      "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
    });
  }

  /** Asks for a certificate; at most one call at a time. */
  issue(request: IssueRequest, timeoutMs: number): Promise<IssueResponse> {
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = ISSUE;
      const options = { deadline: Date.now() + timeoutMs };
      const answered = (error: ServiceError | null, response?: IssueResponse): void => {
        if (error === null && response !== undefined) resolve(response);
        else reject(this.explain(error ?? new Error("an empty answer")));
      };
      this.#call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        options,
        answered,
      );
    });
  }

  /** Opens the stream of snapshots. */
  stream(): ConfigCall {
    const { path, requestSerialize, responseDeserialize } = STREAM;
    return this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
  }

  /** An error in words that say what to look at. */
  explain(error: Error): Error {
    if (this.#distrust !== undefined) return this.#distrust;
    const details = "details" in error && typeof error.details === "string" ? error.details : error.message;
    return new Error(GRPC_WRAPPING.exec(details)?.[1] ?? details, { cause: error });
  }

  close(): void {
    this.#call?.cancel();
    this.#client.close();
  }
}

function distrust(
  chain: readonly Uint8Array[],
  operatorId: SpiffeId,
  bundle: TrustBundle,
  now: number,
): Error | undefined {
  const result = validatePeer(chain, new Map([[bundle.trustDomain, bundle]]), now);
  if (!result.ok) return new Error(`the operator's certificate is refused (${result.code}): ${result.message}`);
  if (result.peer.id.uri === operatorId.uri) return undefined;
  return new Error(`the operator is ${result.peer.id.uri}, and ${operatorId.uri} was expected`);
}

/** What the peer sent, DER, leaf first. */
function chainOf(leaf: PeerCertificate | DetailedPeerCertificate): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: PeerCertificate | DetailedPeerCertificate | undefined = leaf;
  while (certificate?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(certificate.raw);
    const issuer: DetailedPeerCertificate | undefined =
      "issuerCertificate" in certificate ? certificate.issuerCertificate : undefined;
    // A self-signed root is its own issuer.
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}
