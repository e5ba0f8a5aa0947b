/** Whole answers: what they say of themselves, and lists of models with what a caller may see of them. */
import { isUtf8 } from "node:buffer";
import type { WholeAnswer } from "../dialect.ts";
import { JSON_LIMITS, readJson, type JsonLimits } from "../json.ts";
import { isObject, type JsonObject } from "./check.ts";
import { NO_USAGE, usageOf } from "./usage.ts";

/** Bytes of an answer that is read whole. */
export const MAX_ANSWER_BYTES: number = 64 * 1024 * 1024;

/** Reads a successful answer of any operation; never throws. */
export function readAnswer(bytes: Buffer): WholeAnswer {
  if (bytes.length > MAX_ANSWER_BYTES)
    return { ok: false, message: `the answer has more than ${MAX_ANSWER_BYTES} bytes` };
  if (!isUtf8(bytes)) return { ok: false, message: "the answer is not valid UTF-8" };
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return { ok: false, message: "the answer is not JSON" };
  }
  if (!isObject(value)) return { ok: false, message: "the answer is no JSON object" };
  const choices: readonly unknown[] = Array.isArray(value["choices"]) ? value["choices"] : [];
  let finish = "";
  for (const choice of choices)
    if (isObject(choice) && typeof choice["finish_reason"] === "string") finish = choice["finish_reason"];
  const model = typeof value["model"] === "string" ? value["model"] : "";
  return { ok: true, usage: usageOf(value["usage"]) ?? NO_USAGE, model, finish, choices: choices.length };
}

/** What OpenAI's list tells of a model, and the context's length, which vLLM adds. Others name files and base models. */
const MODEL_MEMBERS = ["id", "object", "created", "owned_by", "max_model_len"];

/** Of a list of models: some thousands of them. */
const MODELS_LIMITS: JsonLimits = { ...JSON_LIMITS, maxBytes: 1024 * 1024 };

/** A list of models with those that are allowed, in OpenAI's members only; undefined when it cannot be read. */
export function filterModels(bytes: Buffer, allowed: (model: string) => boolean): Buffer | undefined {
  const reading = readJson(bytes, MODELS_LIMITS);
  if (!reading.ok || !isObject(reading.value) || !Array.isArray(reading.value["data"])) return undefined;
  const entries: readonly unknown[] = reading.value["data"];
  const data: JsonObject[] = [];
  for (const entry of entries) {
    if (!isObject(entry) || typeof entry["id"] !== "string" || !allowed(entry["id"])) continue;
    data.push(modelOf(entry));
  }
  return Buffer.from(JSON.stringify({ object: "list", data }), "utf8");
}

/** One model, in OpenAI's members only; undefined when it cannot be read or is not the one asked for. */
export function filterModel(bytes: Buffer, id: string): Buffer | undefined {
  const reading = readJson(bytes, MODELS_LIMITS);
  if (!reading.ok || !isObject(reading.value) || reading.value["id"] !== id) return undefined;
  return Buffer.from(JSON.stringify(modelOf(reading.value)), "utf8");
}

/** Words and numbers only: what an engine puts inside an object is on no list. */
function modelOf(entry: JsonObject): JsonObject {
  const scalar = (name: string): boolean => typeof entry[name] === "string" || typeof entry[name] === "number";
  return Object.fromEntries(MODEL_MEMBERS.filter(scalar).map((name) => [name, entry[name]]));
}
