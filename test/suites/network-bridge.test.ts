import assert from "node:assert/strict";
import { afterEach, suite, test } from "node:test";
import { option } from "../../src/network/records/driver-options.ts";
import { cable, connection, kernelWorld, network, ports, sh } from "../support/network-host.ts";
import { inOwnNetwork } from "../support/own-network.ts";

const { machine: here, outside: there } = cable;

inOwnNetwork(import.meta.url, () => {
  const world = kernelWorld();
  const made: ReturnType<typeof network>[] = [];
  /** A network that is removed after the test. */
  const fresh = (name: string, third: number, options: Record<string, string> = {}, more = {}) => {
    const created = network(name, third, { options, ...more });
    made.push(created);
    return created;
  };
  afterEach(async () => {
    await world.clear();
    for (const one of made.splice(0)) await world.host.remove(one);
    assert.deepEqual(
      world.left().filter((line) => !line.startsWith("table")),
      [],
    );
  });

  for (const filter of [0, 1] as const) {
    suite(`with bridge-nf-call-iptables=${filter}`, () => {
      test("containers of a network reach each other, not those of others, and leave as the machine", async () => {
        world.bridgeFilter(filter);
        const [one, two] = [fresh("one", 1), fresh("two", 2)];
        const a = await world.start("a", [connection("a", one, 10)]);
        const b = await world.start("b", [connection("b", one, 11)]);
        const c = await world.start("c", [connection("c", two, 10)]);
        for (const container of [a, b, c]) await container.serve(7000);
        const reached = {
          "tcp:10.81.1.11:7000": "b 10.81.1.10",
          "udp:fd00:81:1::11:7000": "b fd00:81:1::10",
          "icmp:10.81.1.11": "reply",
        };
        assert.deepEqual(await a.ask(...Object.keys(reached)), reached);
        const unreached = [
          "tcp:10.81.2.10:7000",
          "udp:10.81.2.10:7000",
          "icmp:10.81.2.10",
          "tcp:fd00:81:2::10:7000",
          "icmp:fd00:81:2::10",
        ];
        assert.deepEqual(new Set(Object.values(await a.ask(...unreached))), new Set(["timeout"]));
        const out = {
          [`tcp:${there.v4}:7000`]: `outside ${here.v4}`,
          [`udp:${there.v6}:7000`]: `outside ${here.v6}`,
          [`icmp:${there.v4}`]: "reply",
        };
        assert.deepEqual(await a.ask(...Object.keys(out)), out);
        const direct = ["tcp:10.81.1.10:7000", "udp:fd00:81:1::10:7000", "icmp:10.81.1.10"];
        assert.deepEqual(new Set(Object.values(await world.outside.ask(...direct))), new Set(["timeout"]));
        assert.deepEqual(Object.values(await world.ask(...direct)), ["a 10.81.1.1", "a fd00:81:1::1", "reply"]);
      });

      test("icc=false: containers of the network reach only the machine, the world, and published ports", async () => {
        world.bridgeFilter(filter);
        const apart = fresh("apart", 1, { [option.icc]: "false" });
        const a = await world.start("a", [connection("a", apart, 10)]);
        const b = await world.start("b", [connection("b", apart, 11)], ports("8080:7000/tcp"));
        await b.serve(7000);
        const unreached = ["tcp:10.81.1.11:7000", "icmp:10.81.1.11", "tcp:fd00:81:1::11:7000"];
        for (const said of Object.values(await a.ask(...unreached))) assert.match(said, /timeout|No route/);
        assert.deepEqual(Object.values(await a.ask(`tcp:${there.v4}:7000`, "icmp:10.81.1.1")), [
          `outside ${here.v4}`,
          "reply",
        ]);
        // Where br_netfilter translates frames they stay frames, and isolated ports do not exchange them
        const published = filter === 0 ? "b 10.81.1.1" : "timeout";
        assert.deepEqual(Object.values(await a.ask(`tcp:${here.v4}:8080`)), [published]);
      });

      test("internal: containers reach each other and the machine, and nothing else", async () => {
        world.bridgeFilter(filter);
        const inner = fresh("inner", 1, {}, { internal: true });
        const a = await world.start("a", [connection("a", inner, 10)]);
        const b = await world.start("b", [connection("b", inner, 11)]);
        await b.serve(7000);
        assert.deepEqual(Object.values(await a.ask("tcp:10.81.1.11:7000", "icmp:10.81.1.1")), [
          "b 10.81.1.10",
          "reply",
        ]);
        assert.equal(a.sh("ip route show default; ip -6 route show default"), "");
        a.sh("ip route add default via 10.81.1.1; ip -6 route add default via fd00:81:1::1");
        const unreached = [`tcp:${there.v4}:7000`, `icmp:${there.v6}`];
        assert.deepEqual(new Set(Object.values(await a.ask(...unreached))), new Set(["timeout"]));
      });
    });
  }

  test("the bridge's name, MTU, missing addresses and masquerade are the network's options", async () => {
    const options = { [option.bridgeName]: "mine0", [option.mtu]: "1400", [option.masquerade]: "false" };
    const a = await world.start("a", [connection("a", fresh("one", 1, options), 10)]);
    assert.match(sh("ip -o link show mine0"), /mtu 1400/);
    assert.match(a.sh("ip -o link show eth0"), /mtu 1400/);
    assert.match(sh("ip -o link show master mine0"), /mtu 1400/);
    assert.deepEqual(Object.values(await a.ask(`tcp:${there.v4}:7000`)), ["outside 10.81.1.10"]);
    await world.start("b", [connection("b", fresh("two", 2, { [option.inhibit4]: "true" }), 10)]);
    const bridge = sh("ip -br addr show type bridge")
      .split("\n")
      .find((line) => line.includes("fd00:81:2::1"));
    assert.doesNotMatch(bridge ?? "nothing", /10\.81\.2\.1/);
  });

  test("connections leave with the address that the network names", async () => {
    sh("ip addr add 192.0.2.50/24 dev eth0");
    const options = { "com.docker.network.host_ipv4": "192.0.2.50" };
    const a = await world.start("a", [connection("a", fresh("one", 1, options), 10)]);
    assert.deepEqual(Object.values(await a.ask(`tcp:${there.v4}:7000`)), ["outside 192.0.2.50"]);
    sh("ip addr del 192.0.2.50/24 dev eth0");
  });

  test("gateway mode routed: containers keep their addresses, published ports are open there, others not", async () => {
    const options = { [option.gatewayMode4]: "routed", [option.gatewayMode6]: "routed" };
    const a = await world.start("a", [connection("a", fresh("one", 1, options), 10)], ports("8080:7000/tcp"));
    await a.serve(7000, 7001);
    assert.deepEqual(Object.values(await a.ask(`tcp:${there.v4}:7000`)), ["outside 10.81.1.10"]);
    const asked = {
      "tcp:10.81.1.10:7000": `a ${there.v4}`,
      "tcp:fd00:81:1::10:7000": `a ${there.v6}`,
      "icmp:10.81.1.10": "reply",
      "icmp:fd00:81:1::10": "reply",
      "tcp:10.81.1.10:7001": "timeout",
      "udp:10.81.1.10:7000": "timeout",
      [`tcp:${here.v4}:8080`]: "refused",
    };
    assert.deepEqual(await world.outside.ask(...Object.keys(asked)), asked);
  });

  test("gateway mode nat-unprotected, and trusted links: all ports are open at the container's address", async () => {
    const open = fresh("open", 1, { [option.gatewayMode4]: "nat-unprotected" });
    const trusting = fresh("trusting", 2, { [option.trustedInterfaces]: "eth9:eth0" });
    for (const [name, where] of [
      ["a", open],
      ["b", trusting],
    ] as const) {
      const container = await world.start(name, [connection(name, where, 10)]);
      await container.serve(7000);
    }
    const asked = {
      "tcp:10.81.1.10:7000": `a ${there.v4}`,
      "tcp:fd00:81:1::10:7000": "timeout",
      "tcp:10.81.2.10:7000": `b ${there.v4}`,
      "tcp:fd00:81:2::10:7000": `b ${there.v6}`,
    };
    assert.deepEqual(await world.outside.ask(...Object.keys(asked)), asked);
  });

  test("gateway mode isolated: the bridge has no address", async () => {
    const options = { [option.gatewayMode4]: "isolated", [option.gatewayMode6]: "isolated" };
    const a = await world.start("a", [connection("a", fresh("one", 1, options, { internal: true }), 10)]);
    const b = await world.start("b", [connection("b", made[0] ?? network("", 1), 11)]);
    await b.serve(7000);
    assert.deepEqual(Object.values(await a.ask("tcp:10.81.1.11:7000")), ["b 10.81.1.10"]);
    assert.equal(sh(`ip -o addr show dev br-${made[0]?.id.slice(0, 12)}`), "");
  });

  test("somebody else's bridge is used as it is, and stays", async () => {
    sh("ip link add theirs0 type bridge; ip addr add 10.81.1.1/24 dev theirs0; ip link set theirs0 up");
    const theirs = fresh("theirs", 1, { [option.bridgeName]: "theirs0" }, { ipv6: false });
    const a = await world.start("a", [connection("a", theirs, 10)]);
    assert.deepEqual(Object.values(await a.ask(`tcp:${there.v4}:7000`)), [`outside ${here.v4}`]);
    await world.clear();
    await world.host.remove(theirs);
    made.length = 0;
    assert.match(sh("ip -br addr show theirs0"), /10\.81\.1\.1\/24/);
    sh("ip link del theirs0");
    sh("ip link add theirs1 type veth peer name theirs2");
    const wrong = fresh("wrong", 1, { [option.bridgeName]: "theirs1" });
    await assert.rejects(
      world.host.ensure(wrong),
      /Cannot use theirs1 as the bridge of network wrong: it is of the kind veth/,
    );
    made.length = 0;
    sh("ip link del theirs1");
  });

  test("several networks: one leads out, connected and disconnected while it runs", async () => {
    const [one, two, six] = [fresh("one", 1), fresh("two", 2), fresh("six", 3, {}, { ipv4: false })];
    const first = connection("a", one, 10);
    const a = await world.start("a", [first], ports("8080:7000/tcp"));
    await a.serve(7000);
    const second = connection("a", two, 10, { interfaceName: "eth1", gatewayPriority: 1 });
    const third = connection("a", six, 10, { interfaceName: "eth2" });
    const networking = (...connections: (typeof first)[]) => ({ ...a.networking, connections });
    await world.host.connect(a.path, networking(first, second), second.endpoint);
    assert.match(a.sh("ip route show default"), /via 10\.81\.2\.1 dev eth1/);
    assert.match(a.sh("ip -6 route show default"), /via fd00:81:2::1 dev eth1/);
    assert.match(world.elements("everywhere4"), /10\.81\.2\.10 \. 7000/);
    assert.deepEqual(Object.values(await world.outside.ask(`tcp:${here.v4}:8080`)), [`a ${there.v4}`]);
    await world.host.connect(a.path, networking(first, second, third), third.endpoint);
    assert.match(a.sh("ip -br addr show eth2"), /fd00:81:3::10\/64/);
    await world.host.disconnect(a.path, networking(first, third), second);
    assert.match(a.sh("ip route show default"), /via 10\.81\.1\.1 dev eth0/);
    assert.deepEqual(Object.values(await world.outside.ask(`tcp:${here.v4}:8080`)), [`a ${there.v4}`]);
    await world.host.disconnect(a.path, networking(third), first);
    assert.equal(a.sh("ip route show default"), "");
    assert.doesNotMatch(world.elements("everywhere4"), /elements/);
    await world.host.disconnect(a.path, networking(), third);
    assert.equal(a.sh("ip -o link | grep -c eth || true"), "0");
  });

  test("16 networks and containers at once", async () => {
    const all = Array.from({ length: 16 }, (_, i) => fresh(`n${i}`, 100 + i));
    const started = await Promise.all(all.map((one, i) => world.start(`c${i}`, [connection(`c${i}`, one, 10)])));
    const answers = await Promise.all(started.map((container) => container.ask(`tcp:${there.v4}:7000`)));
    assert.deepEqual(new Set(answers.flatMap((answer) => Object.values(answer))), new Set([`outside ${here.v4}`]));
    assert.equal(sh(`nft list table ${world.table} | grep -c 'jump within'`), "1");
  });
});
