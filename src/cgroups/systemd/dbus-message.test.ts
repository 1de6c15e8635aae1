import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeMessage, encodeCall, errorText, Marshal, messageType } from "./dbus-message.ts";

test("values are aligned, and arrays count from their first element", () => {
  const text = (marshal: Marshal) => marshal.bytes.toString("hex");
  assert.equal(text(new Marshal().byte(1).uint32(2)), "0100000002000000");
  assert.equal(text(new Marshal().string("ab").byte(7)), "0200000061620007");
  const array = new Marshal();
  array.array(8, () => array.uint64(1n));
  assert.equal(text(array), "08000000000000000100000000000000");
});

test("a call has its fields in the header, and is as long as it says", () => {
  const body = new Marshal().string("x").bytes;
  const names = { path: "/a", interface: "b.c", member: "D", destination: "e.f", signature: "s" };
  const bytes = encodeCall({ ...names, body }, 5);
  assert.equal(bytes.subarray(0, 4).toString("hex"), "6c010001");
  assert.equal(bytes.readUInt32LE(4), body.length);
  assert.equal(bytes.readUInt32LE(8), 5);
  const message = decodeMessage(Buffer.concat([bytes, Buffer.from("next")]));
  assert.equal(message?.size, bytes.length);
  assert.equal(message.type, messageType.call);
  assert.deepEqual(message.body, body);
  assert.equal(errorText(message), "x");
  assert.equal(decodeMessage(bytes.subarray(0, -1)), undefined);
  assert.equal(decodeMessage(bytes.subarray(0, 10)), undefined);
});
