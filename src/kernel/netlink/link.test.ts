import assert from "node:assert/strict";
import { test } from "node:test";
import { linkUp, loopbackIndex } from "./link.ts";
import {
  type Attribute,
  acknowledgement,
  decodeAttributes,
  decodeMessages,
  encodeAttribute,
  encodeMessage,
  u32,
} from "./message.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("bringing loopback up is the message ip(8) sends", () => {
  assert.equal(
    hex(linkUp(loopbackIndex, 7)),
    ["20000000", "1000", "0500", "07000000", "00000000", "00000000", "01000000", "01000000", "01000000"].join(""),
  );
});

test("attributes are padded, nested ones marked, texts ended", () => {
  assert.equal(hex(encodeAttribute({ type: 3, value: "lo" })), "070003006c6f0000");
  assert.equal(hex(encodeAttribute(u32(4, 1500))), "08000400dc050000");
  const nested: Attribute = { type: 18, value: [{ type: 1, value: "veth" }] };
  assert.equal(hex(encodeAttribute(nested)), "10001280090001007665746800000000");
});

test("what was encoded is decoded", () => {
  const attributes = [{ type: 3, value: "eth0" }, u32(4, 9000), { type: 18, value: [{ type: 1, value: "veth" }] }];
  const one = encodeMessage({ type: 16, flags: 4, sequence: 1, body: new Uint8Array(16), attributes });
  const datagram = Buffer.concat([one, linkUp(1, 2)]);
  const [first, second, third] = decodeMessages(datagram);
  assert.ok(first !== undefined && second !== undefined && third === undefined);
  assert.deepEqual([first.type, first.flags, first.sequence, second.sequence], [16, 5, 1, 2]);
  const found = decodeAttributes(first.payload.subarray(16));
  assert.equal(hex(found.get(3) ?? new Uint8Array()), "6574683000");
  assert.equal(hex(decodeAttributes(found.get(18) ?? new Uint8Array()).get(1) ?? new Uint8Array()), "7665746800");
});

test("an acknowledgement is found by its sequence number, with its errno", () => {
  const answer = (sequence: number, error: number) => {
    const body = Buffer.alloc(20);
    body.writeInt32LE(error);
    return encodeMessage({ type: 2, flags: 0, sequence, body, attributes: [] });
  };
  assert.equal(acknowledgement(answer(7, 0), 7), 0);
  assert.equal(acknowledgement(answer(7, -19), 7), 19);
  assert.equal(acknowledgement(answer(8, 0), 7), undefined);
  assert.equal(acknowledgement(Buffer.concat([linkUp(1, 7), answer(7, -1)]), 7), 1);
});

test("what is cut short is refused", () => {
  const message = linkUp(1, 1);
  assert.throws(() => decodeMessages(message.subarray(0, 20)), { kind: "internal" });
  assert.throws(() => decodeAttributes(Buffer.from("ff000300", "hex")), { kind: "internal" });
  assert.throws(() => decodeAttributes(Buffer.from("00000300", "hex")), { kind: "internal" });
  assert.deepEqual(decodeMessages(new Uint8Array()), []);
});
