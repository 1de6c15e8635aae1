import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { frame, messageLimit, messagesOf } from "./frames.ts";
import {
  bigint,
  bool,
  byteStrings,
  bytes,
  int,
  mapOf,
  message,
  optional,
  repeated,
  text,
  textMap,
  texts,
} from "./schema.ts";

const Inner = message("Inner", { name: text(1), count: int(2) });
const All = message("All", {
  text: text(1),
  data: bytes(2),
  flag: bool(3),
  number: int(4),
  large: bigint(5),
  list: texts(6),
  pieces: byteStrings(7),
  map: textMap(8),
  inner: optional(9, Inner),
  inners: repeated(10, Inner),
  named: mapOf(16, Inner),
});

const invalid = (error: unknown) => error instanceof SampanError && error.kind === "invalid";
const hex = (digits: string) => Buffer.from(digits.replaceAll(" ", ""), "hex");

suite("protobuf", () => {
  test("what is written is read back", () => {
    const value = {
      ...{
        text: "grüß",
        data: Buffer.from([0, 255]),
        flag: true,
        number: -5,
        large: -(2n ** 63n),
        list: ["a", "", "b"],
      },
      pieces: [Buffer.from("x"), Buffer.alloc(0)],
      map: new Map([
        ["a", "1"],
        ["__proto__", ""],
      ]),
      inner: { name: "in", count: 2 ** 40 },
      inners: [
        { name: "one", count: 0 },
        { name: "", count: 7 },
      ],
      named: new Map([["n", { name: "", count: 0 }]]),
    };
    assert.deepEqual(decode(All, encode(All, value)), value);
  });

  test("the bytes are those of the specification", () => {
    assert.deepEqual(encode(All, { number: 150 }), hex("20 96 01"));
    assert.deepEqual(encode(All, { text: "testing" }), hex("0a 07 74 65 73 74 69 6e 67"));
    assert.deepEqual(encode(All, { inner: { count: 150 } }), hex("4a 03 10 96 01"));
    assert.deepEqual(encode(All, { number: -1 }), hex("20 ff ff ff ff ff ff ff ff ff 01"));
    assert.deepEqual(encode(All, { named: new Map([["k", {}]]) }), hex("82 01 05 0a 01 6b 12 00"));
    assert.deepEqual(encode(All, { text: "", number: 0, flag: false, data: Buffer.alloc(0) }), Buffer.alloc(0));
  });

  test("unknown fields of every kind are skipped, the last of a repeated one counts", () => {
    const unknown = hex("f8 06 01 f9 06 01 02 03 04 05 06 07 08 fa 06 02 61 62 fd 06 01 02 03 04");
    assert.deepEqual(decode(Inner, Buffer.concat([unknown, hex("10 01 10 02"), unknown])), { name: "", count: 2 });
  });

  test("what is malformed is refused", () => {
    const cases = {
      "a varint that ends too soon": "10 80",
      "a varint of eleven bytes": `10 ${"80 ".repeat(10)}01`,
      "a text that is longer than the message": "0a 05 61",
      "a length beyond all bounds": "0a ff ff ff ff ff ff ff ff ff 01",
      "field number 0": "00 01",
      "a group": "0b 0c",
      "a number where a text belongs": "08 01",
      "a text where a number belongs": "12 01 61",
      "a number too large for a double": "10 ff ff ff ff ff ff ff 7f",
      "a fixed number for a varint": "15 01 02 03 04",
    };
    for (const [name, digits] of Object.entries(cases)) {
      assert.throws(() => decode(Inner, hex(digits)), invalid, name);
    }
    assert.throws(() => decode(All, hex("4a 02 0a 05")), invalid, "in a message of a message");
  });

  test("a value that is no integer is not sent", () => {
    assert.throws(() => encode(Inner, { count: 1.5 }));
    assert.throws(() => encode(Inner, { count: 2 ** 60 }));
  });
});

suite("gRPC's frames", () => {
  const collect = async (chunks: readonly Buffer[]) => await Array.fromAsync(messagesOf(streamOf(chunks)));

  test("messages are found wherever the stream is cut", async () => {
    const messages = [Buffer.from("one"), Buffer.alloc(0), Buffer.from("three")];
    const bytes = Buffer.concat(messages.map(frame));
    for (let size = 1; size <= bytes.length; size++) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      assert.deepEqual(await collect(chunks), messages);
    }
  });

  test("compressed, too large and unfinished messages are refused", async () => {
    const large = Buffer.alloc(5);
    large.writeUInt32BE(messageLimit + 1, 1);
    await assert.rejects(collect([large]), invalid);
    await assert.rejects(collect([Buffer.from([1, 0, 0, 0, 0])]), invalid);
    await assert.rejects(collect([frame(Buffer.from("abc")).subarray(0, 6)]), invalid);
    await assert.rejects(collect([Buffer.from([0, 0])]), invalid);
  });
});

async function* streamOf(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}
