import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeMessages } from "../message.ts";
import * as nft from "./index.ts";

const { types, meta, payload } = nft;
const table = { family: "inet", name: "t" } as const;

/** Names of the expressions of a rule. */
function namesOf(request: ReturnType<typeof nft.addRule>): string[] {
  const names: string[] = [];
  JSON.stringify(request.attributes, (_, value) => {
    if (typeof value === "string" && /^(meta|cmp|payload|lookup|nat|immediate|bitwise)$/.test(value)) names.push(value);
    return value;
  });
  return names;
}

test("a transaction is between its brackets; the last message within asks for the acknowledgement", () => {
  const messages = decodeMessages(nft.transaction([nft.addTable(table), nft.addChain(table, "c")], 7));
  assert.deepEqual(
    messages.map(({ type, flags, sequence }) => [type, flags & 4, sequence]),
    [
      [0x10, 0, 7],
      [0xa00, 0, 8],
      [0xa03, 4, 9],
      [0x11, 0, 10],
    ],
  );
});

test("the protocol is checked once, before the first statement that depends on it", () => {
  const rule = nft.addRule(table, "c", [
    nft.equals(payload.ipv4.saddr, "10.0.0.1"),
    nft.equals(payload.ipv4.daddr, "10.0.0.2"),
    nft.equals(payload.tcp.dport, 80),
  ]);
  assert.deepEqual(namesOf(rule).join(" "), "meta cmp payload cmp payload cmp meta cmp payload cmp");
  const plain = nft.addRule({ family: "ip", name: "t" }, "c", [nft.equals(payload.ipv4.saddr, "10.0.0.1")]);
  assert.deepEqual(namesOf(plain), ["payload", "cmp"]);
});

test("values that do not fit their type are refused", () => {
  const wrong: (() => unknown)[] = [
    () => nft.equals(payload.tcp.dport, 65_536),
    () => nft.equals(payload.tcp.dport, "http"),
    () => nft.equals(payload.ipv4.saddr, "fd00::1"),
    () => nft.equals(payload.ipv4.saddr, 7),
    () => nft.equals(meta("iifname"), "0123456789abcdef"),
    () => nft.equals(meta("l4proto"), "tpc"),
    () => nft.equals(meta("mark"), -1),
  ];
  for (const attempt of wrong) assert.throws(attempt, { kind: "internal" });
  assert.throws(() => nft.equals(payload.ipv4.saddr, "10.0.0"), { kind: "invalid" });
});

test("types read what they write", () => {
  const pairs: [nft.DataType, string | number][] = [
    [types.ifname, "br-1"],
    [types.ipv4_addr, "10.0.0.1"],
    [types.ipv6_addr, "fd00::1"],
    [types.ether_addr, "02:00:00:00:00:01"],
    [types.inet_proto, "sctp"],
    [types.inet_proto, 200],
    [types.inet_service, 65_535],
    [types.mark, 0xffff_ffff],
    [types.ct_state, "established"],
  ];
  for (const [type, value] of pairs) {
    assert.equal(type.decode(type.encode(value)), value);
    assert.equal(type.encode(value).length, type.size);
  }
});
