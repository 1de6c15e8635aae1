import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import type { Subnet } from "../types.ts";
import { poolsOf } from "./default-pools.ts";
import { Ipam, type ReserveOptions } from "./ipam.ts";
import type { IpamConfig } from "./types.ts";
import { parseSubnets } from "./validate.ts";

const both = { ipv4: true, ipv6: true };
const options: ReserveOptions = { gateway: () => true, shared: false, host: [] };

function ipam(): Ipam {
  return new Ipam(poolsOf([], "/var/lib/sampan"));
}

function reserve(on: Ipam, config: IpamConfig, more: Partial<ReserveOptions> = {}): Subnet {
  const [subnet] = on.reserve(parseSubnets([config], both), { ...options, ...more });
  return subnet ?? assert.fail("one subnet was reserved");
}

function refused(kind: string, message: string | RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SampanError, String(error));
    assert.equal(error.kind, kind);
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  };
}

test("a default subnet has the first address as its gateway, containers have the next ones, lowest first", () => {
  const a = ipam();
  const subnet = reserve(a, {});
  assert.deepEqual(subnet, { subnet: "172.17.0.0/16", gateway: "172.17.0.1" });
  assert.deepEqual(
    [1, 2, 3].map(() => a.takeAny(subnet)),
    ["172.17.0.2", "172.17.0.3", "172.17.0.4"],
  );
  a.releaseAddress(subnet, "172.17.0.3");
  assert.equal(a.takeAny(subnet), "172.17.0.3");
  assert.equal(a.takeAny(subnet), "172.17.0.5");
});

test("pools go far beyond 31 networks, and what was given back is used again", () => {
  const a = ipam();
  const all = Array.from({ length: 600 }, () => reserve(a, {}).subnet);
  assert.equal(new Set(all).size, 600);
  assert.deepEqual(all.slice(0, 3), ["172.17.0.0/16", "172.18.0.0/20", "172.18.16.0/20"]);
  assert.equal(all[1 + 224], "192.168.0.0/24");
  assert.equal(all[1 + 224 + 256], "10.0.0.0/24");
  a.release([{ subnet: "172.18.16.0/20", gateway: "172.18.16.1" }]);
  assert.equal(reserve(a, {}).subnet, "172.18.16.0/20");
});

test("pools avoid what the machine uses", () => {
  const host = [
    { range: "172.17.4.0/24" },
    { range: "172.18.0.0/17" },
    { range: "172.18.128.9/32" },
    { range: "0.0.0.0/0", viaGateway: true },
    { range: "0.0.0.0/1", viaGateway: true },
    { range: "fe80::/64" },
  ];
  const a = ipam();
  assert.equal(reserve(a, {}, { host }).subnet, "172.18.144.0/20");
  assert.equal(reserve(a, {}, { host }).subnet, "172.18.160.0/20");
});

test("a VPN that claims every private address is avoided as long as possible, then only what is on the wire", () => {
  const vpn = [
    { range: "172.16.0.0/12", viaGateway: true },
    { range: "10.0.0.0/8", viaGateway: true },
  ];
  const a = ipam();
  assert.equal(reserve(a, {}, { host: vpn }).subnet, "192.168.0.0/24");
  const all = [...vpn, { range: "192.168.0.0/16" }];
  assert.equal(reserve(a, {}, { host: all }).subnet, "172.17.0.0/16");
});

test("IPv6 subnets come from a block of the root's own", () => {
  const one = ipam();
  const wanted = [{ family: 6, auxiliary: new Map() }] as const;
  const [first] = one.reserve(wanted, options);
  const [second] = one.reserve(wanted, options);
  assert.match(first?.subnet ?? "", /^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/);
  assert.notEqual(first?.subnet, second?.subnet);
  assert.equal(first?.gateway, first?.subnet.replace("/64", "1"));
  const [elsewhere] = new Ipam(poolsOf([], "/other")).reserve(wanted, options);
  assert.notEqual(elsewhere?.subnet, first?.subnet);
});

test("configured pools take the place of ours, of their family only", () => {
  const a = new Ipam(poolsOf([{ base: "10.99.0.0/23", size: 24 }], "/r"));
  assert.deepEqual([reserve(a, {}).subnet, reserve(a, {}).subnet], ["10.99.0.0/24", "10.99.1.0/24"]);
  assert.throws(() => reserve(a, {}), refused("invalid", /^all predefined address pools have been fully subnetted/));
  assert.ok(a.reserve([{ family: 6, auxiliary: new Map() }], options)[0]?.subnet.startsWith("fd"));
  assert.throws(
    () => poolsOf([{ base: "10.0.0.0/25", size: 24 }], "/r"),
    refused("invalid", /smaller than the networks/),
  );
  assert.throws(() => poolsOf([{ base: "10.0.0.0", size: 24 }], "/r"), refused("invalid", /not in CIDR notation/));
});

