import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { uplink } from "../support/uplink.ts";

const net = world();
const { machine, outside } = uplink;
const old = requires("iptables-legacy", "ip6tables-legacy");
const runnable = net.machine.engine === "sampan" ? requires("docker", "ip", "nft", "cc") : { skip: "not dockerd's" };

/** Rules of somebody else's: `body` is that of a table of the family inet. */
async function withTable(body: string, then: () => Promise<void>): Promise<void> {
  const { namespace } = net.machine;
  await namespace.ok("nft", `add table inet other; ${body}`);
  try {
    await then();
  } finally {
    await namespace.ok("nft", "delete table inet other");
  }
}

async function restart(...args: string[]): Promise<void> {
  await net.machine.stop();
  await net.machine.start(args);
}

async function warnings(): Promise<string> {
  return await net.ok("info", "--format", "{{json .Warnings}}");
}

async function who(from: string, target: string): Promise<string | undefined> {
  return (await net.answer(from, target, 600))?.split(" ")[0];
}

suite("beside the firewalls of others", runnable, () => {
  test("a policy that drops what is forwarded is said, and left alone", async () => {
    const chain = "add chain inet other forward { type filter hook forward priority 0; policy drop; }";
    await withTable(chain, async () => {
      await net.serve("blocked", ["-p", "8080:7000"]);
      await restart();
      await eventually("it is said", async () => /inet other forward.*drops/.test(await warnings()));
      assert.match(await net.machine.namespace.ok("nft", "list", "table", "inet", "other"), /policy drop/);
      assert.equal(await who("machine", "tcp:127.0.0.1:8080"), "blocked", "what is not forwarded gets through");
      assert.notEqual(await who("outside", `tcp:${machine.v4}:8080`), "blocked");
    });
    await restart();
    assert.doesNotMatch(await warnings(), /inet other forward/);
    assert.equal(await who("outside", `tcp:${machine.v4}:8080`), "blocked");
    await net.ok("rm", "-f", "blocked");
  });

  test("so are policies of the old iptables, whose rules nf_tables does not show", old, async () => {
    const { namespace } = net.machine;
    for (const command of ["iptables-legacy", "ip6tables-legacy"]) {
      const said = new RegExp(`FORWARD of ${command} drops`);
      await net.serve("blocked");
      assert.doesNotMatch(await warnings(), said);
      await namespace.ok(command, "-P", "FORWARD", "DROP");
      await eventually("it is said", async () => said.test(await warnings()));
      await namespace.ok(command, "-P", "FORWARD", "ACCEPT");
      await eventually("it is not said", async () => !said.test(await warnings()));
      await net.ok("rm", "-f", "blocked");
    }
  });

  test("other tables that are set up as dockerd and ufw do it: ours works beside them", async () => {
    const others = [
      "add chain inet other forward { type filter hook forward priority 0; policy accept; }",
      "add rule inet other forward ct state established,related accept",
      "add rule inet other forward ct state invalid drop",
      "add chain inet other input { type filter hook input priority 0; policy drop; }",
      "add rule inet other input ct state established,related accept",
      "add rule inet other input iifname lo accept",
      "add rule inet other input meta l4proto { icmp, ipv6-icmp } accept",
      "add chain inet other postrouting { type nat hook postrouting priority 100; }",
      "add rule inet other postrouting ip saddr 172.31.0.0/16 masquerade",
    ];
    await withTable(others.join("; "), async () => {
      await net.ok("network", "create", "beside");
      await net.serve("open", ["--network", "beside", "-p", "8081:7000"]);
      assert.equal(
        await who("outside", `tcp:${machine.v4}:8081`),
        "open",
        "as with docker, ufw's input chain is not asked",
      );
      assert.equal(await who("open", `tcp:${outside.v4}:7000`), "outside");
      assert.notEqual(await who("open", `tcp:${machine.v4}:7000`), "host", "the host's own services are ufw's");
      await net.ok("rm", "-f", "open");
      await net.ok("network", "rm", "beside");
    });
  });

  test("with --publish-policy input the host's own rules decide who reaches a published port", async () => {
    const input = [
      "add chain inet other input { type filter hook input priority 0; policy drop; }",
      "add rule inet other input ct state established,related accept",
      "add rule inet other input iifname lo accept",
      "add rule inet other input tcp dport 8083 accept",
    ];
    await withTable(input.join("; "), async () => {
      await restart("--publish-policy", "input");
      await net.serve("asks", ["-p", "8082:7000", "-p", "8083:7000"]);
      assert.notEqual(await who("outside", `tcp:${machine.v4}:8082`), "asks");
      assert.equal(await who("outside", `tcp:${machine.v4}:8083`), "asks");
      assert.equal(await who("machine", "tcp:127.0.0.1:8082"), "asks");
      await net.ok("rm", "-f", "asks");
    });
    await restart();
  });

  test("with --ip 127.0.0.1 ports are published there unless they say otherwise", async () => {
    await restart("--ip", "127.0.0.1");
    await net.serve("shy", ["-p", "8084:7000", "-p", "0.0.0.0:8085:7000"]);
    assert.match(await net.ok("port", "shy"), /-> 127\.0\.0\.1:8084$/m);
    assert.equal(await who("machine", "tcp:127.0.0.1:8084"), "shy");
    assert.notEqual(await who("outside", `tcp:${machine.v4}:8084`), "shy");
    assert.equal(await who("outside", `tcp:${machine.v4}:8085`), "shy");
    await net.ok("rm", "-f", "shy");
    await restart();
  });

  test("--bip, --default-address-pool and --mtu", async () => {
    await restart("--bip", "10.95.0.1/24", "--default-address-pool", "base=10.96.0.0/16,size=28", "--mtu", "1300");
    await net.serve("small");
    assert.match(await net.address("small", "bridge"), /^10\.95\.0\./);
    assert.equal(await net.sh("small", "cat /sys/class/net/eth0/mtu"), "1300");
    await net.ok("network", "create", "pooled");
    const format = "{{range .IPAM.Config}}{{.Subnet}}{{end}}";
    assert.match(await net.ok("network", "inspect", "-f", format, "pooled"), /^10\.96\.\d+\.\d+\/28$/);
    await net.ok("rm", "-f", "small");
    await net.ok("network", "rm", "pooled");
    await restart();
  });
});
