import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { AnswerReader, type Answer } from "./connection.ts";

const WIRE = Buffer.from(
  [
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
    "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno",
  ].join(""),
);

test("answers are framed the same however their bytes arrive", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: WIRE.length - 1 }), { maxLength: 12 }), (cuts) => {
      const answers: Answer[] = [];
      let body = "";
      const reader = new AnswerReader(
        (answer) => answers.push(answer),
        (text) => (body += text),
      );
      const points = [0, ...cuts.toSorted((a, b) => a - b), WIRE.length];
      for (let i = 1; i < points.length; i++) reader.push(WIRE.subarray(points[i - 1], points[i]));
      expect(answers).toEqual([
        { status: 200, bodyBytes: 5 },
        { status: 403, bodyBytes: 0 },
        { status: 200, bodyBytes: 7 },
        { status: 502, bodyBytes: 2 },
      ]);
      expect(body).toBe("helloabcdefgno");
    }),
  );
});
