import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { image, stateOf } from "../support/uplink.ts";

const net = world();
const sampanOnly = net.machine.engine === "sampan" ? {} : { skip: "not dockerd's" };

async function links(): Promise<string[]> {
  return (await stateOf(net.machine.namespace)).filter((line) => /\bveth|\bbr-/.test(line));
}

suite("networks, as the engine sees them", requires("docker", "ip", "nft", "cc", "busybox"), () => {
  test("who shares a network has its owner's files, and loses the links with the owner", sampanOnly, async () => {
    await net.ok("network", "create", "shared");
    await net.serve("owner");
    await net.ok("run", "-d", "--name", "guest", "--network", "container:owner", image, "sleep", "1000");
    await net.sh("guest", "echo 192.0.2.1 mine >>/etc/hosts");
    await net.ok("network", "connect", "shared", "owner");
    const address = await net.address("owner", "shared");
    const [own, hosts] = [await net.sh("owner", "cat /etc/hosts"), await net.sh("guest", "cat /etc/hosts")];
    assert.match(own, new RegExp(`^${address.replaceAll(".", "\\.")}\\t`, "m"));
    assert.equal(hosts.replace("192.0.2.1 mine\n", ""), own, "what it has written itself stays");
    assert.match(await net.sh("guest", "cat /etc/resolv.conf"), /^nameserver 127\.0\.0\.11$/m);
    assert.equal((await net.answer("guest", "tcp:owner:7000"))?.split(" ")[0], "owner");
    await net.ok("kill", "owner");
    assert.equal(await net.sh("guest", "ls /sys/class/net"), "lo");
    await net.serve("heir");
    assert.equal(await net.inspect("heir", "{{.NetworkSettings.IPAddress}}"), "172.17.0.2");
    await net.clear();
  });

  test("a network that containers have only been connected to leaves nothing", sampanOnly, async () => {
    await net.ok("network", "create", "late");
    await net.ok("run", "-d", "--name", "alone", "--network", "none", image, "sleep", "1000");
    await net.fails(/one of the networks in private \(none\) mode/, "network", "connect", "late", "alone");
    await net.ok("network", "disconnect", "none", "alone");
    await net.ok("network", "connect", "late", "alone");
    assert.match(await net.sh("alone", "ls /sys/class/net"), /eth0/);
    await net.fails(/network late has active endpoints \(name:"alone" id:"[0-9a-f]{12}"\)/, "network", "rm", "late");
    await net.ok("network", "disconnect", "late", "alone");
    await net.ok("network", "rm", "late");
    assert.deepEqual(await links(), []);
    await net.clear();
  });

  test("addresses that were asked for are nobody else's while their container does not run", sampanOnly, async () => {
    await net.ok("network", "create", "--subnet", "10.85.1.0/29", "small");
    await net.ok("create", "--name", "fixed", "--network", "small", "--ip", "10.85.1.2", image, "sleep", "1000");
    await net.ok("run", "-d", "--name", "other", "--network", "small", image, "sleep", "1000");
    assert.notEqual(await net.address("other", "small"), "10.85.1.2");
    await net.ok("start", "fixed");
    assert.equal(await net.address("fixed", "small"), "10.85.1.2");
    await net.clear();
  });

  test("names are served again after the last network with names has been left", async () => {
    await net.ok("network", "create", "one");
    await net.ok("network", "create", "two");
    await net.serve("peer", ["--network", "two"]);
    await net.ok("run", "-d", "--name", "moves", "--network", "one", image, "sleep", "1000");
    for (let i = 0; i < 2; i++) {
      await net.ok("network", "disconnect", i === 0 ? "one" : "two", "moves");
      await net.ok("network", "connect", "two", "moves");
      assert.equal((await net.answer("moves", "tcp:peer:7000"))?.split(" ")[0], "peer");
    }
    await net.clear();
  });

  test("a renamed container is found by its new name", async () => {
    await net.ok("network", "create", "names");
    await net.serve("before", ["--network", "names"]);
    await net.ok("run", "-d", "--name", "asker", "--network", "names", image, "sleep", "1000");
    await net.ok("rename", "before", "afterwards");
    assert.equal((await net.answer("asker", "tcp:afterwards:7000"))?.split(" ")[0], "before");
    assert.doesNotMatch((await net.answer("asker", "tcp:before:7000", 600)) ?? "", /^before/);
    await net.clear();
  });

  test("links on the default bridge are lines in /etc/hosts; a port is free once its container has ended", async () => {
    await net.serve("linked", ["-p", "8088:7000"]);
    const hosts = await net.ok("run", "--rm", "--link", "linked:db", image, "cat", "/etc/hosts");
    assert.match(hosts, /^172\.17\.0\.2\tdb [0-9a-f]{12} linked$/m);
    for (let i = 0; i < 5; i++) await net.ok("restart", "-t", "0", "linked");
    await net.fails(
      /Bind for (0\.0\.0\.0|:::?):?8088 failed: port is already allocated/,
      "run",
      "-p",
      "8088:1",
      image,
      "true",
    );
    await net.clear();
  });

  test("health: probed in the container, told in its state and by events", async () => {
    const since = String(Math.floor(Date.now() / 1000));
    const probe = ["--health-cmd", "test -e /ready", "--health-interval", "200ms", "--health-retries", "2"];
    await net.ok("run", "-d", "--name", "patient", ...probe, image, "sleep", "1000");
    const is = (status: string) => async () => (await net.inspect("patient", "{{.State.Health.Status}}")) === status;
    await eventually("it is unhealthy", is("unhealthy"));
    assert.equal(await net.ok("ps", "--filter", "health=unhealthy", "--format", "{{.Names}}"), "patient");
    await net.sh("patient", "touch /ready");
    await eventually("it is healthy", is("healthy"));
    assert.match(await net.ok("ps", "--format", "{{.Status}}"), /^Up .*\(healthy\)$/);
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const filters = ["--filter", "event=health_status", "--format", "{{.Action}}"];
    const told = await net.ok("events", "--since", since, "--until", until, ...filters);
    assert.deepEqual(told.split("\n"), ["health_status: unhealthy", "health_status: healthy"]);
    await net.clear();
  });
});
