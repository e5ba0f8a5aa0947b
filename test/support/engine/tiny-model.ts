/**
 * A language model small enough to be made on the spot: llama's architecture with random weights (0.6 MB), in GGUF
 * version 3. Its words mean nothing, but a real engine loads it, tokenizes with it, samples from it and counts.
 */

const EMBEDDING = 64;
const LAYERS = 2;
const HEADS = 4;
const FEED_FORWARD = 128;
const CONTEXT = 2048;
const ALIGNMENT = 32;

/** SentencePiece's mark of a word's beginning. */
const SPACE = "\u2581";
const WORDS =
  "the of and to in is you that it he was for on are as with they at be this have from or one had by word but not what " +
  "all were we when your can said there use an each which she do how their if will up other about out many then them " +
  "these so some her would make like him into time has look two more write go see number no way could people my than " +
  "first water been call who oil its now find long down day did get come made may part model token policy";

/** llama.cpp's token types. */
const TokenType = { Normal: 1, Unknown: 2, Control: 3, Byte: 6 } as const;
const CONTROL_TOKENS = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"];
const END_OF_TURN = 4;
/** The unknown token, the control tokens and one token for each byte. */
const SPECIAL_TOKENS = 1 + CONTROL_TOKENS.length + 256;

const CHAT_TEMPLATE =
  "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] if m['content'] else '' }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly scores: readonly number[];
  readonly types: readonly number[];
}

interface Tensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly data: Float32Array;
}

/** The file's bytes; the same each time. */
export function tinyModel(): Buffer {
  const vocabulary = makeVocabulary();
  const tensors = makeTensors(vocabulary.tokens.length);
  const writer = new GgufWriter();
  writer.raw(Buffer.from("GGUF"));
  writer.u32(3);
  writer.u64(tensors.length);
  const metadata = metadataOf(vocabulary);
  writer.u64(metadata.length);
  for (const [key, write] of metadata) {
    writer.string(key);
    write(writer);
  }
  let offset = 0;
  for (const { name, dimensions, data } of tensors) {
    writer.string(name);
    writer.u32(dimensions.length);
    for (const dimension of dimensions) writer.u64(dimension);
    writer.u32(0); // F32
    writer.u64(offset);
    offset += Math.ceil(data.byteLength / ALIGNMENT) * ALIGNMENT;
  }
  writer.align();
  for (const { data } of tensors) {
    writer.raw(Buffer.from(data.buffer));
    writer.align();
  }
  return writer.bytes();
}

function makeVocabulary(): Vocabulary {
  const tokens: string[] = ["<unk>", ...CONTROL_TOKENS];
  const types: number[] = [TokenType.Unknown, ...CONTROL_TOKENS.map(() => TokenType.Control)];
  const scores: number[] = tokens.map(() => 0);
  for (let byte = 0; byte < 256; byte++) {
    tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    types.push(TokenType.Byte);
    scores.push(0);
  }
  const known = new Set(tokens);
  const add = (token: string): void => {
    if (known.has(token)) return;
    known.add(token);
    tokens.push(token);
    types.push(TokenType.Normal);
    scores.push(SPECIAL_TOKENS - tokens.length); // earlier tokens are merged first
  };
  for (const word of WORDS.split(" ")) add(SPACE + word);
  add(SPACE);
  for (let code = 33; code < 127; code++) add(String.fromCharCode(code));
  // a word can be put together only if all its beginnings are tokens too
  for (const token of tokens.filter((token) => token.startsWith(SPACE))) {
    for (let length = 2; length < token.length; length++) add(token.slice(0, length));
  }
  return { tokens, scores, types };
}

function makeTensors(vocabulary: number): readonly Tensor[] {
  const random = randomWeights(42);
  const tensor = (name: string, dimensions: readonly number[]): Tensor => {
    const data = new Float32Array(dimensions.reduce((a, b) => a * b));
    return { name, dimensions, data: data.map(random) };
  };
  const norm = (name: string): Tensor => ({
    name,
    dimensions: [EMBEDDING],
    data: new Float32Array(EMBEDDING).fill(1),
  });
  const layer = (index: number): readonly Tensor[] => [
    norm(`blk.${index}.attn_norm.weight`),
    ...["q", "k", "v", "output"].map((part) => tensor(`blk.${index}.attn_${part}.weight`, [EMBEDDING, EMBEDDING])),
    norm(`blk.${index}.ffn_norm.weight`),
    tensor(`blk.${index}.ffn_gate.weight`, [EMBEDDING, FEED_FORWARD]),
    tensor(`blk.${index}.ffn_up.weight`, [EMBEDDING, FEED_FORWARD]),
    tensor(`blk.${index}.ffn_down.weight`, [FEED_FORWARD, EMBEDDING]),
  ];
  const output = tensor("output.weight", [EMBEDDING, vocabulary]);
  // control and byte tokens are made unlikely, so that what comes out is words and an end
  for (let token = 0; token < SPECIAL_TOKENS; token++) {
    const row = output.data.subarray(token * EMBEDDING, (token + 1) * EMBEDDING);
    const damping = token === END_OF_TURN ? 0.3 : 0.05;
    row.forEach((weight, i) => (row[i] = weight * damping));
  }
  const layers = Array.from({ length: LAYERS }, (_, index) => layer(index)).flat();
  return [tensor("token_embd.weight", [EMBEDDING, vocabulary]), ...layers, norm("output_norm.weight"), output];
}

