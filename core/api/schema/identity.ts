/** LlmIdentity and its cluster-wide twin. */
import { DNS_SUBDOMAIN, TRUST_DOMAIN } from "../formats.ts";
import { defaulted, duration, enumeration, object, required, string, writtenAs, type Schema } from "../node.ts";
import type { ClusterLlmIdentitySpec, Federation, LlmIdentitySpec, WorkloadIdentity } from "../types.ts";

const workload: Schema<WorkloadIdentity> = object<WorkloadIdentity>(
  {
    serviceAccountName: required(
      string(253, { format: DNS_SUBDOMAIN }),
      "The SPIFFE ID is spiffe://<trust domain>/ns/<namespace>/sa/<serviceAccountName>. One LlmIdentity for each service account.",
    ),
    ttlSeconds: writtenAs(
      "ttl",
      defaulted(duration(3600, 86_400), "1h", "Life of a certificate, 1h to 24h; it is renewed at half of it."),
    ),
  },
  { planned: ["podSelector", "attestation"] },
);

export const identitySpec: Schema<LlmIdentitySpec> = object<LlmIdentitySpec>(
  {
    type: required(
      enumeration<"Workload">({ Workload: "A workload of the cluster, by its service account." }, ["ApiKey"]),
      "What kind of caller.",
    ),
    workload: required(workload, "The workload."),
  },
  { planned: ["apiKey"] },
);

const federation: Schema<Federation> = object<Federation>({
  trustDomain: required(string(255, { format: TRUST_DOMAIN }), "The other trust domain."),
  bundle: required(string(262_144), "Its bundle as a JWKS document (SPIFFE Trust Domain and Bundle, section 4)."),
});

export const clusterIdentitySpec: Schema<ClusterLlmIdentitySpec> = object<ClusterLlmIdentitySpec>(
  {
    type: required(
      enumeration<"Federation">({ Federation: "Another trust domain, whose bundle vouches for it." }, ["User"]),
      "What kind of caller.",
    ),
    federation: required(federation, "The other trust domain."),
  },
  { planned: ["user"] },
);
