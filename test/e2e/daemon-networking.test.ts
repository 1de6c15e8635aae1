import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { image, uplink } from "../support/uplink.ts";

const net = world();

/** The daemon again with other options; the containers and networks of the test before are gone. */
async function restart(...args: string[]): Promise<void> {
  await net.clear();
  await net.machine.stop();
  await net.machine.start(args);
}

/** What a container that lives for this says. */
function within(options: readonly string[], script: string): Promise<string> {
  return net.ok("run", "--rm", ...options, image, "sh", "-c", script);
}

const mtu = "cat /sys/class/net/eth0/mtu";
const ours = net.machine.engine === "sampan" ? {} : { skip: "dockerd takes no other options here" };

suite("the daemon's options about networks", { ...requires("docker", "ip", "nft", "cc", "busybox"), ...ours }, () => {
  test("--bip, --fixed-cidr, --ipv6, --fixed-cidr-v6, --mtu, --ip, --dns…, --host-gateway-ip", async () => {
    await restart(
      ...["--bip", "10.84.0.1/24", "--fixed-cidr", "10.84.0.128/25", "--ipv6", "--fixed-cidr-v6", "fd00:84::/64"],
      ...["--mtu", "1400", "--ip", "127.0.0.1", "--dns", uplink.outside.v4, "--dns-opt", "ndots:3"],
      ...["--dns-search", "example.test", "--host-gateway-ip", "192.0.2.7", "--host-gateway-ip", "2001:db8::7"],
    );
    const said = await within(
      ["--add-host", "gate:host-gateway"],
      `ip -o addr; ip route; ${mtu}; cat /etc/resolv.conf /etc/hosts`,
    );
    for (const expected of [
      /inet 10\.84\.0\.1(2[89]|[3-9]\d)\/24/,
      /default via 10\.84\.0\.1 /,
      /inet6 fd00:84::/,
      /^1400$/m,
      /^nameserver 192\.0\.2\.1$/m,
      /^options .*ndots:3/m,
      /^search example\.test$/m,
      /^192\.0\.2\.7\s+gate$/m,
      /^2001:db8::7\s+gate$/m,
    ]) {
      assert.match(said, expected);
    }
    await net.serve("web", ["-p", "8080:7000"]);
    assert.equal(await net.ok("port", "web"), "7000/tcp -> 127.0.0.1:8080");
    assert.match((await net.answer("machine", "tcp:127.0.0.1:8080")) ?? "", /^web /);
    assert.doesNotMatch((await net.answer("outside", `tcp:${uplink.machine.v4}:8080`, 600)) ?? "", /^web /);
  });

  test("--default-address-pool, --default-network-opt", async () => {
    await restart(
      ...["--default-address-pool", "base=10.84.16.0/20,size=26"],
      ...["--default-address-pool", "base=fd00:85::/48,size=64"],
      ...["--default-network-opt", "bridge=com.docker.network.driver.mtu=1300"],
    );
    await net.ok("network", "create", "--ipv6", "pooled");
    const subnets = await net.ok("network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}} {{end}}", "pooled");
    assert.match(subnets, /^10\.84\.\d+\.\d+\/26 fd00:85:.*\/64 $/);
    assert.equal(await within(["--network", "pooled"], mtu), "1300");
  });

  test("--icc=false, --ip-masq=false", async () => {
    await restart("--icc=false", "--ip-masq=false");
    await net.serve("one");
    await net.serve("two", ["-p", "8081:7000"]);
    const address = await net.address("two", "bridge");
    assert.doesNotMatch((await net.answer("one", `tcp:${address}:7000`, 600)) ?? "", /^two /);
    assert.equal(
      await net.answer("one", `tcp:${uplink.outside.v4}:7000`),
      `outside ${await net.address("one", "bridge")}`,
    );
    await restart();
    await net.serve("one");
    await net.serve("two");
    assert.match((await net.answer("one", `tcp:${await net.address("two", "bridge")}:7000`)) ?? "", /^two /);
    assert.equal(await net.answer("one", `tcp:${uplink.outside.v4}:7000`), `outside ${uplink.machine.v4}`);
  });

  test("--bridge none: no default network", async () => {
    await restart("--bridge", "none");
    assert.deepEqual((await net.ok("network", "ls", "--format", "{{.Name}}")).split("\n"), ["host", "none"]);
    assert.equal(await within([], "ls /sys/class/net"), "lo");
    await net.ok("network", "create", "own");
    assert.match(await within(["--network", "own"], "ls /sys/class/net"), /eth0/);
  });

  test("--bridge NAME: a bridge of the machine's, which stays", async () => {
    await net.machine.namespace.ok(
      "sh",
      "-ec",
      "ip link add mine type bridge; ip addr add 10.84.40.1/24 dev mine; ip link set mine up",
    );
    try {
      await restart("--bridge", "mine");
      assert.match(
        await within([], "ip -o -4 addr; ip route"),
        /inet 10\.84\.40\.\d+\/24[\s\S]*default via 10\.84\.40\.1 /,
      );
      await restart();
      assert.match(await net.machine.namespace.ok("ip", "-o", "-4", "addr"), /10\.84\.40\.1\/24 .*mine/);
    } finally {
      await net.machine.namespace.ok("ip", "link", "del", "mine");
    }
  });

  test("--ip-forward=false: the machine's forwarding is the machine's", async () => {
    await net.clear();
    await net.machine.stop();
    const forwarding = "/proc/sys/net/ipv4/ip_forward";
    await net.machine.namespace.ok("sh", "-c", `echo 0 > ${forwarding}`);
    await net.machine.start(["--ip-forward=false"]);
    await net.serve("one");
    assert.equal(await net.machine.namespace.ok("cat", forwarding), "0");
    await restart();
    await net.serve("one");
    await eventually(
      "forwarding",
      async () => (await net.machine.namespace.ok("cat", forwarding)) === "1" || undefined,
    );
  });

  test("what makes no sense is told before anything starts", async () => {
    await net.clear();
    await net.machine.stop();
    await assert.rejects(net.machine.start(["--bip", "10.84.0.1"]), /invalid argument "10\.84\.0\.1" for "--bip" flag/);
    await assert.rejects(net.machine.start(["--bridge", "nosuch"]), /nosuch/);
    await net.machine.start([]);
    assert.match(await net.ok("network", "ls", "--format", "{{.Name}}"), /bridge/);
  });
});
