/** The sidecar's process. */
import pino from "pino";
import { readOptions, USAGE, type SidecarOptions } from "./options.ts";
import { Sidecar } from "./sidecar.ts";

let options: SidecarOptions;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`sidecar: ${(error as Error).message}\n${USAGE}\n`);
  process.exit(2);
}

const log = pino(
  { level: options.logLevel, base: { instance: options.instance } },
  pino.destination({ dest: 2, sync: true }),
);
const sidecar = new Sidecar(options, log);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    sidecar.stop().then(
      () => process.exit(),
      (error: unknown) => {
        log.fatal({ err: error }, "cannot stop cleanly");
        process.exit(1);
      },
    );
  });
}
try {
  await sidecar.start(({ listen, admin }) => {
    const address = (host: string, port: number): string => `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const ready = {
      event: "ready",
      listen: address(options.listen.host, listen),
      admin: address(options.admin.host, admin),
    };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  });
} catch (error) {
  log.fatal({ err: error }, "cannot start");
  process.exit(1);
}
