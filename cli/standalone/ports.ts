import { createServer } from "node:net";
import { codeOf, messageOf, StartError } from "../command.ts";
import { formatEndpoint, type Endpoint } from "./options.ts";

/** Throws a StartError that names the flag where an address cannot be listened on. */
export async function requireFree(flag: string, endpoint: Endpoint): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: endpoint.host, port: endpoint.port, exclusive: true }, resolve);
    });
  } catch (error) {
    const code = codeOf(error);
    const why =
      code === "EADDRINUSE" ? "is taken by another process" : `cannot be listened on (${code ?? messageOf(error)})`;
    throw new StartError(`${formatEndpoint(endpoint)} ${why}: give another with --${flag} HOST:PORT`);
  }
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
