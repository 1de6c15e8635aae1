import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, decode, encode } from "dns-packet";
import { parseQuery } from "../query.ts";
import { capTtl } from "./cap-ttl.ts";

test("times to live are cut in all sections, and nothing else is changed", () => {
  const question = { type: "A", name: "long.example" } as const;
  const asked = encode({ type: "query", id: 7, questions: [question] });
  const query = parseQuery(asked);
  assert.ok(query && "name" in query);
  const record = (name: string, ttl: number): Answer => ({ type: "A", name, ttl, data: "192.0.2.1" });
  const message = (ttl: number) =>
    encode({
      type: "response",
      id: 7,
      questions: [question],
      answers: [{ type: "CNAME", name: "long.example", ttl, data: "end.example" }, record("end.example", 30)],
      authorities: [{ type: "NS", name: "example", ttl, data: "ns.example" }],
      additionals: [
        record("ns.example", ttl),
        {
          type: "OPT",
          name: ".",
          udpPayloadSize: 1232,
          flags: 0x8000,
          flag_do: true,
          extendedRcode: 0,
          ednsVersion: 0,
          options: [],
        },
      ],
    });
  assert.deepEqual(decode(capTtl(Buffer.from(message(86_400)), query, 3600)), decode(message(3600)));
  assert.deepEqual(capTtl(Buffer.from(message(60)), query, 3600), message(60));
});
