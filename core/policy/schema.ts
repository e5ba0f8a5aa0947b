/**
 * What an expression of a policy may read: a closed, typed schema. A variable is here from the day that something fills it.
 * Sizes bound the estimate of an expression's cost; the budget at run time holds whatever the request's real sizes are.
 */
import {
  BOOL,
  DYN,
  INT,
  STRING,
  TIMESTAMP,
  listOf,
  mapOf,
  recordOf,
  stringOf,
  type CelType,
  type RecordType,
} from "../cel/index.ts";

const NAME: CelType = stringOf(256);
const TEXT: CelType = stringOf(16_384);

const IDENTITY: RecordType = recordOf("Identity", {
  trustDomain: { type: NAME, doc: "Trust domain of the SPIFFE ID." },
  namespace: { type: NAME, doc: "Kubernetes namespace; empty when the SPIFFE ID does not name one." },
  serviceAccount: { type: NAME, doc: "Kubernetes service account; empty when the SPIFFE ID does not name one." },
  name: { type: NAME, doc: "Name of the LlmIdentity, where a rule of this pod's policies names it; else empty." },
});

const SOURCE: RecordType = recordOf("Source", {
  spiffeId: { type: stringOf(2048), doc: "SPIFFE ID of the calling workload, from its verified certificate." },
  identity: { type: IDENTITY, doc: "The parts of the SPIFFE ID." },
  address: { type: stringOf(64), doc: "IP address of the connection." },
});

const DESTINATION: RecordType = recordOf("Destination", {
  spiffeId: { type: stringOf(2048), doc: "SPIFFE ID of the pod that this policy protects." },
  namespace: { type: NAME, doc: "Its namespace." },
  serviceAccount: { type: NAME, doc: "Its service account." },
  labels: { type: mapOf(NAME, NAME, 64), doc: "Its labels." },
});

const REQUEST: RecordType = recordOf("Request", {
  id: { type: stringOf(64), doc: "Identifier of this request, also in the answer and in the audit." },
  method: { type: stringOf(16), doc: "HTTP method." },
  path: { type: stringOf(2048), doc: "HTTP path, without query." },
  host: { type: NAME, doc: "The Host header." },
  headers: { type: mapOf(STRING, stringOf(4096), 100), doc: "Headers by lower-case name; credentials are left out." },
  time: { type: TIMESTAMP, doc: "When the request was complete." },
  size: { type: INT, doc: "Bytes of the body." },
});

const MESSAGE: RecordType = recordOf("Message", {
  role: { type: stringOf(16), doc: "system, developer, user, assistant, tool or function." },
  content: { type: TEXT, doc: "All text of the message." },
  name: { type: NAME, doc: "The name that the message carries; else empty." },
});

const TOOL: RecordType = recordOf("Tool", {
  name: { type: NAME, doc: "Name of the offered tool." },
  description: { type: stringOf(4096), doc: "Its description." },
});

const TOOL_CALL: RecordType = recordOf("ToolCall", {
  name: { type: NAME, doc: "Name of the called tool." },
  arguments: { type: DYN, doc: "Its arguments: what the JSON holds, or the text where it is none." },
});

const ATTACHMENT: RecordType = recordOf("Attachment", {
  kind: { type: stringOf(16), doc: "image, audio or file." },
  url: { type: stringOf(2048), doc: "Where the engine would fetch it; empty when it is inside the request." },
});

const LLM: RecordType = recordOf("Llm", {
  operation: { type: stringOf(32), doc: "Chat, Completions, Embeddings or ListModels." },
  dialect: { type: stringOf(32), doc: "openai." },
  model: { type: NAME, doc: "The model asked for; empty where the operation names none." },
  streaming: { type: BOOL, doc: "Whether the answer is asked for as a stream." },
  features: { type: listOf(stringOf(32), 32), doc: "What the request makes use of beyond plain text." },
  messages: { type: listOf(MESSAGE, 256), doc: "The conversation." },
  system: { type: TEXT, doc: "Text of the system and developer messages." },
  text: { type: stringOf(1_048_576), doc: "All text that the engine would read; a message's parts also unbroken." },
  tools: { type: listOf(TOOL, 128), doc: "The tools that the request offers." },
  toolCalls: { type: listOf(TOOL_CALL, 128), doc: "Calls of tools in the conversation so far." },
  attachments: { type: listOf(ATTACHMENT, 64), doc: "Images, audio and files." },
  maxTokens: { type: INT, doc: "The ceiling that the request asks for; 0 when it names none." },
  choices: { type: INT, doc: "How many answers it asks for." },
  tokensEstimate: { type: INT, doc: "About the prompt's tokens: bytes / 4. An estimate, not a bound." },
  params: { type: mapOf(STRING, DYN, 64), doc: "The other top-level parameters of the request." },
});

/** The variables of every policy, by name. */
export const VARIABLES: Readonly<Record<string, RecordType>> = {
  source: SOURCE,
  destination: DESTINATION,
  request: REQUEST,
  llm: LLM,
};
