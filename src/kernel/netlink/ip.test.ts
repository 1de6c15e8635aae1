import assert from "node:assert/strict";
import { test } from "node:test";
import { cidrBytes, ipBytes, ipText, macBytes, macText, rangeOf } from "./ip.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("addresses become bytes", () => {
  assert.equal(hex(ipBytes("172.18.0.2")), "ac120002");
  assert.equal(hex(ipBytes("fd00:1::2")), "fd000001000000000000000000000002");
  assert.equal(hex(ipBytes("::")), "00".repeat(16));
  assert.equal(hex(ipBytes("1:2:3:4:5:6:7:8")), "00010002000300040005000600070008");
  assert.equal(hex(ipBytes("::ffff:1.2.3.4")), `${"00".repeat(10)}ffff01020304`);
  assert.equal(hex(ipBytes("fe80::")), `fe80${"00".repeat(14)}`);
  for (const wrong of ["", "1.2.3", "1.2.3.256", "fe80::1%eth0", "example.org", "1.2.3.4/8", ":::"])
    assert.throws(() => ipBytes(wrong), { kind: "invalid" });
});

test("bytes become the usual text of an address", () => {
  for (const text of ["10.0.0.1", "::", "::1", "fe80::", "fd00:1::2", "1:2:3:4:5:6:7:8", "1:0:2::3", "1::2:0:0:3:4"])
    assert.equal(ipText(ipBytes(text)), text);
  assert.equal(ipText(ipBytes("2001:DB8:0:0:1:0:0:1")), "2001:db8::1:0:0:1");
  assert.equal(ipText(ipBytes("1:0:2:3:4:5:6:7")), "1:0:2:3:4:5:6:7");
});

test("prefixes become ranges", () => {
  const range = (cidr: string) => Object.values(rangeOf(cidr)).map(ipText);
  assert.deepEqual(range("10.1.2.3/8"), ["10.0.0.0", "10.255.255.255"]);
  assert.deepEqual(range("10.1.2.3/20"), ["10.1.0.0", "10.1.15.255"]);
  assert.deepEqual(range("0.0.0.0/0"), ["0.0.0.0", "255.255.255.255"]);
  assert.deepEqual(range("10.1.2.3"), ["10.1.2.3", "10.1.2.3"]);
  assert.deepEqual(range("fd00:1:2::/47"), ["fd00:1:2::", "fd00:1:3:ffff:ffff:ffff:ffff:ffff"]);
  assert.equal(cidrBytes("fd00::1/64").prefix, 64);
  for (const wrong of ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "fd00::/129", "10.0.0.0/x"])
    assert.throws(() => cidrBytes(wrong), { kind: "invalid" });
});

test("hardware addresses", () => {
  assert.equal(macText(macBytes("02:42:AC:11:00:02")), "02:42:ac:11:00:02");
  for (const wrong of ["", "02:42:ac:11:00", "02:42:ac:11:00:0g", "0242ac110002"])
    assert.throws(() => macBytes(wrong), { kind: "invalid" });
});
