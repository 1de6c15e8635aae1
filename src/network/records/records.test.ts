import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { openDatabase } from "../../storage/database.ts";
import { defaultNetworking, type NetworkingOptions } from "../options.ts";
import { NetworkRecords } from "./records.ts";
import type { NetworkDefaults, NetworkRequest } from "./types.ts";

const directory = mkdtempSync(join(tmpdir(), "sampan-networks-"));
after(() => rmSync(directory, { recursive: true }));
let databases = 0;

function database(): DatabaseSync {
  return openDatabase(join(directory, `${++databases}.db`));
}

function open(db = database(), options: Partial<NetworkingOptions> = {}, more: Partial<NetworkDefaults> = {}) {
  const defaults: NetworkDefaults = {
    root: "/var/lib/sampan",
    bridgeInterface: "sampan0",
    options: { ...defaultNetworking, ...options },
    host: async () => [],
    ...more,
  };
  return NetworkRecords.open(db, defaults);
}

async function refused(what: Promise<unknown>, kind: string, message: string | RegExp): Promise<void> {
  await assert.rejects(what, (error) => {
    assert.ok(error instanceof SampanError, String(error));
    assert.equal(
      `${error.kind}: ${error.message}`,
      typeof message === "string" ? `${kind}: ${message}` : `${error.kind}: ${error.message}`,
    );
    assert.equal(error.kind, kind);
    if (typeof message !== "string") assert.match(error.message, message);
    return true;
  });
}

test("the predefined networks", async () => {
  const records = await open();
  assert.deepEqual(
    records.list().map(({ name, driver, predefined, subnets }) => ({ name, driver, predefined, subnets })),
    [
      {
        name: "bridge",
        driver: "bridge",
        predefined: true,
        subnets: [{ subnet: "172.17.0.0/16", gateway: "172.17.0.1" }],
      },
      { name: "host", driver: "host", predefined: true, subnets: [] },
      { name: "none", driver: "null", predefined: true, subnets: [] },
    ],
  );
  assert.deepEqual(records.byName("bridge")?.options, {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
    "com.docker.network.bridge.name": "sampan0",
    "com.docker.network.driver.mtu": "1500",
  });
});

test("ids of predefined networks belong to the root, not to the database", async () => {
  const ids = async (root: string) => (await open(database(), {}, { root })).list().map(({ id }) => id);
  assert.deepEqual(await ids("/a"), await ids("/a"));
  assert.notDeepEqual(await ids("/a"), await ids("/b"));
});

test("what is stored is there again, with its subnets taken", async () => {
  const db = database();
  const before = await open(db, {}, { host: async () => [{ range: "172.17.0.0/16" }] });
  const made = await before.create({
    name: "web",
    ipv6: true,
    labels: { a: "b" },
    ipam: { config: [{ subnet: "10.9.0.0/24", auxiliary: { x: "10.9.0.9" } }], options: { foo: "bar" } },
  });
  assert.deepEqual(made.subnets[0], { subnet: "10.9.0.0/24", gateway: "10.9.0.1", auxiliary: { x: "10.9.0.9" } });
  const again = await open(db);
  assert.deepEqual(again.list().toSorted(byId), before.list().toSorted(byId));
  assert.equal(again.byName("bridge")?.subnets[0]?.subnet, "172.18.0.0/20");
  await refused(
    again.create({ name: "other", ipam: { config: [{ subnet: "10.9.0.0/24" }] } }),
    "denied",
    /Pool overlaps/,
  );
  again.remove(made.id);
  assert.equal((await again.create({ name: "web", ipam: { config: [{ subnet: "10.9.0.0/24" }] } })).name, "web");
});

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);

