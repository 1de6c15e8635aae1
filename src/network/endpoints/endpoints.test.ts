import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { openDatabase } from "../../storage/database.ts";
import { defaultNetworking } from "../options.ts";
import { NetworkRecords } from "../records/records.ts";
import type { NetworkRequest } from "../records/types.ts";
import type { EndpointRequest } from "../types.ts";
import { Endpoints } from "./endpoints.ts";
import { isUnicastMac, macOf, parseMac } from "./mac.ts";
import { checkEndpoint } from "./settings.ts";

const nothing: EndpointRequest = { linkLocal: [], aliases: [], gatewayPriority: 0, driverOptions: {} };
const container = "c".repeat(64);

async function world(request: Partial<NetworkRequest> = {}) {
  const networks = await NetworkRecords.open(openDatabase(":memory:"), {
    root: "/r",
    bridgeInterface: "sampan0",
    options: defaultNetworking,
    host: async () => [],
  });
  const network = await networks.create({ name: "net", ...request });
  return { networks, network, endpoints: new Endpoints(networks) };
}

function throws(what: () => unknown, kind: string, message: string): void {
  assert.throws(what, (error) => {
    assert.ok(error instanceof SampanError, String(error));
    assert.deepEqual([error.kind, error.message], [kind, message]);
    return true;
  });
}

test("an endpoint on a bridge", async () => {
  const { network, endpoints } = await world({
    ipv6: true,
    ipam: { config: [{ subnet: "10.1.0.0/24" }, { subnet: "fd00:1::/64" }] },
  });
  const endpoint = endpoints.allocate(network, { ...nothing, gatewayPriority: 3 }, container, "eth0");
  assert.match(endpoint.id, /^[0-9a-f]{64}$/);
  assert.deepEqual(endpoint, {
    id: endpoint.id,
    networkId: network.id,
    containerId: container,
    interfaceName: "eth0",
    hostInterface: `veth${endpoint.id.slice(0, 11)}`,
    macAddress: "02:42:0a:01:00:02",
    ipv4: { address: "10.1.0.2", prefix: 24, gateway: "10.1.0.1" },
    ipv6: { address: "fd00:1::2", prefix: 64, gateway: "fd00:1::1" },
    linkLocal: [],
    gatewayPriority: 3,
    driverOptions: {},
  });
  assert.deepEqual(endpoints.of(network.id), [endpoint]);
  endpoints.release(endpoint);
  endpoints.release(endpoint);
  assert.deepEqual(endpoints.of(network.id), []);
  assert.equal(endpoints.allocate(network, nothing, container, "eth0").ipv4?.address, "10.1.0.2");
});

test("addresses that were asked for, and what is refused", async () => {
  const { network, endpoints } = await world({ ipam: { config: [{ subnet: "10.1.0.0/29" }] } });
  const request = { ...nothing, ipv4: "10.1.0.4", macAddress: "02:00:00:00:00:01", linkLocal: ["169.254.7.7"] };
  const endpoint = endpoints.allocate(network, request, container, "eth0");
  assert.deepEqual(
    [endpoint.ipv4?.address, endpoint.macAddress, endpoint.linkLocal],
    ["10.1.0.4", "02:00:00:00:00:01", ["169.254.7.7"]],
  );
  throws(() => endpoints.allocate(network, request, container, "eth1"), "denied", "Address already in use");
  const outside = "invalid address 10.2.0.1: It does not belong to any of this network's subnets";
  throws(() => endpoints.allocate(network, { ...nothing, ipv4: "10.2.0.1" }, container, "eth1"), "invalid", outside);
  const rest = Array.from({ length: 4 }, () => endpoints.allocate(network, nothing, container, "eth0").ipv4?.address);
  assert.deepEqual(rest, ["10.1.0.2", "10.1.0.3", "10.1.0.5", "10.1.0.6"]);
  const full = `no available IPv4 addresses on this network's address pools: net (${network.id})`;
  throws(() => endpoints.allocate(network, nothing, container, "eth0"), "exhausted", full);
});

test("the IPv4 address is given back when there is no IPv6 one", async () => {
  const config = [{ subnet: "10.1.0.0/24" }, { subnet: "fd00:1::/126" }];
  const { network, endpoints } = await world({ ipv6: true, ipam: { config } });
  endpoints.allocate(network, nothing, container, "eth0");
  endpoints.allocate(network, nothing, container, "eth0");
  const full = `no available IPv6 addresses on this network's address pools: net (${network.id})`;
  throws(() => endpoints.allocate(network, nothing, container, "eth0"), "exhausted", full);
  const static6 = { ...nothing, ipv4: "10.1.0.4", ipv6: "fd00:1::2" };
  throws(() => endpoints.allocate(network, static6, container, "eth0"), "denied", "Address already in use");
  const [first] = endpoints.of(network.id);
  assert.ok(first);
  endpoints.release(first);
  assert.equal(
    endpoints.allocate(network, { ...nothing, ipv4: "10.1.0.4" }, container, "eth0").ipv4?.address,
    "10.1.0.4",
  );
});

test("what running containers have is theirs after a restart of the daemon", async () => {
  const { networks, network, endpoints } = await world({ ipam: { config: [{ subnet: "10.1.0.0/24" }] } });
  const endpoint = endpoints.allocate(network, nothing, container, "eth0");
  networks.ipam.release(network.subnets);
  networks.ipam.adopt(network.subnets);
  const later = new Endpoints(networks);
  later.restore(endpoint);
  later.restore({ ...endpoint, id: "e".repeat(64), networkId: "gone" });
  assert.deepEqual(later.of(network.id), [endpoint]);
  assert.equal(later.allocate(network, nothing, container, "eth0").ipv4?.address, "10.1.0.3");
  later.release(endpoint);
  assert.equal(later.allocate(network, nothing, container, "eth0").ipv4?.address, "10.1.0.2");
});

