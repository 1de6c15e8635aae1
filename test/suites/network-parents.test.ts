import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { cable, connection, kernelWorld, network, sh } from "../support/network-host.ts";
import { inOwnNetwork } from "../support/own-network.ts";
import { requiresKernel } from "../support/requires.ts";

const { outside: there } = cable;

/** Why a kernel cannot make a link of this kind; undefined when it can. */
function missing(kind: string, arguments_ = ""): string | undefined {
  try {
    sh(
      `ip link add smtest0 type veth peer name smtest1; ip link add link smtest0 smtest2 type ${kind} ${arguments_} 2>&1`,
    );
    return undefined;
  } catch {
    return `this kernel makes no links of the kind ${kind}`;
  } finally {
    sh("ip link del smtest2 2>/dev/null || true; ip link del smtest0");
  }
}

inOwnNetwork(import.meta.url, () => {
  const world = kernelWorld();
  afterEach(async () => {
    await world.clear();
    assert.deepEqual(world.left(), []);
  });
  const needs = (kind: string, more?: string) => requiresKernel(missing(kind, more));
  /** A network on the cable to the outside. */
  const onCable = (driver: "macvlan" | "ipvlan", options: Record<string, string>) =>
    network(`${driver} ${JSON.stringify(options)}`, 0, {
      driver,
      options,
      subnets: [
        { subnet: "192.0.2.0/24", gateway: there.v4 },
        { subnet: "2001:db8:1::/64", gateway: there.v6 },
      ],
    });
  const outsideAnswers = (v4: string, v6: string) => ({
    [`tcp:${there.v4}:7000`]: `outside ${v4}`,
    [`udp:${there.v6}:7000`]: `outside ${v6}`,
  });

  test("macvlan: containers are on the parent's wire, with MAC addresses of their own", needs("macvlan"), async () => {
    const wire = onCable("macvlan", { parent: "eth0" });
    const a = await world.start("a", [connection("a", wire, 10, { macAddress: "02:42:11:22:33:44" })]);
    const b = await world.start("b", [connection("b", wire, 11)]);
    await b.serve(7000);
    const expected = { ...outsideAnswers("192.0.2.10", "2001:db8:1::10"), "tcp:192.0.2.11:7000": "b 192.0.2.10" };
    assert.deepEqual(await a.ask(...Object.keys(expected)), expected);
    assert.match(a.sh("ip -d -o link show eth0"), /02:42:11:22:33:44.*macvlan mode bridge/);
    assert.match(a.sh("ip route show default"), /via 192\.0\.2\.1 dev eth0/);
    assert.deepEqual(Object.values(await world.outside.ask("tcp:192.0.2.11:7000")), [`b ${there.v4}`]);
    await world.host.remove(wire);
    assert.match(sh("ip -br link show eth0"), /UP/);
  });

  test("macvlan in private mode: not from container to container", needs("macvlan"), async () => {
    const wire = onCable("macvlan", { parent: "eth0", macvlan_mode: "private" });
    const a = await world.start("a", [connection("a", wire, 12)]);
    const b = await world.start("b", [connection("b", wire, 13)]);
    await b.serve(7000);
    assert.match(Object.values(await a.ask("tcp:192.0.2.13:7000"))[0] ?? "", /timeout|No route/);
  });

  test("macvlan without a parent: containers reach each other", needs("dummy"), async () => {
    const alone = network("alone", 1, { driver: "macvlan", internal: true });
    const a = await world.start("a", [connection("a", alone, 10)]);
    const b = await world.start("b", [connection("b", alone, 11)]);
    await b.serve(7000);
    assert.deepEqual(Object.values(await a.ask("tcp:10.81.1.11:7000")), ["b 10.81.1.10"]);
    assert.match(sh("ip -o link"), new RegExp(`dm-${alone.id.slice(0, 12)}`));
    await world.clear();
    await world.host.remove(alone);
  });

  test("a VLAN's sub-interface is made and removed", needs("vlan", "id 5"), async () => {
    const tagged = onCable("macvlan", { parent: "eth0.10" });
    const a = await world.start("a", [connection("a", tagged, 10)]);
    world.outside.sh(
      "ip link add link uplink uplink.10 type vlan id 10; ip addr flush dev uplink; ip addr add 192.0.2.1/24 dev uplink.10; ip link set uplink.10 up",
    );
    assert.deepEqual(Object.values(await a.ask(`tcp:${there.v4}:7000`)), ["outside 192.0.2.10"]);
    world.outside.sh(
      `ip link del uplink.10; ip addr add 192.0.2.1/24 dev uplink; ip addr add ${there.v6}/64 dev uplink nodad`,
    );
    await world.clear();
    await world.host.remove(tagged);
    assert.doesNotMatch(sh("ip -o link"), /eth0\.10/);
  });

  for (const mode of ["l2", "l3", "l3s"]) {
    test(`ipvlan ${mode}: containers share the parent's MAC address`, needs("ipvlan", `mode ${mode}`), async () => {
      const wire = onCable("ipvlan", { parent: "eth0", ipvlan_mode: mode });
      const a = await world.start("a", [connection("a", wire, 10)]);
      const b = await world.start("b", [connection("b", wire, 11)]);
      await b.serve(7000);
      assert.deepEqual(Object.values(await a.ask("tcp:192.0.2.11:7000")), ["b 192.0.2.10"]);
      if (mode === "l2") {
        const expected = outsideAnswers("192.0.2.10", "2001:db8:1::10");
        assert.deepEqual(await a.ask(...Object.keys(expected)), expected);
      } else {
        assert.match(a.sh("ip route show default"), /^default dev eth0/);
      }
    });
  }

  test("parents that cannot be are refused with dockerd's words", async () => {
    const ensure = (parent: string) => world.host.ensure(onCable("macvlan", { parent }));
    await assert.rejects(ensure("nowhere"), /invalid subinterface vlan name nowhere, example formatting is eth0\.10/);
    await assert.rejects(ensure("eth9.10"), /failed to find master interface eth9/);
    await assert.rejects(ensure("eth0.4095"), /vlan id must be between 1-4094, received: 4095/);
  });
});