test("an unspecified subnet is one of the default pools with the size that was asked for", () => {
  const a = ipam();
  assert.equal(reserve(a, { subnet: "0.0.0.0/24" }).subnet, "172.17.0.0/24");
  assert.equal(reserve(a, { subnet: "0.0.0.0/28" }).subnet, "172.17.1.0/28");
  assert.throws(() => reserve(a, { subnet: "0.0.0.0/2" }), refused("invalid", "invalid address pool"));
});

test("explicit subnets must not overlap those of other networks", () => {
  const a = ipam();
  reserve(a, { subnet: "10.5.0.0/16" });
  const text = "invalid pool request: Pool overlaps with other one on this address space";
  for (const subnet of ["10.5.0.0/16", "10.5.3.0/24", "10.0.0.0/8"]) {
    assert.throws(() => reserve(a, { subnet }), refused("denied", text));
    assert.throws(() => reserve(a, { subnet, ipRange: subnet }), refused("denied", text));
  }
  reserve(a, { subnet: "10.6.0.0/16" });
  a.release([{ subnet: "10.5.0.0/16", gateway: "10.5.0.1" }]);
  assert.equal(reserve(a, { subnet: "10.5.0.0/24" }).gateway, "10.5.0.1");
});

test("ip-range, gateway and auxiliary addresses", () => {
  const a = ipam();
  const subnet = reserve(a, {
    subnet: "172.28.0.0/16",
    ipRange: "172.28.5.0/29",
    gateway: "172.28.5.6",
    auxiliary: { router: "172.28.5.1", far: "172.28.200.1" },
  });
  assert.deepEqual(subnet, {
    subnet: "172.28.0.0/16",
    ipRange: "172.28.5.0/29",
    gateway: "172.28.5.6",
    auxiliary: { router: "172.28.5.1", far: "172.28.200.1" },
  });
  const got = Array.from({ length: 7 }, () => a.takeAny(subnet));
  assert.deepEqual(got, [
    "172.28.5.0",
    "172.28.5.2",
    "172.28.5.3",
    "172.28.5.4",
    "172.28.5.5",
    "172.28.5.7",
    undefined,
  ]);
  assert.throws(() => a.take(subnet, "172.28.200.1"), refused("denied", "Address already in use"));
  a.take(subnet, "172.28.9.9");
  assert.throws(() => a.take(subnet, "172.28.9.9"), refused("denied", "Address already in use"));
  assert.throws(() => a.take(subnet, "172.29.0.1"), refused("invalid", /not part of 172\.28\.0\.0\/16/));
  const clash = { subnet: "10.1.0.0/24", gateway: "10.1.0.9", auxiliary: { x: "10.1.0.9" } };
  const text = "failed to allocate secondary ip address (x:10.1.0.9): Address already in use";
  assert.throws(() => reserve(a, clash), refused("denied", text));
  assert.equal(reserve(a, { subnet: "10.1.0.0/24", auxiliary: { x: "10.1.0.1" } }).gateway, "10.1.0.2");
});

test("networks in one LAN share its subnet, each with a range of its own", () => {
  const a = ipam();
  const shared = { shared: true };
  const lan = { subnet: "192.168.50.0/24", gateway: "192.168.50.1" };
  const one = reserve(a, { ...lan, ipRange: "192.168.50.64/26" }, shared);
  const two = reserve(a, { ...lan, ipRange: "192.168.50.128/26" }, shared);
  assert.equal(a.takeAny(one), "192.168.50.64");
  assert.equal(a.takeAny(two), "192.168.50.128");
  assert.throws(() => reserve(a, { ...lan, ipRange: "192.168.50.128/26" }, shared), refused("denied", /Pool overlaps/));
  a.release([one]);
  assert.throws(() => a.take(two, "192.168.50.1"), refused("denied", "Address already in use"));
  a.release([two]);
  assert.equal(reserve(a, lan).subnet, "192.168.50.0/24");
});

test("small subnets: a /30 has one container, a /31 has no addresses to spare, then none is left", () => {
  const a = ipam();
  const small = reserve(a, { subnet: "10.0.0.0/30" });
  assert.deepEqual([small.gateway, a.takeAny(small), a.takeAny(small)], ["10.0.0.1", "10.0.0.2", undefined]);
  const link = reserve(a, { subnet: "10.0.1.0/31" });
  assert.deepEqual([link.gateway, a.takeAny(link), a.takeAny(link)], ["10.0.1.0", "10.0.1.1", undefined]);
  a.releaseAddress(link, "10.0.1.1");
  assert.equal(a.takeAny(link), "10.0.1.1");
});