test("a stopped container's static address waits for it", async () => {
  const { network, endpoints } = await world({ ipam: { config: [{ subnet: "10.1.0.0/24" }] } });
  endpoints.hold(network, { ipv4: "10.1.0.2" });
  assert.equal(endpoints.allocate(network, nothing, container, "eth0").ipv4?.address, "10.1.0.3");
  assert.equal(
    endpoints.allocate(network, { ...nothing, ipv4: "10.1.0.2" }, container, "eth0").ipv4?.address,
    "10.1.0.2",
  );
});

test("gateways: none on internal networks, the router that an auxiliary address names, none on layer 3", async () => {
  const gateway = async (request: Partial<NetworkRequest>) => {
    const { network, endpoints } = await world(request);
    return endpoints.allocate(network, nothing, container, "eth0").ipv4?.gateway;
  };
  const config = [{ subnet: "10.1.0.0/24", gateway: "10.1.0.1" }];
  assert.equal(await gateway({ ipam: { config } }), "10.1.0.1");
  assert.equal(await gateway({ internal: true, ipam: { config } }), undefined);
  const router = [{ subnet: "10.1.0.0/24", auxiliary: { DefaultGatewayIPv4: "10.1.0.9" } }];
  assert.equal(await gateway({ ipam: { config: router } }), "10.1.0.9");
  assert.equal(await gateway({ driver: "macvlan", options: { parent: "eth0" }, ipam: { config } }), "10.1.0.1");
  assert.equal(await gateway({ driver: "macvlan", ipam: { config } }), undefined);
  assert.equal(
    await gateway({ driver: "ipvlan", options: { parent: "eth0", ipvlan_mode: "l3" }, ipam: { config } }),
    undefined,
  );
});

test("networks without addresses", async () => {
  const { networks, endpoints } = await world();
  const endpoint = endpoints.allocate(networks.resolve("host"), nothing, container, "eth0");
  assert.deepEqual([endpoint.ipv4, endpoint.macAddress, endpoint.hostInterface], [undefined, "", undefined]);
});

test("settings are checked in dockerd's words, all at once", async () => {
  const { network } = await world({ ipam: { config: [{ subnet: "10.1.0.0/24" }] } });
  const check = (name: string, request: Partial<EndpointRequest>, ...problems: string[]) => {
    const list = problems.length === 1 ? problems[0] : problems.map((problem) => `* ${problem}`).join("\n");
    throws(
      () => checkEndpoint(name, network, { ...nothing, ...request }),
      "invalid",
      `invalid endpoint settings:\n${list}`,
    );
  };
  check("net", { ipv4: "10.2.0.1" }, "no configured subnet or ip-range contain the IP address 10.2.0.1");
  check(
    "net",
    { ipv4: "fd00::1", ipv6: "10.1.0.1" },
    "invalid IPv4 address: fd00::1",
    "invalid IPv6 address: 10.1.0.1",
  );
  check("net", { linkLocal: ["10.0.0.1"] }, "invalid link-local IP address: 10.0.0.1");
  check("net", { macAddress: "01:00:5e:00:00:01" }, "invalid MAC address: 01:00:5e:00:00:01");
  check(
    "bridge",
    { ipv4: "10.1.0.3", aliases: ["a"] },
    "user specified IP address is supported on user defined networks only",
    "network-scoped alias is supported only for containers in user defined networks",
  );
  const sysctls = { "com.docker.network.endpoint.sysctls": "net.ipv6.conf.eth0.accept_ra=2" };
  check(
    "net",
    { driverOptions: sysctls },
    "unrecognised network interface sysctl 'net.ipv6.conf.eth0.accept_ra=2'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'",
  );
  const good = { ipv4: "::ffff:10.1.0.3", macAddress: "02-AA-00-00-00-01", aliases: ["a"] };
  assert.deepEqual(checkEndpoint("net", network, { ...nothing, ...good }), {
    ...nothing,
    ipv4: "10.1.0.3",
    macAddress: "02:aa:00:00:00:01",
    aliases: ["a"],
  });
  assert.deepEqual(checkEndpoint("later", undefined, { ...nothing, ipv4: "10.9.0.1" }).ipv4, "10.9.0.1");
});

test("MAC addresses", () => {
  assert.equal(parseMac("0242.ac11.0002"), "02:42:ac:11:00:02");
  for (const bad of ["", "02:42:ac:11:00", "02:42:ac:11:00:02:03:04", "02-42:ac:11:00:02", "x2:42:ac:11:00:02"]) {
    assert.equal(parseMac(bad), undefined);
  }
  assert.equal(macOf("172.17.0.2", "fd00::2"), "02:42:ac:11:00:02");
  assert.equal(macOf(undefined, "fd00::2"), "02:42:fd:00:00:02");
  assert.match(macOf(undefined, undefined), /^02:42(:[0-9a-f]{2}){4}$/);
  assert.ok(
    !isUnicastMac("00:00:00:00:00:00") && !isUnicastMac("01:00:00:00:00:01") && isUnicastMac("02:42:00:00:00:00"),
  );
});
