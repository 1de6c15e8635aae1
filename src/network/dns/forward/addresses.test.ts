import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, encode } from "dns-packet";
import { parseQuery } from "../query.ts";
import type { DnsAnswer } from "../types.ts";
import * as addresses from "./addresses.ts";

function reply(name: string, answers: Answer[]): Buffer {
  return encode({ type: "response", questions: [{ type: "A", name }], answers });
}

/** As if the question was the one that the answer repeats. */
function addressesIn(bytes: Buffer): DnsAnswer[] {
  const question = Buffer.from(bytes);
  question[2] = 0;
  const query = parseQuery(question);
  assert.ok(query && "end" in query);
  return addresses.addressesIn(bytes, query);
}

test("addresses are those that the question leads to, with the least time of the chain", () => {
  const bytes = reply("WWW.example.org", [
    { type: "CNAME", name: "www.example.org", ttl: 30, data: "Edge.example.net" },
    { type: "CNAME", name: "edge.example.net", ttl: 300, data: "e7.example.net" },
    { type: "A", name: "e7.example.net", ttl: 60, data: "192.0.2.7" },
    { type: "AAAA", name: "e7.example.net", ttl: 20, data: "2001:db8::7" },
    { type: "A", name: "other.example.net", ttl: 60, data: "192.0.2.66" },
    { type: "TXT", name: "www.example.org", ttl: 60, data: "words" },
  ]);
  assert.deepEqual(addressesIn(bytes), [
    { name: "e7.example.net", address: "192.0.2.7", ttl: 30 },
    { name: "e7.example.net", address: "2001:db8::7", ttl: 20 },
  ]);
});

test("a name of its own, none, and a chain that runs in circles", () => {
  const own: Answer = { type: "A", name: "a.example", ttl: 5, data: "192.0.2.1" };
  assert.deepEqual(addressesIn(reply("a.example", [own])), [{ name: "a.example", address: "192.0.2.1", ttl: 5 }]);
  assert.deepEqual(addressesIn(reply("b.example", [])), []);
  const circle: Answer[] = [
    { type: "CNAME", name: "a.example", ttl: 9, data: "b.example" },
    { type: "CNAME", name: "b.example", ttl: 9, data: "a.example" },
  ];
  assert.deepEqual(addressesIn(reply("a.example", circle)), []);
});

test("what is malformed is thrown, wherever it is", () => {
  const bytes = reply("a.example", [
    { type: "CNAME", name: "a.example", ttl: 9, data: "b.example" },
    { type: "A", name: "b.example", ttl: 5, data: "192.0.2.1" },
  ]);
  assert.equal(addressesIn(bytes).length, 1);
  for (let end = 27; end < bytes.length; end++)
    assert.throws(() => addressesIn(bytes.subarray(0, end)), { kind: "invalid" }, `${end} bytes`);
  const shorter = Buffer.from(bytes);
  shorter.writeUInt16BE(3, bytes.length - 6); // of the address
  assert.throws(() => addressesIn(shorter), { kind: "invalid" });
  const loop = Buffer.from(bytes);
  loop.writeUInt16BE(0xc000 | 27, 27); // the first record's name points to itself
  assert.throws(() => addressesIn(loop), { kind: "invalid" });
});
