import { expect, test } from "@jest/globals";
import { readError } from "./engine-error.ts";

test.each([
  [
    '{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}',
    { message: "too long", type: "invalid_request_error", code: "context_length_exceeded", param: "messages" },
  ],
  [
    '{"error":{"code":400,"message":"too long","type":"invalid_request_error"}}',
    { message: "too long", type: "invalid_request_error", code: "", param: "" },
  ],
  [
    '{"object":"error","message":"too long","type":"BadRequestError","param":null,"code":400}',
    { message: "too long", type: "BadRequestError", code: "", param: "" },
  ],
  ['{"error":{"message":"a\\r\\nb\\u0000c","code":"x y"}}', { message: "a b c", type: "", code: "", param: "" }],
])("%s is told in its words", (body, expected) => {
  expect(readError(Buffer.from(body))).toEqual(expected);
});

test.each(['{"detail":"no"}', "Traceback", "[]", '{"error":"no"}', '{"error":{}}', '{"data":[{"id":"hidden"}]}', ""])(
  "%s is not",
  (body) => {
    expect(readError(Buffer.from(body))).toBeUndefined();
  },
);

test("what is too large is not read, and long words are cut", () => {
  expect(readError(Buffer.from(`{"error":{"message":"${"a".repeat(70_000)}"}}`))).toBeUndefined();
  expect(readError(Buffer.from(`{"error":{"message":"${"a".repeat(5_000)}"}}`))?.message).toHaveLength(1_000);
  const { message = "" } = readError(Buffer.from(`{"error":{"message":"${"a".repeat(999)}😀"}}`)) ?? {};
  expect([message.length, message.isWellFormed()]).toEqual([1_000, true]);
});
