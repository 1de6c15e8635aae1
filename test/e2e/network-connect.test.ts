import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { requires } from "../support/requires.ts";
import { image, stateOf, uplink } from "../support/uplink.ts";

const net = world();
const sampanOnly = net.machine.engine === "sampan" ? {} : { skip: "not dockerd's" };

/** Links of a container, without loopback, by name. */
async function links(container: string): Promise<string[]> {
  const names = (await net.sh(container, "ls /sys/class/net")).split(/\s+/);
  return names.filter((name) => name !== "lo" && name !== "").toSorted();
}

function defaultRoute(container: string): Promise<string> {
  return net.sh(container, "ip route show default");
}

suite("networks of containers that run", requires("docker", "ip", "nft", "cc", "busybox"), () => {
  before(async () => {
    await net.ok("network", "create", "--subnet", "10.86.1.0/24", "--ipv6", "--subnet", "fd00:86:1::/64", "alpha");
    await net.ok("network", "create", "--subnet", "10.86.2.0/24", "beta");
    await net.serve("peer", ["--network", "beta", "--ip", "10.86.2.20"]);
  });

  test("connect and disconnect while it runs", async () => {
    await net.serve("roam", ["--network", "alpha"]);
    assert.equal(await net.answer("roam", "tcp:10.86.2.20:7000", 600), "timeout");
    await net.ok("network", "connect", "--ip", "10.86.2.30", "--alias", "guest", "beta", "roam");
    assert.deepEqual(await links("roam"), ["eth0", "eth1"]);
    assert.equal(await net.answer("roam", "tcp:10.86.2.20:7000"), "peer 10.86.2.30");
    assert.equal(await net.answer("peer", "tcp:guest:7000"), "roam 10.86.2.20");
    assert.match(
      await net.ok("network", "inspect", "-f", "{{json .Containers}}", "beta"),
      /"IPv4Address":"10\.86\.2\.30\/24"/,
    );
    await net.fails(/already (exists|attached|connected)/i, "network", "connect", "beta", "roam");
    await net.ok("network", "disconnect", "alpha", "roam");
    assert.deepEqual(await links("roam"), ["eth1"]);
    assert.match(await defaultRoute("roam"), /via 10\.86\.2\.1 /);
    assert.equal(await net.answer("roam", `tcp:${uplink.outside.v4}:7000`), `outside ${uplink.machine.v4}`);
    await net.ok("network", "connect", "alpha", "roam");
    assert.deepEqual(await links("roam"), ["eth0", "eth1"]);
    assert.equal((await net.answer("roam", "tcp:fd00:86:1::1:7000"))?.split(" ")[0], "host");
    await net.fails(/is not connected to/, "network", "disconnect", "bridge", "roam");
    await net.ok("network", "disconnect", "beta", "roam");
    await net.ok("network", "disconnect", "alpha", "roam");
    assert.deepEqual(await links("roam"), []);
    await net.ok("rm", "-f", "roam");
  });

  test("a container keeps its networks and static addresses when it is stopped", async () => {
    await net.serve("fixed", ["--network", "alpha", "--ip", "10.86.1.77", "--mac-address", "02:42:0a:56:01:4d"]);
    await net.ok("network", "connect", "--ip", "10.86.2.77", "beta", "fixed");
    await net.ok("stop", "-t", "1", "fixed");
    await net.ok("start", "fixed");
    await net.serves("fixed");
    assert.match(await net.sh("fixed", "ip -o -4 addr"), /10\.86\.1\.77\/24[\s\S]*10\.86\.2\.77\/24/);
    assert.match(await net.sh("fixed", "cat /sys/class/net/eth0/address"), /^02:42:0a:56:01:4d$/);
    const twin = ["run", "--rm", "--network", "alpha", "--ip", "10.86.1.77", image, "true"];
    await net.fails(/address already in use/i, ...twin);
    await net.ok("rm", "-f", "fixed");
  });

  test("addresses that make no sense are refused with dockerd's words", async () => {
    const wrong = (...options: string[]) => ["run", "--rm", ...options, image, "true"];
    await net.fails(/user (specified|configured)/, ...wrong("--network", "bridge", "--ip", "172.17.0.9"));
    await net.fails(
      /no configured subnet contains|does not belong to any subnet|invalid/i,
      ...wrong("--network", "beta", "--ip", "10.99.0.1"),
    );
    await net.fails(/network nosuch not found/, ...wrong("--network", "nosuch"));
    await net.fails(/overlaps/i, "network", "create", "--subnet", "10.86.2.0/25", "clash");
    await net.fails(/has active endpoints/, "network", "rm", "beta");
    await net.fails(/already exists/, "network", "create", "beta");
    await net.fails(/not found|No such network/, "network", "rm", "nosuch");
    await net.fails(/pre-defined/, "network", "rm", "bridge");
  });

  test("host, none, and another container's", async () => {
    assert.match(await net.ok("run", "--rm", "--network", "host", image, "ip", "-o", "addr"), /192\.0\.2\.2\/24/);
    assert.equal(await net.ok("run", "--rm", "--network", "none", image, "ls", "/sys/class/net"), "lo");
    const joined = ["run", "--rm", "--network", "container:peer", image];
    assert.match(await net.ok(...joined, "probe", "ask", "2000", "tcp:127.0.0.1:7000"), /= peer 127\.0\.0\.1/);
    assert.equal(await net.ok(...joined, "hostname"), (await net.inspect("peer", "{{.Id}}")).slice(0, 12));
  });

  test("MTU, sysctls and what the network says", async () => {
    await net.ok("network", "create", "-o", "com.docker.network.driver.mtu=1400", "small");
    const sysctl = ["--sysctl", "net.ipv4.ip_unprivileged_port_start=99"];
    const script = "cat /sys/class/net/eth0/mtu /proc/sys/net/ipv4/ip_unprivileged_port_start";
    assert.equal(await net.ok("run", "--rm", "--network", "small", ...sysctl, image, "sh", "-c", script), "1400\n99");
    await net.ok("network", "rm", "small");
  });

  test("the highest gateway priority, else the first name, has the default route", async () => {
    await net.serve("two", ["--network", "beta"]);
    await net.ok("network", "connect", "alpha", "two");
    assert.match(await defaultRoute("two"), /via 10\.86\.1\.1 /);
    await net.ok("network", "disconnect", "alpha", "two");
    assert.match(await defaultRoute("two"), /via 10\.86\.2\.1 /);
    await net.ok("rm", "-f", "two");
  });

  test(
    "forty networks need no subnets of the user's and do not meet the machine's own routes",
    sampanOnly,
    async () => {
      const names = Array.from({ length: 40 }, (_, i) => `many${i}`);
      for (const name of names) await net.ok("network", "create", name);
      const format = "{{range .IPAM.Config}}{{.Subnet}}{{end}}";
      const subnets = (await net.ok("network", "inspect", "-f", format, ...names)).split("\n");
      assert.equal(new Set(subnets).size, 40);
      assert.ok(!subnets.some((subnet) => subnet.startsWith("192.0.2.")));
      await net.ok("network", "rm", ...names);
    },
  );

  test("a network of which the machine has a route already is not chosen", sampanOnly, async () => {
    const { namespace } = net.machine;
    await net.ok("network", "create", "first");
    const subnet = await net.ok("network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}}{{end}}", "first");
    await net.ok("network", "rm", "first");
    await namespace.ok("ip", "route", "add", subnet, "via", uplink.outside.v4);
    await net.ok("network", "create", "first");
    const other = await net.ok("network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}}{{end}}", "first");
    await net.ok("network", "rm", "first");
    await namespace.ok("ip", "route", "del", subnet);
    assert.notEqual(other, subnet);
  });

  test("what an event says, and prune", async () => {
    const since = String(Math.floor(Date.now() / 1000));
    await net.ok("network", "create", "--label", "k=v", "seen");
    await net.ok("network", "connect", "seen", "peer");
    await net.ok("network", "disconnect", "seen", "peer");
    assert.match(await net.ok("network", "prune", "-f", "--filter", "label=k=v"), /seen/);
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const range = ["--since", since, "--until", until, "--filter", "type=network"];
    const events = (await net.ok("events", ...range, "--format", "{{.Action}} {{.Actor.Attributes.name}}")).split("\n");
    const seen = events.filter((line) => line.endsWith(" seen")).map((line) => line.split(" ")[0]);
    assert.deepEqual(seen, ["create", "connect", "disconnect", "destroy"]);
  });

  test("nothing of ours remains after the last container and network are gone", sampanOnly, async () => {
    await net.clear();
    await net.machine.stop();
    const left = (await stateOf(net.machine.namespace)).filter((line) =>
      /sampan|\bbr-|\bveth|\bve[0-9a-f]{9}|docker/.test(line),
    );
    assert.deepEqual(left, []);
    await net.machine.start();
  });
});
