import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, type RecordType } from "dns-packet";
import { encodeName } from "./name.ts";
import { ednsSize, parseQuery, type Query, rcode, type } from "./query.ts";
import { encodeRefusal, encodeReply, type ReplyRecord } from "./reply.ts";

const opt = {
  type: "OPT",
  name: ".",
  udpPayloadSize: 1400,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
};

function ask(name: string, wanted: RecordType = "A", edns = false): Buffer {
  const additionals = edns ? [{ ...opt, options: [] } as never] : [];
  return encode({ type: "query", id: 4711, flags: 0x0110, questions: [{ type: wanted, name }], additionals });
}

function parsed(bytes: Buffer): Query {
  const query = parseQuery(bytes);
  assert.ok(query && "end" in query, "a question");
  return query;
}

const v4 = (last: number) => ({ type: type.A, data: Uint8Array.of(172, 18, 0, last) });

test("a question is read as another library has written it", () => {
  const { name, type: wanted, internet, end, bytes } = parsed(ask("Web.Backend", "AAAA"));
  assert.deepEqual([name, wanted, internet, end], ["web.backend", type.AAAA, true, bytes.length]);
  assert.equal(parsed(ask(".")).name, "");
  assert.equal(ednsSize(parsed(ask("a"))), undefined);
  assert.equal(ednsSize(parsed(ask("a", "A", true))), 1400);
});

test("dots and other odd bytes within a label do not look like labels", () => {
  const labels = [Buffer.from("a.b"), Buffer.from([0, 0xff]), Buffer.from("c\\")];
  const name = Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
  const message = Buffer.concat([ask(".").subarray(0, 12), name, Buffer.of(0, 1, 0, 1)]);
  assert.equal(parsed(message).name, "a\\.b.\\000\\255.c\\\\");
});

test("an answer repeats the question byte by byte, and is read by another library", () => {
  const query = parsed(ask("wEb", "A", true));
  const reply = encodeReply(query, [v4(2), v4(3)], "udp");
  assert.deepEqual(reply.subarray(12, query.end), query.bytes.subarray(12, query.end));
  const {
    id,
    flags,
    rcode: code,
    answers,
    additionals,
    questions,
  } = decode(reply) as ReturnType<typeof decode> & {
    rcode: string;
  };
  assert.deepEqual([id, code, flags && flags & 0x0190], [4711, "NOERROR", 0x0190], "RD and CD as asked, RA");
  assert.deepEqual(questions, [{ name: "wEb", type: "A", class: "IN" }]);
  const found = answers?.map((answer) => answer.type === "A" && [answer.name, answer.data, answer.ttl]);
  assert.deepEqual(found, [
    ["wEb", "172.18.0.2", 10],
    ["wEb", "172.18.0.3", 10],
  ]);
  assert.deepEqual(
    additionals?.map((record) => record.type),
    ["OPT"],
  );
});

test("records of other types are read by another library", () => {
  const v6 = { type: type.AAAA, data: Buffer.from("fd000000000000000000000000000002", "hex") };
  const pointer = { type: type.PTR, data: encodeName("web.backend") };
  const data = (wanted: RecordType, record: ReplyRecord) =>
    decode(encodeReply(parsed(ask("x", wanted)), [record], "udp")).answers?.map(
      (answer) => "data" in answer && answer.data,
    );
  assert.deepEqual(data("AAAA", v6), ["fd00::2"]);
  assert.deepEqual(data("PTR", pointer), ["web.backend"]);
});

test("what a datagram does not hold is left out and said so; TCP holds all", () => {
  const many = Array.from({ length: 200 }, (_, n) => v4(n));
  const counts = (query: Query, way: "udp" | "tcp") => {
    const reply = encodeReply(query, many, way);
    const { answers, flag_tc } = decode(reply);
    return { size: reply.length, answers: answers?.length, flag_tc };
  };
  assert.deepEqual(counts(parsed(ask("web")), "udp"), { size: 21 + 30 * 16, answers: 30, flag_tc: true });
  assert.deepEqual(counts(parsed(ask("web", "A", true)), "udp"), { size: 1392, answers: 85, flag_tc: true });
  assert.deepEqual(counts(parsed(ask("web")), "tcp"), { size: 21 + 200 * 16, answers: 200, flag_tc: false });
});

test("what is no question of ours is refused, or gets no answer at all", () => {
  const question = ask("web");
  const changed = (at: number, byte: number) => {
    const bytes = Buffer.from(question);
    bytes[at] = byte;
    return bytes;
  };
  const code = (bytes: Buffer) => {
    const found = parseQuery(bytes);
    if (!found) return undefined;
    assert.ok("rcode" in found);
    const reply = encodeRefusal(found, found.rcode);
    assert.deepEqual([reply.length, reply.readUInt16BE(0), reply[2] && reply[2] & 0x80], [12, 4711, 0x80]);
    return reply.readUInt8(3) & 0xf;
  };
  assert.equal(code(question.subarray(0, 11)), undefined, "a fragment");
  assert.equal(code(changed(2, 0x81)), undefined, "an answer");
  assert.equal(code(changed(2, 0x29)), rcode.notImplemented, "an update");
  assert.equal(code(changed(5, 0)), rcode.format, "no question");
  assert.equal(code(changed(5, 2)), rcode.format, "two");
  assert.equal(code(changed(12, 64)), rcode.format, "a long label");
  assert.equal(code(changed(12, 0xc0)), rcode.format, "a pointer to nowhere");
  for (let end = 12; end < question.length; end++)
    assert.equal(code(question.subarray(0, end)), rcode.format, `${end}`);
  const endless = Buffer.concat([question.subarray(0, 12), Buffer.from("\x01a".repeat(130)), Buffer.alloc(5)]);
  assert.equal(code(endless), rcode.format, "a name of 260 bytes");
});

test("random changes to a question never throw", () => {
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(ask("www.example.org", "A", round % 2 === 0));
    for (let change = 0; change <= random(8); change++) bytes[random(bytes.length)] = random(256);
    const message = bytes.subarray(0, random(4) === 0 ? random(bytes.length) : bytes.length);
    const query = parseQuery(message);
    if (query && "end" in query) {
      assert.ok(encodeReply(query, [v4(1), v4(2)], "udp").length <= 65_535);
      encodeRefusal(query, rcode.failure);
    } else if (query) encodeRefusal(query, query.rcode);
  }
});
