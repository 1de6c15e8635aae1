import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { requires } from "../support/requires.ts";
import { image, uplink } from "../support/uplink.ts";

const net = world();
const { machine, outside } = uplink;

/** Whether this kernel makes links of the kind. */
async function kernelHas(kind: string): Promise<boolean> {
  const { namespace, link } = net.machine;
  const parent = kind === "dummy" ? [] : ["link", link];
  const { status } = await namespace.run(["ip", "link", "add", ...parent, "name", "probe0", "type", kind]);
  if (status === 0) await namespace.ok("ip", "link", "del", "probe0");
  return status === 0;
}

/** A container on a network of the driver is a host on the cable itself. */
async function onTheCable(driver: string): Promise<void> {
  const parent = ["-o", `parent=${net.machine.link}`];
  const v4 = ["--subnet", "192.0.2.0/24", "--gateway", outside.v4, "--ip-range", "192.0.2.128/25"];
  await net.ok("network", "create", "-d", driver, ...parent, ...v4, "--ipv6", "--subnet", "2001:db8:1::/64", "lan");
  await net.serve("h1", ["--network", "lan", "--ip", "192.0.2.200", "--ip6", "2001:db8:1::200"]);
  await net.serve("h2", ["--network", "lan"]);
  assert.equal(await net.answer("h1", `tcp:${outside.v4}:7000`), "outside 192.0.2.200", "no address is translated");
  assert.equal(await net.answer("h1", `udp:${outside.v6}:7000`), "outside 2001:db8:1::200");
  assert.equal(await net.answer("outside", "tcp:192.0.2.200:7000"), `h1 ${outside.v4}`, "nor filtered");
  assert.match(await net.address("h2", "lan"), /^192\.0\.2\.1(2[89]|[3-9]\d)$/);
  assert.equal(await net.answer("h2", "tcp:h1:7000").then((said) => said?.split(" ")[0]), "h1");
  assert.match(await net.sh("h1", "ip route"), new RegExp(`default via ${outside.v4.replaceAll(".", "\\.")}`));
  // the kernel keeps a parent and its children apart
  assert.notEqual((await net.answer("h1", `tcp:${machine.v4}:7000`, 600))?.split(" ")[0], "host");
  assert.equal(await net.answer("machine", `tcp:${outside.v4}:7000`), `outside ${machine.v4}`, "the parent works on");
  await net.ok("rm", "-f", "h1", "h2");
  await net.ok("network", "rm", "lan");
}