/** Uniform in ±0.3 (a linear congruential generator; Numerical Recipes' constants). */
function randomWeights(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) * 0.6;
  };
}

type Metadata = readonly (readonly [key: string, write: (writer: GgufWriter) => void])[];

function metadataOf({ tokens, scores, types }: Vocabulary): Metadata {
  const text = (key: string, value: string): Metadata[number] => [key, (writer) => writer.typedString(value)];
  const number = (key: string, value: number): Metadata[number] => [key, (writer) => writer.typedU32(value)];
  return [
    text("general.architecture", "llama"),
    text("general.name", "tiny-random"),
    number("general.alignment", ALIGNMENT),
    number("llama.context_length", CONTEXT),
    number("llama.embedding_length", EMBEDDING),
    number("llama.block_count", LAYERS),
    number("llama.feed_forward_length", FEED_FORWARD),
    number("llama.attention.head_count", HEADS),
    number("llama.attention.head_count_kv", HEADS),
    ["llama.attention.layer_norm_rms_epsilon", (writer) => writer.typedF32(1e-5)],
    number("llama.rope.dimension_count", EMBEDDING / HEADS),
    number("llama.vocab_size", tokens.length),
    text("tokenizer.ggml.model", "llama"),
    ["tokenizer.ggml.tokens", (writer) => writer.strings(tokens)],
    ["tokenizer.ggml.scores", (writer) => writer.floats(scores)],
    ["tokenizer.ggml.token_type", (writer) => writer.integers(types)],
    number("tokenizer.ggml.unknown_token_id", 0),
    number("tokenizer.ggml.bos_token_id", 1),
    number("tokenizer.ggml.eos_token_id", END_OF_TURN),
    ["tokenizer.ggml.add_bos_token", (writer) => writer.typedBoolean(true)],
    ["tokenizer.ggml.add_space_prefix", (writer) => writer.typedBoolean(false)],
    text("tokenizer.chat_template", CHAT_TEMPLATE),
  ];
}

/** GGUF's value types. */
const ValueType = { U32: 4, I32: 5, F32: 6, Boolean: 7, String: 8, Array: 9 } as const;

class GgufWriter {
  readonly #parts: Buffer[] = [];
  #length = 0;

  bytes(): Buffer {
    return Buffer.concat(this.#parts, this.#length);
  }

  raw(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  align(): void {
    this.raw(Buffer.alloc((ALIGNMENT - (this.#length % ALIGNMENT)) % ALIGNMENT));
  }

  u32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.raw(bytes);
  }

  u64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.raw(bytes);
  }

  string(value: string): void {
    const bytes = Buffer.from(value, "utf8");
    this.u64(bytes.length);
    this.raw(bytes);
  }

  typedString(value: string): void {
    this.u32(ValueType.String);
    this.string(value);
  }

  typedU32(value: number): void {
    this.u32(ValueType.U32);
    this.u32(value);
  }

  typedF32(value: number): void {
    this.u32(ValueType.F32);
    this.#f32(value);
  }

  typedBoolean(value: boolean): void {
    this.u32(ValueType.Boolean);
    this.raw(Buffer.from([value ? 1 : 0]));
  }

  strings(values: readonly string[]): void {
    this.#array(ValueType.String, values.length);
    for (const value of values) this.string(value);
  }

  floats(values: readonly number[]): void {
    this.#array(ValueType.F32, values.length);
    for (const value of values) this.#f32(value);
  }

  integers(values: readonly number[]): void {
    this.#array(ValueType.I32, values.length);
    for (const value of values) this.u32(value);
  }

  #array(type: number, length: number): void {
    this.u32(ValueType.Array);
    this.u32(type);
    this.u64(length);
  }

  #f32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.raw(bytes);
  }
}
