import { makeAuthority, type Credentials } from "../../test/support/pki.ts";

export const TRUST_DOMAIN = "example.local";
export const CLIENT_ID: string = `spiffe://${TRUST_DOMAIN}/ns/apps/sa/bench-client`;
export const INTRUDER_ID: string = `spiffe://${TRUST_DOMAIN}/ns/apps/sa/intruder`;

/** For the proxies that have no issuer of their own. */
export interface Identities {
  readonly ca: string;
  readonly server: Credentials;
  readonly client: Credentials;
  readonly intruder: Credentials;
}

export async function makeIdentities(): Promise<Identities> {
  const authority = await makeAuthority(TRUST_DOMAIN);
  const [server, client, intruder] = await Promise.all(
    [`spiffe://${TRUST_DOMAIN}/ns/inference/sa/engine`, CLIENT_ID, INTRUDER_ID].map(
      async (uri) => await authority.leaf({ uris: [uri] }),
    ),
  );
  if (server === undefined || client === undefined || intruder === undefined) throw new Error("a leaf is missing");
  return { ca: authority.pem, server, client, intruder };
}
