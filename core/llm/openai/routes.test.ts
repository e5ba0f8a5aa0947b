import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { routeOf } from "./routes.ts";

const JSON_TYPE = "application/json";

function outcome(method: string, target: string, type = JSON_TYPE, encoding = ""): string {
  const routing = routeOf(method, target, type, encoding);
  return routing.ok
    ? `${routing.route.operation} ${routing.route.model}`.trim()
    : `${routing.error.status} ${routing.error.code}`;
}

test.each([
  ["POST", "/v1/chat/completions", "Chat"],
  ["POST", "/v1/completions", "Completions"],
  ["POST", "/v1/embeddings", "Embeddings"],
  ["GET", "/v1/models", "ListModels"],
  ["GET", "/v1/models/llama-3-8b", "ListModels llama-3-8b"],
  ["GET", "/v1/models/meta-llama/Llama-3.1-8B:fp8", "ListModels meta-llama/Llama-3.1-8B:fp8"],
])("%s %s is an operation", (method, target, operation) => {
  expect(outcome(method, target)).toBe(operation);
});

test.each([
  "/",
  "",
  "*",
  "/v1",
  "/v1/",
  "/v1/chat/completions/",
  "/v1//chat/completions",
  "//v1/chat/completions",
  "/V1/chat/completions",
  "/v1/Chat/completions",
  "/v1/chat%2fcompletions",
  "/v1/chat/%63ompletions",
  "/v1/./chat/completions",
  "/v1/x/../chat/completions",
  "/v1/chat/completions;x=1",
  "/v1/chat/completions#a",
  "/v1/chat\\completions",
  "http://engine/v1/chat/completions",
  "/chat/completions",
  "/v1/responses",
  "/v1/load_lora_adapter",
  "/slots",
  "/metrics",
  "/v1/models/",
  "/v1/models//a",
  "/v1/models/a/",
  "/v1/models/..",
  "/v1/models/../completions",
  "/v1/models/a/../b",
  "/v1/models/a/.",
  "/v1/models/a%2f..",
  "/v1/models/a b",
  `/v1/models/${"a".repeat(257)}`,
  "/v1/modelsx",
])("%s is no path that is known", (target) => {
  expect(outcome("GET", target)).toBe("404 unknown_operation");
  expect(outcome("POST", target)).toBe("404 unknown_operation");
});

test.each([
  ["GET", "/v1/chat/completions"],
  ["PUT", "/v1/chat/completions"],
  ["post", "/v1/chat/completions"],
  ["POST", "/v1/models"],
  ["DELETE", "/v1/models/llama-3-8b"],
  ["HEAD", "/v1/models"],
])("%s is no method for %s", (method, target) => {
  expect(outcome(method, target)).toBe("405 method_not_allowed");
});

test("no query is taken", () => {
  expect(outcome("POST", "/v1/chat/completions?")).toBe("400 unknown_parameter");
  expect(outcome("POST", "/v1/chat/completions?api-version=1")).toBe("400 unknown_parameter");
  expect(outcome("GET", "/v1/models?a=b")).toBe("400 unknown_parameter");
  expect(outcome("GET", "/v1/unknown?a=b")).toBe("404 unknown_operation");
});

describe("the body's type", () => {
  test.each([
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
  ])("%s is read", (type) => {
    expect(outcome("POST", "/v1/embeddings", type)).toBe("Embeddings");
  });

  test.each([
    "",
    "text/plain",
    "application/json; charset=utf-16",
    "application/json, text/plain",
    "application/jsonx",
    "multipart/form-data; boundary=a",
    "application/json; profile=a",
  ])("%j is refused", (type) => {
    expect(outcome("POST", "/v1/embeddings", type)).toBe("415 unsupported_media_type");
  });

  test("an encoded body is refused", () => {
    expect(outcome("POST", "/v1/embeddings", JSON_TYPE, "gzip")).toBe("415 unsupported_encoding");
    expect(outcome("POST", "/v1/embeddings", JSON_TYPE, "identity, gzip")).toBe("415 unsupported_encoding");
    expect(outcome("POST", "/v1/embeddings", JSON_TYPE, "identity")).toBe("Embeddings");
  });

  test("a request without a body needs none", () => {
    expect(outcome("GET", "/v1/models", "")).toBe("ListModels");
  });
});

test("a path that is let through is forwarded as it came and means one thing to a URL parser", () => {
  const piece = fc.constantFrom(
    "/",
    "/v1",
    "/models",
    "/chat",
    "/completions",
    "..",
    ".",
    "%2e",
    "//",
    "\\",
    "?",
    "#",
    "a",
    ":",
    "@",
    ";",
    " ",
  );
  const property = fc.property(fc.array(piece, { maxLength: 8 }), fc.constantFrom("GET", "POST"), (pieces, method) => {
    const target = pieces.join("");
    const routing = routeOf(method, target, JSON_TYPE);
    if (!routing.ok) return;
    expect(routing.route.path).toBe(target);
    expect(new URL(target, "http://engine").pathname).toBe(target);
  });
  fc.assert(property, { numRuns: 5000 });
});
