import { EXIT, type Command } from "./command.ts";

/** As in package.json; a test holds the two together. */
export const VERSION = "0.1.0";

export const versionCommand: Command = {
  name: "version",
  summary: "print the version",
  help: "usage: sallyport version\n\nPrints Sallyport's version and that of Node, which runs it.\n",
  run: async () => {
    process.stdout.write(`sallyport ${VERSION} (node ${process.versions.node})\n`);
    return Promise.resolve(EXIT.ok);
  },
};
