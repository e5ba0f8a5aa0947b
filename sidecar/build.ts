/** What this sidecar is, as the operator is told. */
export const BUILD = "0.1.0";