suite("drivers", requires("docker", "ip", "nft", "cc"), () => {
  before(async () => {
    await net.ok("network", "create", "--subnet", "10.89.0.0/24", "bridged");
  });

  test("macvlan: a host on the parent's network", async () => {
    assert.ok(await kernelHas("macvlan"));
    await onTheCable("macvlan");
  });

  test("configuration networks hold what others are made of", async () => {
    const options = ["--label", "a=b", "-o", "com.docker.network.driver.mtu=1400"];
    await net.ok("network", "create", "--config-only", "--subnet", "10.94.0.0/24", ...options, "plan");
    const format = "{{.Driver}} {{.ConfigOnly}} {{(index .IPAM.Config 0).Subnet}} {{json .Options}} {{json .Labels}}";
    const held = '{"com.docker.network.driver.mtu":"1400"} {"a":"b"}';
    assert.equal(await net.ok("network", "inspect", "-f", format, "plan"), `null true 10.94.0.0/24 ${held}`);
    const refused = (why: RegExp, ...args: string[]) => net.fails(why, "network", ...args);
    await refused(/can only contain network specific fields/, "create", "--config-only", "--internal", "other");
    await refused(/cannot depend on another/, "create", "--config-only", "--config-from", "plan", "other");
    await refused(/"bridge" does not exist/, "create", "--config-from", "bridge", "other");
    await refused(/network driver options are not supported/, "create", "--config-from", "plan", "-o", "a=b", "other");
    const own = ["--config-from", "plan", "--subnet", "10.95.0.0/24"];
    await refused(/user specified configurations are not supported/, "create", ...own, "other");
    await net.fails(/configuration-only/, "run", "-d", "--name", "stray", "--network", "plan", image, "true");
    await net.ok("rm", "stray");

    await net.ok("network", "create", "--config-from", "plan", "made");
    const from =
      "{{.Driver}} {{.ConfigFrom.Network}} {{(index .IPAM.Config 0).Subnet}} {{json .Options}} {{json .Labels}}";
    assert.equal(await net.ok("network", "inspect", "-f", from, "made"), `bridge plan 10.94.0.0/24 ${held}`);
    assert.equal(await net.ok("run", "--rm", "--network", "made", image, "cat", "/sys/class/net/eth0/mtu"), "1400");
    await refused(/configuration network "plan" is in use/, "rm", "plan");
    await net.serve("user", ["--network", "made"]);
    await refused(/configuration-only/, "connect", "plan", "user");
    await net.ok("rm", "-f", "user");
    await net.ok("network", "prune", "-f");
    assert.equal(await net.ok("network", "ls", "-q", "--filter", "name=made"), "");
    await net.ok("network", "rm", "plan");
    await net.ok("network", "create", "--subnet", "10.89.0.0/24", "bridged"); // which was pruned, too
  });

  test("macvlan without a parent is a network of its own; or the kernel's lack is named", async () => {
    const create = ["network", "create", "-d", "macvlan", "--internal", "--subnet", "10.90.0.0/24", "alone"];
    const created = await net.docker(create);
    const started = await net.docker(["run", "--rm", "--network", "alone", image, "true"]);
    if (started.status !== 0 && !(await kernelHas("dummy"))) {
      assert.match(created.stderr + started.stderr, /dummy|parent|operation not supported/i);
      if (created.status === 0) await net.ok("network", "rm", "alone");
      return;
    }
    await net.serve("m1", ["--network", "alone"]);
    await net.serve("m2", ["--network", "alone"]);
    assert.match((await net.answer("m1", "tcp:m2:7000")) ?? "", /^m2 10\.90\.0\.\d+$/);
    assert.notEqual((await net.answer("m1", `tcp:${outside.v4}:7000`, 600))?.split(" ")[0], "outside");
    await net.ok("rm", "-f", "m1", "m2");
    await net.ok("network", "rm", "alone");
  });

  test("ipvlan: a host on the parent's network with the parent's MAC address; or the kernel's lack is named", async () => {
    if (await kernelHas("ipvlan")) return await onTheCable("ipvlan");
    await net.docker([
      "network",
      "create",
      "-d",
      "ipvlan",
      "-o",
      `parent=${net.machine.link}`,
      "--subnet",
      "192.0.2.0/24",
      "lan",
    ]);
    await net.fails(/ipvlan|operation not supported/i, "run", "--rm", "--network", "lan", image, "true");
    await net.docker(["network", "rm", "lan"]);
  });

  test("SCTP is published; or the kernel's lack is named", async () => {
    const run = ["run", "-d", "--name", "assoc", "--network", "bridged", "-p", "8080:7000/sctp", image];
    const { status, stderr } = await net.docker([...run, "probe", "serve", "assoc", "7000"]);
    const said = await net.answer("machine", "sctp:127.0.0.1:7000");
    if (said === "Protocol not supported" && status !== 0) assert.match(stderr, /sctp|protocol not supported/i);
    else {
      assert.equal(status, 0, stderr);
      assert.match(await net.ok("port", "assoc"), /^7000\/sctp -> 0\.0\.0\.0:8080$/m);
      if (said !== "Protocol not supported")
        assert.equal(await net.answer("outside", `sctp:${machine.v4}:8080`), `assoc ${outside.v4}`);
    }
    await net.ok("rm", "-f", "assoc");
  });

  test("a bridge has the name that was asked for, and its MTU", async () => {
    const options = ["-o", "com.docker.network.bridge.name=mybridge0", "-o", "com.docker.network.driver.mtu=1280"];
    await net.ok("network", "create", ...options, "named");
    await net.serve("n1", ["--network", "named"]);
    assert.match(await net.machine.namespace.ok("ip", "-d", "link", "show", "mybridge0"), /mtu 1280 [\s\S]*bridge /);
    await net.ok("rm", "-f", "n1");
    await net.ok("network", "rm", "named");
    assert.notEqual((await net.machine.namespace.run(["ip", "link", "show", "mybridge0"])).status, 0);
  });

  test("frames of one bridge are filtered by nobody, with and without br_netfilter", async () => {
    const sysctl = "net.bridge.bridge-nf-call-iptables";
    await net.serve("f1", ["--network", "bridged"]);
    await net.serve("f2", ["--network", "bridged"]);
    for (const value of ["1", "0"]) {
      await net.machine.namespace.run(["sysctl", "-qw", `${sysctl}=${value}`]); // not there: then it is off
      assert.match((await net.answer("f1", "tcp:f2:7000")) ?? "", /^f2 /, `${sysctl}=${value}`);
    }
    await net.ok("rm", "-f", "f1", "f2");
  });
});
