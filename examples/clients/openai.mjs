// The openai SDK with a client certificate. Run beside `npm start`, from the same folder:
//   npx node examples/clients/openai.mjs [URL] [STATE]
import { readFileSync } from "node:fs";
import OpenAI from "openai";
import { Agent } from "undici";

const [url = "https://127.0.0.1:8443", state = ".state"] = process.argv.slice(2);
const client = `${state}/clients/apps-chat-frontend`;
const dispatcher = new Agent({
  connect: {
    ca: readFileSync(`${state}/ca.crt`),
    cert: readFileSync(`${client}/tls.crt`),
    key: readFileSync(`${client}/tls.key`),
  },
});
// The certificate says who is calling; the SDK wants a key all the same.
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetchOptions: { dispatcher } });

const messages = [{ role: "user", content: "Hello" }];
const answer = await openai.chat.completions.create({ model: "llama-3-8b", messages });
console.log(answer.choices[0].message.content);

for await (const chunk of await openai.chat.completions.create({ model: "llama-3-8b", messages, stream: true })) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}
process.stdout.write("\n");

try {
  await openai.chat.completions.create({ model: "llama-4-preview", messages });
} catch (error) {
  console.log(`${error.constructor.name}: ${error.message}`);
}
await dispatcher.close();