test("a held address is given to nobody by chance, but to who asks for it", () => {
  const a = ipam();
  const subnet = reserve(a, { subnet: "10.0.0.0/29" });
  a.hold(subnet, "10.0.0.2");
  a.hold(subnet, "10.0.0.2");
  assert.equal(a.takeAny(subnet), "10.0.0.3");
  a.take(subnet, "10.0.0.2");
  a.releaseAddress(subnet, "10.0.0.2");
  a.unhold(subnet, "10.0.0.2");
  assert.equal(a.takeAny(subnet), "10.0.0.4");
  a.unhold(subnet, "10.0.0.2");
  assert.equal(a.takeAny(subnet), "10.0.0.2");
});

test("what was stored is taken again, and counted", () => {
  const a = ipam();
  const subnet: Subnet = { subnet: "172.20.0.0/24", gateway: "172.20.0.1", auxiliary: { x: "172.20.0.2" } };
  a.adopt([subnet]);
  a.adoptAddress(subnet, "172.20.0.3");
  a.adoptAddress(subnet, "172.20.0.3");
  assert.equal(a.takeAny(subnet), "172.20.0.4");
  assert.deepEqual(a.use(subnet), { subnet: "172.20.0.0/24", inUse: 6, dynamicAvailable: 250 });
  const range: Subnet = { subnet: "fd00:1::/64", ipRange: "fd00:1:0:0:8000::/68", gateway: "fd00:1::1" };
  a.adopt([range]);
  assert.equal(a.takeAny(range), "fd00:1:0:0:8000::");
});

test("wide IPv6 subnets: static addresses anywhere, ranges at their far end", () => {
  const a = ipam();
  const subnet = reserve(a, { subnet: "2001:db8::/32", ipRange: "2001:db8:ffff::/48" });
  assert.deepEqual(
    [subnet.gateway, a.takeAny(subnet), a.takeAny(subnet)],
    ["2001:db8:ffff::", "2001:db8:ffff::1", "2001:db8:ffff::2"],
  );
  a.take(subnet, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
  assert.throws(
    () => a.take(subnet, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    refused("denied", "Address already in use"),
  );
  a.releaseAddress(subnet, "2001:db8:ffff::1");
  assert.equal(a.takeAny(subnet), "2001:db8:ffff::1");
  assert.equal(a.use(subnet).inUse, 5);
});

test("a full /16: each address once, in constant time", () => {
  const a = ipam();
  const subnet = reserve(a, { subnet: "10.0.0.0/16" });
  const started = performance.now();
  const all = new Set(Array.from({ length: 65533 }, () => a.takeAny(subnet)));
  assert.ok(performance.now() - started < 5000);
  assert.equal(all.size, 65533);
  assert.equal(a.takeAny(subnet), undefined);
  a.releaseAddress(subnet, "10.0.77.7");
  assert.equal(a.takeAny(subnet), "10.0.77.7");
});

test("all that is wrong with a request is said at once, in dockerd's words", () => {
  const check = (config: IpamConfig, expected: string) =>
    assert.throws(() => parseSubnets([config], both), refused("invalid", `invalid network config:\n${expected}`));
  check({ subnet: "10.10.10.0/8" }, "invalid subnet 10.10.10.0/8: it should be 10.0.0.0/8");
  check(
    {
      subnet: "10.0.0.0/8",
      ipRange: "192.168.0.1/24",
      gateway: "192.168.0.1",
      auxiliary: { DefaultGatewayIPv4: "192.168.0.1" },
    },
    [
      "* invalid ip-range 192.168.0.1/24: it should be 192.168.0.0/24",
      "* invalid ip-range 192.168.0.1/24: parent subnet 10.0.0.0/8 doesn't contain ip-range",
      "* invalid gateway 192.168.0.1: parent subnet 10.0.0.0/8 doesn't contain this address",
      "* invalid auxiliary address DefaultGatewayIPv4: parent subnet 10.0.0.0/8 doesn't contain this address",
    ].join("\n"),
  );
  check(
    { subnet: "192.168.0.0/24", ipRange: "2001:db8::/32", gateway: "2001:db8::1" },
    [
      "* invalid ip-range 2001:db8::/32: parent subnet is an IPv4 block",
      "* invalid gateway 2001:db8::1: parent subnet is an IPv4 block",
    ].join("\n"),
  );
  check({ subnet: "10.0.0/8" }, "invalid subnet 10.0.0/8: invalid CIDR block notation");
  check({ gateway: "10.0.0.1" }, "invalid gateway 10.0.0.1: it needs a subnet that it is part of");
  check({ subnet: "10.0.0.0/8", gateway: "x" }, "invalid gateway x: invalid address");
});

test("IPv6 subnets of a network without IPv6 are not looked at", () => {
  const config = [{ subnet: "fd00::/64" }, { subnet: "10.0.0.0/24" }];
  assert.deepEqual(
    parseSubnets(config, { ipv4: true, ipv6: false }).map(({ family }) => family),
    [4],
  );
  assert.deepEqual(
    parseSubnets(config, { ipv4: false, ipv6: true }).map(({ family }) => family),
    [6],
  );
});
