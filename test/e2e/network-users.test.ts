import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { image, uplink } from "../support/uplink.ts";

const net = world();
const runnable = net.machine.engine === "sampan" ? requires("docker", "ip", "nft", "cc") : { skip: "not dockerd's" };

/** A container with users of its own that answers at port 7000; `options` are those of `sampan run`. */
async function serve(name: string, ...options: string[]): Promise<void> {
  const users = ["-d", "--name", name, "--userns=auto", "--network", "lan"];
  await net.machine.sampan("run", ...users, ...options, image, "probe", "serve", name, "7000");
  await net.serves(name);
}

suite("networks of containers with users of their own", runnable, () => {
  before(async () => {
    await net.ok("network", "create", "--subnet", "10.93.0.0/24", "--ipv6", "--subnet", "fd00:93::/64", "lan");
    await net.ok("network", "create", "--subnet", "10.93.1.0/24", "other");
    await net.serve("plain", ["--network", "lan"]);
  });

  test("names, the world outside, published ports, and settings of its own network", async () => {
    await serve("own", "-p", "8093:7000", "--sysctl", "net.ipv4.conf.all.forwarding=1");
    for (const family of ["v4", "v6"] as const) {
      const [own, plain] = [await net.address("own", "lan", family), await net.address("plain", "lan", family)];
      assert.equal(await net.answer("plain", `tcp:${own}:7000`), `own ${plain}`);
      assert.equal(await net.answer("own", `tcp:${plain}:7000`), `plain ${own}`);
    }
    assert.match(String(await net.answer("plain", "tcp:own:7000")), /^own /);
    assert.match(String(await net.answer("own", "tcp:plain:7000")), /^plain /);
    assert.equal(await net.answer("own", `tcp:${uplink.outside.v4}:7000`), `outside ${uplink.machine.v4}`);
    assert.match(String(await net.answer("outside", `tcp:${uplink.machine.v4}:8093`)), /^own /);
    assert.match(await net.sh("own", "cat /proc/sys/net/ipv4/conf/all/forwarding"), /^1/);
    assert.match(await net.sh("own", "ip -o link show lo"), /LOOPBACK,UP/);
  });

  test("connected and disconnected while it runs, and its files are kept up to date", async () => {
    await net.ok("network", "connect", "--alias", "guest", "other", "own");
    await net.serve("stranger", ["--network", "other"]);
    assert.match(String(await net.answer("stranger", "tcp:guest:7000")), /^own 10\.93\.1\./);
    const hosts = await net.sh("own", "cat /etc/hosts");
    assert.match(hosts, /10\.93\.1\./);
    await net.ok("network", "disconnect", "other", "own");
    await eventually("the name is gone", async () => !/10\.93\.1\./.test(await net.sh("own", "cat /etc/hosts")));
    assert.match(await net.sh("own", "stat -c '%u %g' /etc/hosts /etc/resolv.conf"), /^0 0\s+0 0/);
  });

  test("the daemon finds them again", async () => {
    await net.machine.crash();
    assert.match(String(await net.answer("plain", "tcp:own:7000")), /^own /);
    await net.ok("restart", "-t", "0", "own");
    await net.serves("own");
    assert.match(String(await net.answer("outside", `tcp:${uplink.machine.v4}:8093`)), /^own /);
  });
});
