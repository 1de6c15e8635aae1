import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressBytes,
  addressOfBytes,
  canonicalAddress,
  type Ip,
  isLinkLocal,
  isLoopback,
  isMulticast,
  parseAddress,
  printAddress,
} from "./address.ts";
import {
  containsAddress,
  containsPrefix,
  lastOf,
  masked,
  overlap,
  type Prefix,
  parsePrefix,
  printPrefix,
} from "./prefix.ts";
import { parseIpv4, printIpv4 } from "./v4.ts";

const ip = (text: string): Ip => parseAddress(text) ?? assert.fail(`${text} is an address`);
const net = (text: string): Prefix => parsePrefix(text) ?? assert.fail(`${text} is a prefix`);

test("IPv4: dotted, four parts, no leading zeros", () => {
  for (const good of ["0.0.0.0", "255.255.255.255", "172.17.0.1", "10.0.0.255"]) {
    assert.equal(printIpv4(parseIpv4(good) ?? -1), good);
  }
  assert.equal(parseIpv4("192.168.1.2"), 0xc0a80102);
  const bad = [
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.00",
    "a.b.c.d",
  ];
  for (const text of [...bad, "1.2.3.4 ", "-1.2.3.4", "1.2.3.4/8"]) assert.equal(parseIpv4(text), undefined, text);
});

test("IPv6: every way of writing is read, one is written", () => {
  const forms = {
    "::": "::",
    "::1": "::1",
    "1::": "1::",
    "FE80:0:0:0:0:0:0:1": "fe80::1",
    "2001:db8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "2001:0db8::0001": "2001:db8::1",
    "1:2:3:4:5:6:7:8": "1:2:3:4:5:6:7:8",
    "1:0:3:4:5:6:7:8": "1:0:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0",
    "64:ff9b::1.2.3.4": "64:ff9b::102:304",
    "::ffff:10.0.0.1": "10.0.0.1",
    "::ffff:a00:1": "10.0.0.1",
  };
  for (const [text, canonical] of Object.entries(forms)) assert.equal(canonicalAddress(text), canonical);
  const bad = ["", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::"];
  for (const text of [...bad, "fe80::1%eth0", "1.2.3.4::", "::1.2.3", ":1", "1:"])
    assert.equal(parseAddress(text), undefined, text);
});

test("kinds of addresses", () => {
  assert.ok(isLinkLocal(ip("169.254.1.1")) && isLinkLocal(ip("fe80::1")) && isLinkLocal(ip("febf::1")));
  assert.ok(!isLinkLocal(ip("169.253.1.1")) && !isLinkLocal(ip("fec0::1")));
  assert.ok(isLoopback(ip("127.3.4.5")) && isLoopback(ip("::1")) && !isLoopback(ip("::2")));
  assert.ok(isMulticast(ip("224.0.0.1")) && isMulticast(ip("ff02::1")) && !isMulticast(ip("223.0.0.1")));
});

test("bytes in network order", () => {
  assert.deepEqual([...addressBytes(ip("10.1.2.255"))], [10, 1, 2, 255]);
  const bytes = addressBytes(ip("2001:db8::ff"));
  assert.equal(bytes.length, 16);
  assert.equal(printAddress(addressOfBytes(bytes)), "2001:db8::ff");
  assert.equal(printAddress(addressOfBytes(Uint8Array.of(1, 2, 3, 4))), "1.2.3.4");
});

test("CIDR notation", () => {
  for (const good of ["10.0.0.0/8", "0.0.0.0/0", "172.17.0.1/16", "fd00::/64", "::/0", "::1/128"]) {
    assert.equal(printPrefix(net(good)), good);
  }
  assert.equal(printPrefix(net("::ffff:10.0.0.0/104")), "10.0.0.0/8");
  for (const bad of [
    "",
    "/",
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "fd00::/129",
    "10.0.0/8",
    "::ffff:10.0.0.0/8",
    "a/8",
  ]) {
    assert.equal(parsePrefix(bad), undefined, bad);
  }
  assert.equal(printPrefix(masked(net("172.17.3.4/16"))), "172.17.0.0/16");
  assert.equal(printPrefix(masked(net("fd00:1:2:3:4::/64"))), "fd00:1:2:3::/64");
  assert.equal(printAddress({ family: 4, value: lastOf(net("172.17.3.4/16")) }), "172.17.255.255");
});

test("containment and overlap", () => {
  const subnet = net("172.18.0.0/16");
  assert.ok(containsAddress(subnet, ip("172.18.0.0")) && containsAddress(subnet, ip("172.18.255.255")));
  assert.ok(!containsAddress(subnet, ip("172.19.0.0")) && !containsAddress(subnet, ip("::1")));
  assert.ok(containsPrefix(subnet, net("172.18.5.0/24")) && !containsPrefix(net("172.18.5.0/24"), subnet));
  assert.ok(
    overlap(subnet, net("172.18.5.9/24")) && overlap(net("172.16.0.0/12"), subnet) && overlap(net("0.0.0.0/0"), subnet),
  );
  assert.ok(!overlap(subnet, net("172.19.0.0/16")) && !overlap(net("0.0.0.0/0"), net("::/0")));
  assert.ok(overlap(net("fd00::/8"), net("fd12:3456::/64")) && !overlap(net("fd00::/64"), net("fd00:0:0:1::/64")));
});