test("a network is found by name, id and the beginning of its id", async () => {
  const records = await open();
  const made = await records.create({ name: "web" });
  for (const reference of ["web", made.id, made.id.slice(0, 12)]) assert.equal(records.resolve(reference), made);
  for (const reference of ["we", "", `${made.id}0`]) {
    assert.throws(() => records.resolve(reference), { kind: "not-found", message: `network ${reference} not found` });
  }
  for (const [index, name] of Array.from({ length: 17 }, (_, i) => [i, `n${i}`] as const)) {
    await records.create({ name, ipam: { config: [{ subnet: `10.1.${index}.0/24` }] } });
  }
  const digits = records.list().map(({ id }) => id.slice(0, 1));
  const twice = digits.find((digit, index) => digits.indexOf(digit) !== index) ?? "";
  assert.throws(() => records.resolve(twice), {
    kind: "invalid",
    message: /is ambiguous \(\d+ matches found based on ID/,
  });
});

test("what dockerd refuses, in its words", async () => {
  const records = await open();
  await records.create({ name: "taken", options: { "com.docker.network.bridge.name": "br-mine" } });
  const config = [{ subnet: "10.0.0.0/24" }, { subnet: "10.0.1.0/24" }];
  const cases: [NetworkRequest, string, string | RegExp][] = [
    [{ name: "taken" }, "conflict", "network with name taken already exists"],
    [{ name: "" }, "invalid", "invalid name: name is empty"],
    [{ name: "bridge" }, "denied", "operation is not permitted on predefined bridge network "],
    [{ name: "default" }, "denied", "operation is not permitted on predefined default network "],
    [{ name: "x", driver: "weave" }, "not-found", 'plugin "weave" not found'],
    [{ name: "x", driver: "toString" }, "not-found", /^plugin "toString" not found$/],
    [{ name: "x", driver: "overlay" }, "denied", /^This node is not a swarm manager\./],
    [{ name: "x", driver: "host" }, "denied", 'only one instance of "host" network is allowed'],
    [{ name: "x", driver: "null" }, "denied", 'only one instance of "null" network is allowed'],
    [{ name: "x", scope: "swarm" }, "denied", "cannot create a swarm scoped network when swarm is not active"],
    [{ name: "x", ingress: true }, "denied", "Ingress network can only be global scope network"],
    [{ name: "x", configOnly: true, internal: true }, "denied", /can only contain network specific fields/],
    [{ name: "x", configOnly: true, configFrom: "y" }, "denied", /cannot depend on another configuration network/],
    [{ name: "x", configFrom: "y" }, "not-found", 'configuration network "y" does not exist'],
    [{ name: "x", ipv4: false }, "invalid", "IPv4 or IPv6 must be enabled"],
    [{ name: "x", ipam: { driver: "null", config: [] } }, "invalid", "ipv4 pool is empty"],
    [{ name: "x", ipam: { driver: "dhcp", config: [] } }, "not-found", /^plugin "dhcp" not found$/],
    [{ name: "x", ipam: { config } }, "denied", "bridge driver doesn't support multiple subnets"],
    [{ name: "x", ipam: { config: [{ subnet: "10.0.0.1/24" }] } }, "invalid", /it should be 10\.0\.0\.0\/24$/],
    [
      { name: "x", ipv6: true, ipam: { config: [{ subnet: "fe80::/80" }] } },
      "invalid",
      /clashes with the Link-Local prefix/,
    ],
    [{ name: "x", ipv6: true, ipam: { config: [{ subnet: "ff02::/64" }] } }, "invalid", /^multicast subnet/],
  ];
  for (const [request, kind, message] of cases) await refused(records.create(request), kind, message);
  assert.equal(records.list().length, 4);
});

test("a configuration network takes no addresses until others are made of it, and stays as long as they", async () => {
  const records = await open();
  const ipam = { config: [{ subnet: "10.0.0.0/24" }] };
  const options = { "com.docker.network.driver.mtu": "1400" };
  const plan = await records.create({ name: "plan", configOnly: true, ipam, options, labels: { a: "b" } });
  assert.deepEqual([plan.driver, plan.subnets, plan.configuration], ["null", [], ipam]);
  const made = await records.create({ name: "made", configFrom: "plan", internal: true });
  const { driver, internal, subnets, labels, configFrom } = made;
  assert.deepEqual([driver, internal, labels, configFrom], ["bridge", true, { a: "b" }, "plan"]);
  assert.deepEqual([subnets[0]?.subnet, made.options], ["10.0.0.0/24", options]);
  const own = { name: "x", configFrom: "plan" };
  await refused(records.create({ ...own, options }), "denied", /^network driver options are not supported/);
  await refused(records.create({ ...own, ipam }), "denied", /^user specified configurations are not supported/);
  await refused(records.create({ ...own, ipv6: true }), "denied", /^user specified configurations are not supported/);
  assert.throws(() => records.remove(plan.id), { message: /configuration network "plan" is in use/ });
  records.remove(made.id);
  records.remove(plan.id);
});

test("driver options are checked, and unknown ones refused", async () => {
  const records = await open();
  const bridge = "com.docker.network.bridge.";
  const cases: [Record<string, string>, string | RegExp][] = [
    [
      { [`${bridge}enable_icc`]: "x" },
      `failed to parse ${bridge}enable_icc value: x (strconv.ParseBool: parsing "x": invalid syntax)`,
    ],
    [
      { [`${bridge}gateway_mode_ipv4`]: "x" },
      `failed to parse ${bridge}gateway_mode_ipv4 value: x (unknown gateway mode x)`,
    ],
    [
      { [`${bridge}gateway_mode_ipv4`]: "isolated" },
      "gateway mode 'isolated' can only be used for an internal network",
    ],
    [{ [`${bridge}host_binding_ipv4`]: "x" }, `failed to parse ${bridge}host_binding_ipv4 value: x (nil ip)`],
    [{ [`${bridge}name`]: "a/b" }, /not the name of a network interface/],
    [{ [`${bridge}name`]: "sixteen-letters-" }, /not the name of a network interface/],
    [{ [`${bridge}default_bridge`]: "true" }, /has none of that name/],
    [{ "com.docker.network.driver.mtu": "many" }, /strconv\.Atoi: parsing "many"/],
    [{ "com.docker.network.driver.mtu": "-1" }, "invalid MTU number: -1"],
    [{ "com.docker.network.driver.mtu": "60" }, /^invalid MTU number: 60: it has to be from 68/],
    [{ "com.docker.network.enable_ipv6": "x" }, 'driver-opt "com.docker.network.enable_ipv6" is not a valid bool'],
    [
      { parent: "eth0" },
      /^Cannot use the network option parent: the bridge driver has none of that name, it has com\.docker/,
    ],
  ];
  for (const [options, message] of cases) await refused(records.create({ name: "x", options }), "invalid", message);
  const macvlan = { name: "x", driver: "macvlan" };
  const mode = "requested macvlan mode 'x' is not valid, 'bridge' mode is the macvlan driver default";
  await refused(records.create({ ...macvlan, options: { macvlan_mode: "x" } }), "invalid", mode);
  const loopback = "loopback interface is not a valid macvlan parent link";
  await refused(records.create({ ...macvlan, options: { parent: "lo" } }), "invalid", loopback);
  const flag = "requested ipvlan flag 'x' is not valid, 'bridge' is the ipvlan driver default";
  await refused(records.create({ name: "x", driver: "ipvlan", options: { ipvlan_flag: "x" } }), "invalid", flag);
  const minikube = { "--ip-masq": "", "--icc": "", "com.docker.network.driver.mtu": "1500" };
  assert.deepEqual((await records.create({ name: "minikube", options: minikube })).options, minikube);
});

test("interfaces of the machine that another network has", async () => {
  const records = await open();
  const named = { "com.docker.network.bridge.name": "br-mine" };
  await records.create({ name: "a", options: named });
  await refused(records.create({ name: "b", options: named }), "denied", /networks have same bridge name$/);
  await refused(
    records.create({ name: "b", options: { "com.docker.network.bridge.name": "sampan0" } }),
    "denied",
    /same bridge/,
  );
  await records.create({ name: "m", driver: "macvlan", options: { parent: "eth0" } });
  const passthru = { parent: "eth0", macvlan_mode: "passthru" };
  await refused(
    records.create({ name: "n", driver: "macvlan", options: passthru }),
    "conflict",
    /^cannot use mode passthru/,
  );
  await records.create({ name: "i", driver: "ipvlan", options: { parent: "eth0" } });
  const again = records.create({ name: "j", driver: "ipvlan", options: { parent: "eth0" } });
  await refused(again, "conflict", /is already using parent interface eth0$/);
});

test("families, gateways and several subnets", async () => {
  const records = await open();
  const both = await records.create({ name: "both", ipv6: true, ipam: { config: [{ subnet: "fd00:7::/64" }] } });
  assert.deepEqual(both.subnets, [
    { subnet: "172.18.0.0/20", gateway: "172.18.0.1" },
    { subnet: "fd00:7::/64", gateway: "fd00:7::1" },
  ]);
  const six = await records.create({ name: "six", ipv4: false, options: { "com.docker.network.enable_ipv6": "true" } });
  assert.deepEqual([six.ipv4, six.ipv6, six.subnets.length], [false, true, 1]);
  assert.match(six.subnets[0]?.gateway ?? "", /^fd.*::1$/);
  const lan = [{ subnet: "192.168.8.0/24" }, { subnet: "192.168.9.0/24", gateway: "192.168.9.254" }];
  const macvlan = await records.create({ name: "lan", driver: "macvlan", ipam: { config: lan } });
  assert.deepEqual(macvlan.subnets, lan);
  const options = { parent: "eth0" };
  const other = [{ subnet: "192.168.18.0/24" }, { subnet: "192.168.19.0/24", gateway: "192.168.19.254" }];
  const routed = await records.create({ name: "routed", driver: "macvlan", options, ipam: { config: other } });
  assert.deepEqual(routed.subnets, [{ subnet: "192.168.18.0/24", gateway: "192.168.18.1" }, other[1]]);
  const isolated = await records.create({
    name: "isolated",
    internal: true,
    options: { "com.docker.network.bridge.gateway_mode_ipv4": "isolated" },
  });
  assert.equal(isolated.subnets[0]?.gateway, undefined);
});

test("the options of the daemon", async () => {
  const db = database();
  const bip = await open(db, {
    bip: "10.20.30.40/24",
    fixedCidr: "10.20.30.128/25",
    ipv6: true,
    ip: "127.0.0.1",
    mtu: 1400,
  });
  const bridge = bip.resolve("bridge");
  assert.deepEqual(bridge.subnets[0], { subnet: "10.20.30.0/24", ipRange: "10.20.30.128/25", gateway: "10.20.30.40" });
  assert.match(bridge.subnets[1]?.subnet ?? "", /^fd/);
  assert.equal(bridge.options["com.docker.network.bridge.host_binding_ipv4"], "127.0.0.1");
  assert.equal(bridge.options["com.docker.network.driver.mtu"], "1400");
  assert.deepEqual(
    (await open(db, { bridge: "none" })).list().map(({ name }) => name),
    ["host", "none"],
  );
  const back = (await open(db)).resolve("bridge");
  assert.deepEqual([back.id, back.subnets], [bridge.id, [{ subnet: "172.17.0.0/16", gateway: "172.17.0.1" }]]);
  await refused(
    open(database(), { bip: "10.0.0.1/24", fixedCidr: "10.1.0.0/24" }),
    "invalid",
    /not part of the default bridge's network/,
  );
  const foreign = { bridgeAddresses: ["fe80::1/64", "10.66.0.1/24"] };
  const own = (await open(database(), { bridge: "br0" }, foreign)).resolve("bridge");
  assert.deepEqual(own.subnets, [{ subnet: "10.66.0.0/24", gateway: "10.66.0.1" }]);
  assert.equal(own.options["com.docker.network.bridge.name"], "br0");
  await refused(open(database(), { bridge: "br0" }), "invalid", /has no IPv4 address/);
  const defaults = { defaultNetworkOptions: { bridge: { "com.docker.network.driver.mtu": "1300" } } };
  const created = await (await open(database(), defaults)).create({ name: "x" });
  assert.deepEqual(created.options, { "com.docker.network.driver.mtu": "1300" });
});

test("two creations at once: one name, one network; two names, two subnets", async () => {
  const records = await open(database(), {}, { host: () => new Promise((resolve) => setTimeout(resolve, 5, [])) });
  const results = await Promise.allSettled(["a", "a", "b"].map((name) => records.create({ name })));
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.equal(new Set(records.list().flatMap(({ subnets }) => subnets.map(({ subnet }) => subnet))).size, 3);
});

test("predefined networks are not removed", async () => {
  const records = await open();
  assert.throws(() => records.remove(records.resolve("none").id), {
    kind: "denied",
    message: "none is a pre-defined network and cannot be removed",
  });
});
