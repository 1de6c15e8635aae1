import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KernelError } from "../../src/kernel/kernel-error.ts";
import { ask } from "../../src/kernel/netlink/request.ts";
import * as route from "../../src/kernel/netlink/route/index.ts";
import { Program } from "../../src/kernel/program.ts";
import { testExecutor } from "../support/helper.ts";
import { type NetworkNamespace, networkNamespace } from "../support/netlink.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const { executor } = testExecutor();
const needs = { ...requires("ip", "nsenter"), ...requiresRoot() };

// biome-ignore lint/suspicious/noExplicitAny: what ip(8) prints has no types
type Printed = any;

function ip(where: NetworkNamespace, ...args: string[]): Printed {
  return JSON.parse(where.run("ip", "-d", "-j", ...args));
}

const bridge = { name: "br-test", index: 70, mac: "02:42:00:00:00:01", mtu: 1400, up: true };

describe("rtnetlink messages", needs, () => {
  test("a bridge, and a veth into another namespace by a descriptor that the program fills in", async () => {
    using machine = await networkNamespace(executor);
    using container = await networkNamespace(executor);
    await machine.send([
      route.createBridge(bridge),
      route.setLink(bridge.name, { linkLocal: false, alias: "of a test" }),
      route.addAddress({ link: 70, address: "172.30.0.1/16", broadcast: "172.30.255.255" }),
      route.addAddress({ link: 70, address: "fd00:30::1/64", noDad: true }),
    ]);
    const descriptor = await machine.open(`/proc/${container.pid}/ns/net`);
    const hole = new route.Hole("the container's namespace");
    const veth = route.createVeth({
      host: { name: "vetest", index: 71, up: true, master: 70, mtu: 1400, isolated: true, hairpin: true, queues: 1 },
      peer: { name: "eth0", index: 5, mac: "02:42:ac:1e:00:02", mtu: 1400, namespace: hole, queues: 1 },
    });
    const { bytes, holes } = route.batchWithHoles(veth);
    const p = new Program("connect a container");
    const message = p.bytes(bytes);
    p.copy32(descriptor, message.at(holes.get(hole) ?? Number.NaN), "name the namespace");
    ask(p, machine.route, message, { note: "make the veth" });
    await machine.session.run(p);
    await container.send([
      route.setLink(1, { up: true }),
      route.setLink(5, { up: true }),
      route.addAddress({ link: 5, address: "172.30.0.2/16", broadcast: "172.30.255.255" }),
      route.addAddress({ link: 5, address: "fd00:30::2/64", noDad: true }),
      route.addRoute({ to: "default", gateway: "172.30.0.1" }),
      route.addRoute({ to: "default", gateway: "fd00:30::1", link: 5 }),
      route.addRoute({ to: "10.9.0.0/24", gateway: "192.0.2.1", link: 5, onLink: true, metric: 7 }),
      route.addRoute({ to: "10.10.0.0/24", link: 5, source: "172.30.0.2" }),
      route.addRoute({ to: "10.11.0.0/16", type: "blackhole", table: 1000 }),
      route.addNeighbour({ link: 5, address: "172.30.0.9", mac: "02:42:ac:1e:00:09" }),
    ]);

    const [printedBridge] = ip(machine, "link", "show", "br-test");
    assert.equal(printedBridge.linkinfo.info_kind, "bridge");
    assert.equal(printedBridge.linkinfo.info_data.stp_state, 0);
    assert.deepEqual(
      [printedBridge.ifindex, printedBridge.address, printedBridge.mtu, printedBridge.ifalias],
      [70, bridge.mac, 1400, "of a test"],
    );
    assert.equal(printedBridge.inet6_addr_gen_mode, "none");
    const [port] = ip(machine, "link", "show", "vetest");
    assert.deepEqual([port.master, port.mtu, port.num_tx_queues], ["br-test", 1400, 1]);
    assert.deepEqual([port.linkinfo.info_slave_data.isolated, port.linkinfo.info_slave_data.hairpin], [true, true]);
    const [eth0] = ip(container, "address", "show", "eth0");
    assert.deepEqual([eth0.ifindex, eth0.address, eth0.operstate], [5, "02:42:ac:1e:00:02", "UP"]);
    const usable = eth0.addr_info.filter((address: Printed) => address.scope === "global");
    assert.deepEqual(
      usable.map((address: Printed) => [address.local, address.prefixlen, address.broadcast, address.tentative]),
      [
        ["172.30.0.2", 16, "172.30.255.255", undefined],
        ["fd00:30::2", 64, undefined, undefined],
      ],
    );
    const routes = container.run("ip", "route").replaceAll(/ +\n/g, "\n");
    assert.deepEqual(routes.trim().split("\n"), [
      "default via 172.30.0.1 dev eth0",
      "10.9.0.0/24 via 192.0.2.1 dev eth0 metric 7 onlink",
      "10.10.0.0/24 dev eth0 scope link src 172.30.0.2",
      "172.30.0.0/16 dev eth0 proto kernel scope link src 172.30.0.2",
    ]);
    assert.match(container.run("ip", "-6", "route"), /default via fd00:30::1 dev eth0/);
    assert.match(container.run("ip", "route", "show", "table", "1000"), /blackhole 10\.11\.0\.0\/16/);
    assert.match(container.run("ip", "neighbour"), /172\.30\.0\.9 dev eth0 lladdr 02:42:ac:1e:00:09 PERMANENT/);
    for (const address of ["172.30.0.1", "fd00:30::1"])
      assert.match(container.run("bash", "-c", `true 2>&1 >/dev/tcp/${address}/9 | cat`), /Connection refused/);
  });

  test("links, addresses and routes are read as ip(8) reads them", async () => {
    using machine = await networkNamespace(executor);
    await machine.send([
      route.createBridge(bridge),
      ...route.createVeth({
        host: { name: "one", index: 71, up: true, master: 70, hairpin: true },
        peer: { name: "two", index: 72 },
      }),
      route.setLink(1, { up: true }),
      route.setLink("two", { up: true }),
      route.addAddress({ link: 70, address: "10.1.2.3/24" }),
      route.addAddress({ link: 70, address: "fd00::1:0:0:1/64", noDad: true }),
      route.addRoute({ to: "default", gateway: "10.1.2.1", metric: 5 }),
      route.addRoute({ to: "default", gateway: "fd00::1", link: 70 }),
    ]);
    const links = route.decodeLinks(await machine.query(route.dumpLinks()));
    const printed = ip(machine, "link").map((link: Printed) => [
      link.ifindex,
      link.ifname,
      link.flags.includes("UP"),
      link.mtu,
      link.address,
      link.linkinfo?.info_kind,
      link.master,
    ]);
    const nameOf = (index?: number) => links.find((link) => link.index === index)?.name;
    const own = links.map((l) => [l.index, l.name, l.up, l.mtu, l.mac, l.kind, nameOf(l.master)]);
    assert.deepEqual(own, printed);
    assert.deepEqual(
      links.filter(({ kind }) => kind === "veth").map(({ name, hairpin }) => [name, hairpin]),
      [
        ["one", true],
        ["two", undefined],
      ],
    );
    assert.deepEqual(
      route.decodeLinks(await machine.query(route.dumpLinks({ kind: "bridge" }))).map(({ name }) => name),
      ["br-test"],
    );
    assert.deepEqual(
      route.decodeLinks(await machine.query(route.dumpLinks({ master: 70 }))).map(({ name }) => name),
      ["one"],
    );
    assert.deepEqual(
      route.decodeLinks(await machine.query(route.getLink("two"))).map(({ index }) => index),
      [72],
    );
    const addresses = route.decodeAddresses(await machine.query(route.dumpAddresses()));
    const expected = ip(machine, "address").flatMap((link: Printed) =>
      link.addr_info.map((address: Printed) => `${link.ifindex} ${address.local}/${address.prefixlen}`),
    );
    const found = addresses.map((address) => `${address.link} ${address.address}/${address.prefix}`);
    assert.deepEqual(found.toSorted(), expected.toSorted());
    const routes = route.decodeRoutes(await machine.query(route.dumpRoutes()));
    const chosen = routes
      .filter(({ protocol }) => protocol === 3)
      .map(({ to, gateway, metric, link }) => ({ to, gateway, metric, link }));
    assert.deepEqual(chosen, [
      { to: "0.0.0.0/0", gateway: "10.1.2.1", metric: 5, link: 70 },
      { to: "::/0", gateway: "fd00::1", metric: 1024, link: 70 },
    ]);
    assert.ok(routes.some(({ to, source, type }) => to === "10.1.2.0/24" && source === "10.1.2.3" && type === 1));
  });

  test("what was made is moved, renamed and deleted", async () => {
    using machine = await networkNamespace(executor);
    using container = await networkNamespace(executor);
    await machine.send([
      route.createBridge(bridge),
      ...route.createVeth({ host: { name: "one", index: 71 }, peer: { name: "two", index: 72 } }),
      route.addAddress({ link: 70, address: "10.1.2.3/24" }),
      route.addRoute({ to: "10.5.0.0/16", gateway: "10.1.2.1" }),
      route.addNeighbour({ link: 70, address: "10.1.2.77" }),
    ]);
    const descriptor = await machine.open(`/proc/${container.pid}/ns/net`);
    await machine.send([
      route.moveLink(72, descriptor, { name: "eth7", index: 99 }),
      route.setLink("one", { master: 70 }),
    ]);
    const moved = route.decodeLinks(await container.query(route.getLink("eth7")))[0];
    assert.deepEqual([moved?.index, moved?.up, typeof moved?.linkNamespace], [99, false, "number"]);
    assert.match(machine.run("ip", "neighbour", "show", "proxy"), /10\.1\.2\.77 dev br-test\s+proxy/);
    await container.send([route.setLink(99, { name: "lan0", mac: "02:00:00:00:00:07", mtu: 1300 })]);
    assert.match(container.run("ip", "link", "show", "lan0"), /mtu 1300.*\n.*02:00:00:00:00:07/);
    await machine.send([
      route.deleteNeighbour({ link: 70, address: "10.1.2.77" }),
      route.deleteRoute({ to: "10.5.0.0/16", gateway: "10.1.2.1" }),
      route.deleteAddress({ link: 70, address: "10.1.2.3/24" }),
      route.deleteLink("one"),
      route.deleteLink(70),
    ]);
    assert.deepEqual(
      route
        .decodeLinks(await machine.query(route.dumpLinks()))
        .map(({ name }) => name)
        .filter((name) => !/^(lo|sit0|ip6|tunl|gre|erspan|ip_vti)/.test(name)),
      [],
    );
    assert.equal(route.decodeAddresses(await machine.query(route.dumpAddresses())).length, 0);
  });

  test("a macvlan has its mode", async () => {
    using machine = await networkNamespace(executor);
    await machine.send([
      ...route.createVeth({ host: { name: "one", index: 11, up: true }, peer: { name: "two" } }),
      route.createMacvlan({ name: "mac0", parent: 11, mode: "bridge", mac: "02:00:00:00:00:01" }),
    ]);
    const [macvlan] = ip(machine, "link", "show", "mac0");
    assert.deepEqual([macvlan.link, macvlan.linkinfo.info_data.mode], ["one", "bridge"]);
  });

  const others = {
    ipvlan: route.createIpvlan({ name: "new0", parent: 11, mode: "l3", flag: "private" }),
    vlan: route.createVlan({ name: "new0", parent: 11, id: 10 }),
    dummy: route.createDummy({ name: "new0", up: true }),
  };
  for (const [kind, request] of Object.entries(others)) {
    test(`a link of the kind ${kind}`, async (t) => {
      using machine = await networkNamespace(executor);
      await machine.send(route.createVeth({ host: { name: "one", index: 11, up: true }, peer: { name: "two" } }));
      try {
        await machine.send([request]);
      } catch (error) {
        if (!(error instanceof KernelError) || error.errno !== "EOPNOTSUPP") throw error;
        return t.diagnostic(`this kernel refuses: it has no ${kind}`);
      }
      const [link] = ip(machine, "link", "show", "new0");
      assert.equal(link.linkinfo.info_kind, kind);
      if (kind === "ipvlan") assert.equal(link.linkinfo.info_data.mode, "l3");
      if (kind === "vlan") assert.equal(link.linkinfo.info_data.id, 10);
    });
  }

  test("the kernel's refusal is the step's errno, and a question's", async () => {
    using machine = await networkNamespace(executor);
    await assert.rejects(machine.query(route.getLink("nothing")), { errno: "ENODEV", kind: "not-found" });
    const both = [route.deleteLink("nothing"), route.setLink(1, { up: true })];
    await assert.rejects(machine.send(both), { errno: "ENODEV" });
  });
});
