import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { PacketWatch } from "../../src/network/egress/watch.ts";
import { RuleWatch } from "../../src/network/host/rule-watch.ts";
import { option } from "../../src/network/records/driver-options.ts";
import { makeExecutor } from "../support/executor.ts";
import { cable, connection, kernelWorld, network, ports, sh } from "../support/network-host.ts";
import { inOwnNetwork } from "../support/own-network.ts";
import { eventually } from "../support/process.ts";
import { patience } from "../support/requires.ts";

const { machine: here, outside: there } = cable;

/** Pids of the executors that this process has started. */
function executors(): string[] {
  return readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8")
    .split(" ")
    .filter((pid) => pid !== "" && /executor/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8")));
}

inOwnNetwork(import.meta.url, () => {
  const world = kernelWorld();
  const one = network("one", 1);
  const two = network("two", 2, { options: { [option.icc]: "false" } });

  afterEach(() => world.clear());

  const ruleset = () => sh(`nft -a list table ${world.table}`);

  test("a daemon that starts again changes nothing that is right, and connections go on", async () => {
    const a = await world.start("a", [connection("a", one, 10)], ports("8080:7000/tcp", "8053:53/udp"));
    const texts = Array.from({ length: 20 }, (_, i) => `${9000 + i}:${9000 + i}/tcp`);
    const b = await world.start("b", [connection("b", two, 10)], ports(...texts));
    await a.serve(7000);
    const stream = await world.outside.background(
      "stream",
      String(1500 * patience),
      `tcp:${here.v4}:8080`,
      `tcp:${here.v6}:8080`,
    );
    const streamed = once(stream, "close");
    let said = "";
    stream.stdout?.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    const before = ruleset();
    const addresses = sh("ip -o addr; ip -6 route show table local");
    for (let round = 0; round < 3; round++) {
      await world.restart();
      await world.host.recover([one, two], [a.networking, b.networking]);
    }
    assert.equal(ruleset(), before);
    assert.equal(
      sh("ip -o addr; ip -6 route show table local").replaceAll(/tentative /g, ""),
      addresses.replaceAll(/tentative /g, ""),
    );
    await streamed;
    for (const line of said.trim().split("\n")) {
      const [, echoes, pause] = /= (\d+) echoes, longest pause (\d+) ms/.exec(line) ?? [];
      assert.ok(Number(echoes) > 100 / patience && Number(pause) < 400 * patience, line);
    }
  });

  test("what is missing is added, what is nobody's is removed", async () => {
    const a = await world.start("a", [connection("a", one, 10)], ports("8080:7000/tcp"));
    const b = await world.start("b", [connection("b", two, 10)], ports("8081:7000/tcp"));
    await a.serve(7000);
    await b.end(); // while no daemon is there
    const bridge = `br-${one.id.slice(0, 12)}`;
    sh(`nft delete element ${world.table} everywhere4 '{ tcp . 8080 }'
nft delete element ${world.table} masquerade4 '{ "${bridge}" }'
nft add element ${world.table} everywhere4 '{ tcp . 8080 : 10.81.9.9 . 1 }'
ip addr del 10.81.1.1/24 dev ${bridge}
sysctl -qw net.ipv6.conf.${bridge}.accept_ra=1 net.ipv4.conf.${bridge}.route_localnet=0`);
    await world.restart();
    await world.host.recover([one], [a.networking]);
    assert.deepEqual(Object.values(await world.outside.ask(`tcp:${here.v4}:8080`)), [`a ${there.v4}`]);
    assert.deepEqual(Object.values(await a.ask(`tcp:${there.v4}:7000`)), [`outside ${here.v4}`]);
    assert.equal(sh(`sysctl -n net.ipv6.conf.${bridge}.accept_ra net.ipv4.conf.${bridge}.route_localnet`), "0\n1");
    assert.doesNotMatch(ruleset(), /8081|10\.81\.9\.9/);
    assert.doesNotMatch(sh("ip -o link"), new RegExp(`br-${two.id.slice(0, 12)}`));
  });

  test("tables that somebody has flushed, or that another version has made, are replaced", async () => {
    const a = await world.start("a", [connection("a", one, 10)], ports("8080:7000/tcp"));
    await a.serve(7000);
    const asked = `tcp:${here.v4}:8080`;
    sh(
      `nft delete table ${world.table}; nft add table ${world.table} '{ comment "rules of before"; chain odd { drop; }; }'`,
    );
    await world.restart();
    await world.host.recover([one], [a.networking]);
    assert.deepEqual(Object.values(await world.outside.ask(asked)), [`a ${there.v4}`]);
    assert.doesNotMatch(ruleset(), /odd/);
    sh("nft flush ruleset");
    await world.restart();
    await world.host.recover([one], [a.networking]);
    assert.deepEqual(Object.values(await world.outside.ask(asked)), [`a ${there.v4}`]);
  });

  test("rules that somebody flushes while the daemon runs are there again in a moment", async () => {
    await world.host.ensure(one);
    const a = await world.start("a", [connection("a", one, 10)], ports("8080:7000/tcp"));
    await a.serve(7000);
    const asked = `tcp:${cable.machine.v4}:8080`;
    for (let round = 0; round < 3; round++) {
      const before = ruleset().replaceAll(/# handle \d+/g, "");
      sh("nft flush ruleset");
      const now = () => sh("nft -a list ruleset").replaceAll(/# handle \d+/g, "");
      await eventually("the rules are there again", () => now() !== "");
      assert.equal(now(), before);
      assert.deepEqual(Object.values(await world.outside.ask(asked)), [`a ${there.v4}`]);
    }
  });

  test("who watches the rules goes on after the executor was lost", async () => {
    const others = executors();
    await using executor = makeExecutor(join(world.directory, "watched.sock"));
    let told = 0;
    const watch = new RuleWatch(executor, () => told++);
    try {
      await watch.start();
      const own = executors().filter((pid) => !others.includes(pid));
      assert.equal(own.length, 1);
      process.kill(Number(own[0]), "SIGKILL");
      await eventually("it looks whether something has changed meanwhile", () => told === 1);
      sh("nft add table inet foreign; nft delete table inet foreign");
      await eventually("it is told of changes again", () => told > 1);
    } finally {
      watch.close();
    }
  });

  test("who hears of refused packets goes on after the executor was lost", async () => {
    const others = executors();
    await using executor = makeExecutor(join(world.directory, "heard.sock"));
    const prefixes: string[] = [];
    const warnings: string[] = [];
    const watch = new PacketWatch(executor, 77, {
      tell: ({ prefix }) => prefixes.push(prefix),
      warn: (text) => warnings.push(text),
    });
    sh(`nft add table inet heard
nft add chain inet heard out '{ type filter hook output priority 0; }'
nft add rule inet heard out udp dport 9 log prefix "heard" group 77`);
    const socket = createSocket("udp4");
    const heard = () =>
      eventually("a packet is told", () => {
        socket.send("packet", 9, "127.0.0.1");
        return prefixes.splice(0).includes("heard");
      });
    try {
      await watch.begin();
      await heard();
      const own = executors().filter((pid) => !others.includes(pid));
      process.kill(Number(own[0]), "SIGKILL");
      await eventually("the loss is told", () => warnings.length === 1);
      prefixes.splice(0);
      await heard();
      assert.match(warnings.join(), /^What egress policies refuse is not told for a moment: [^,]+$/);
    } finally {
      socket.close();
      await watch.end();
      sh("nft delete table inet heard");
    }
  });

  test("a daemon with nothing to recover looks at nothing and makes nothing", async () => {
    await world.host.close({ remove: true });
    await world.restart();
    await world.host.recover([one, two], []);
    assert.deepEqual(world.left(), []);
  });

  test("forwarding is turned on, the machine becomes no router by it, and it is turned off again", async () => {
    await world.host.close({ remove: true });
    sh(
      "ip link add other type veth peer name far netns $PPID 2>/dev/null || ip link add other type veth peer name far",
    );
    sh("ip link set other up; ip addr add 198.51.100.1/24 dev other");
    sh("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
    sh("sysctl -qw net.ipv6.conf.eth0.accept_ra=1");
    await world.restart();
    await world.start("a", [connection("a", one, 10)]);
    assert.equal(sh("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding"), "1\n1");
    assert.equal(sh("sysctl -n net.ipv6.conf.eth0.accept_ra"), "2");
    assert.equal(sh(`sysctl -n net.ipv6.conf.br-${one.id.slice(0, 12)}.accept_ra`), "0");
    assert.match(world.elements("unforwarded4"), /"eth0" \. "other"/);
    assert.match(world.elements("unforwarded6"), /"other" \. "eth0"/);
    await world.restart();
    await world.clear();
    await world.host.recover([], []);
    await world.host.close({ remove: true });
    assert.equal(sh("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding"), "0\n0");
    sh("ip link del other");
    assert.deepEqual(world.left(), []);
  });

  test("other tables that drop what we forward are named, with a remedy", async () => {
    await world.restart();
    assert.deepEqual(await world.host.warnings(), []);
    sh("nft add table ip filter '{ chain FORWARD { type filter hook forward priority filter; policy drop; }; }'");
    const [warning, ...others] = await world.host.warnings();
    assert.match(warning ?? "", /"ip filter FORWARD" drops forwarded packets.*iptables/);
    assert.deepEqual(others, []);
    sh("nft delete table ip filter");
  });

  test("what the machine uses is known, apart from our own bridges", async () => {
    await world.start("a", [connection("a", one, 10)]);
    sh("ip route add 10.50.0.0/16 via 192.0.2.1");
    const used = await world.host.usedRanges();
    assert.ok(
      used.some(({ range, viaGateway }) => range === "10.50.0.0/16" && viaGateway),
      JSON.stringify(used),
    );
    assert.ok(used.some(({ range, link }) => range === "192.0.2.2/24" && link === "eth0"));
    assert.ok(!used.some(({ range }) => range.startsWith("10.81.1")), JSON.stringify(used));
  });
});
