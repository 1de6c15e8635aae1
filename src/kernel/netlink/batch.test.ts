import assert from "node:assert/strict";
import { test } from "node:test";
import { be16, be32, be64, flag, Hole, nested, u8, u16 } from "./attribute.ts";
import { batch, batchWithHoles } from "./batch.ts";
import { decodeMessages, encodeAttribute, NLM_F_ACK, NLM_F_REQUEST } from "./message.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const request = (attributes: Parameters<typeof nested>[1]) => ({
  type: 16,
  flags: 0,
  body: new Uint8Array(4),
  attributes,
});

test("messages are numbered, and the last asks for an acknowledgement", () => {
  const messages = decodeMessages(batch([request([]), request([u8(1, 255)]), request([])], 41));
  assert.deepEqual(
    messages.map(({ sequence, flags }) => [sequence, flags]),
    [
      [41, NLM_F_REQUEST],
      [42, NLM_F_REQUEST],
      [43, NLM_F_REQUEST | NLM_F_ACK],
    ],
  );
  assert.equal(batch([]).length, 0);
});

test("numbers have the size and order of their format, and padding is zero", () => {
  // What was in the scratch memory before must not show in the padding.
  batch([request([{ type: 1, value: new Uint8Array(64).fill(0xee) }])]);
  assert.equal(hex(encodeAttribute(u8(1, 0xab))), "05000100ab000000");
  assert.equal(hex(encodeAttribute(u16(1, 0xabcd))), "06000100cdab0000");
  assert.equal(hex(encodeAttribute(be16(1, 0xabcd))), "06000100abcd0000");
  assert.equal(hex(encodeAttribute(be32(1, -3))), "08000100fffffffd");
  assert.equal(hex(encodeAttribute(be64(1, 258n))), "0c0001000000000000000102");
  assert.equal(hex(encodeAttribute(flag(3))), "04000300");
  assert.equal(hex(encodeAttribute({ type: 2, value: "häuser" })), "0c00020068c3a47573657200");
  assert.equal(hex(encodeAttribute({ type: 2, value: Uint8Array.of(1, 2, 3, 4, 5) })), "090002000102030405000000");
});

test("a structure with attributes behind it is no nested attribute", () => {
  const framed = { type: 1, value: { body: Uint8Array.of(1, 2, 3, 4), attributes: [u8(2, 7)] } };
  assert.equal(hex(encodeAttribute(framed)), "10000100010203040500020007000000");
});

test("holes are where their numbers belong", () => {
  const [first, second] = [new Hole("first"), new Hole("second")];
  const inner = nested(9, [{ type: 1, value: first }]);
  const { bytes, holes } = batchWithHoles([request([inner]), request([{ type: 2, value: second }])]);
  assert.deepEqual([holes.get(first), holes.get(second)], [16 + 4 + 4 + 4, 32 + 20 + 4]);
  for (const at of holes.values()) assert.equal(Buffer.from(bytes).readUInt32LE(at), 0);
});

test("a batch may be larger than the memory that is used again", () => {
  const large = Array.from({ length: 3000 }, (_, index) =>
    request([be32(1, index), { type: 2, value: "x".repeat(index % 50) }]),
  );
  const messages = decodeMessages(batch(large));
  assert.equal(messages.length, 3000);
  assert.ok(messages.every(({ payload }, index) => Buffer.from(payload).readUInt32BE(8) === index));
});
