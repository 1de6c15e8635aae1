import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { requires } from "../support/requires.ts";
import { uplink } from "../support/uplink.ts";

const net = world("--bip", "10.90.0.1/24", "--fixed-cidr", "10.90.0.128/26", "--mtu", "1400", "--ip", "127.0.0.1");

const notDockerd = (why: string) => (net.machine.engine === "sampan" ? {} : { skip: why });

suite("the default bridge", requires("ip", "nft", "cc"), () => {
  test("has the address, the range, the MTU and the host address that the daemon is told", async () => {
    await net.serve("web", ["-p", "8080:7000"]);
    assert.equal(await net.address("web", "bridge"), "10.90.0.128");
    assert.equal(await net.inspect("web", "{{.NetworkSettings.Networks.bridge.Gateway}}"), "10.90.0.1");
    assert.equal((await net.sh("web", "cat /sys/class/net/eth0/mtu")).trim(), "1400");
    assert.equal(await net.ok("port", "web"), "7000/tcp -> 127.0.0.1:8080");
    assert.equal(await net.answer("machine", "tcp:127.0.0.1:8080"), "web 10.90.0.1");
    assert.equal(await net.answer("web", `tcp:${uplink.outside.v4}:7000`), `outside ${uplink.machine.v4}`);
    await net.ok("rm", "-f", "web");
  });

  test("may be somebody else's, who keeps it", notDockerd("its machine does not outlive it"), async () => {
    const { namespace } = net.machine;
    await net.machine.stop();
    await namespace.ok("ip", "link", "add", "br9", "type", "bridge");
    await namespace.ok("ip", "address", "add", "10.91.0.7/24", "dev", "br9");
    await namespace.ok("ip", "link", "set", "br9", "up");
    await net.machine.start(["--bridge", "br9"]);
    await net.serve("web", []);
    assert.equal(await net.address("web", "bridge"), "10.91.0.1");
    assert.equal(await net.inspect("web", "{{.NetworkSettings.Networks.bridge.Gateway}}"), "10.91.0.7");
    assert.equal(await net.answer("machine", "tcp:10.91.0.1:7000"), "web 10.91.0.7");
    assert.equal(await net.answer("web", `tcp:${uplink.outside.v4}:7000`), `outside ${uplink.machine.v4}`);
    await net.ok("rm", "-f", "web");
    await net.machine.stop();
    assert.match(await namespace.ok("ip", "address", "show", "br9"), /10\.91\.0\.7\/24/);
    await namespace.ok("ip", "link", "del", "br9");
    await net.machine.start();
    assert.equal(
      await net.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", "bridge"),
      "10.90.0.0/24",
    );
  });

  const ignores = notDockerd("it takes subnets that the machine has routes to by a gateway");
  test("a subnet that we choose leaves the machine its routes and name servers", ignores, async () => {
    const { namespace } = net.machine;
    for (const route of ["172.17.0.0/16", "172.18.0.0/21"]) {
      await namespace.ok("ip", "route", "add", route, "via", uplink.outside.v4);
    }
    await net.ok("network", "create", "n");
    assert.equal(await net.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", "n"), "172.18.16.0/20");
    await net.ok("network", "rm", "n");
    for (const route of ["172.17.0.0/16", "172.18.0.0/21"]) await namespace.ok("ip", "route", "del", route);
  });
});
