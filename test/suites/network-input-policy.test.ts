import assert from "node:assert/strict";
import { test } from "node:test";
import { cable, connection, kernelWorld, network, ports, sh } from "../support/network-host.ts";
import { inOwnNetwork } from "../support/own-network.ts";
import { patience } from "../support/requires.ts";

const { machine: here, outside: there } = cable;

inOwnNetwork(import.meta.url, () => {
  const world = kernelWorld({ publishPolicy: "input" });
  const one = network("one", 1);
  const published = ["tcp", "udp"].flatMap((kind) => [`${kind}:${here.v4}:8080`, `${kind}:${here.v6}:8080`]);

  /** What a machine's own firewall has, as ufw's: nothing comes in that is not named. */
  function firewall(...rules: string[]): void {
    const usual = ["ct state established,related accept", "iif lo accept", "meta l4proto { icmp, icmpv6 } accept"];
    sh(`nft delete table inet theirs 2>/dev/null || true
nft add table inet theirs '{ chain input { type filter hook input priority filter; policy drop; ${[...usual, ...rules].join("; ")}; }; }'`);
  }

  async function serve() {
    const web = await world.start("web", [connection("web", one, 10)], ports("8080:80/tcp", "8080:80/udp"));
    await web.serve(80);
    return web;
  }

  test("outside gets what the input chains let in, with its own address, at once", async () => {
    await serve();
    const all = [there.v4, there.v6, there.v4, there.v6].map((from) => `web ${from}`);
    assert.deepEqual(Object.values(await world.outside.ask(...published)), all, "no firewall");
    firewall();
    assert.deepEqual(new Set(Object.values(await world.outside.ask(...published))), new Set(["timeout"]));
    firewall("tcp dport 8080 accept");
    assert.deepEqual(Object.values(await world.outside.ask(...published)), [all[0], all[1], "timeout", "timeout"]);
    firewall("udp dport 8080 accept", `ip saddr ${there.v4} tcp dport 8080 accept`);
    assert.deepEqual(Object.values(await world.outside.ask(...published)), [all[0], "timeout", all[2], all[3]]);
    firewall("tcp dport 8080 reject with tcp reset");
    assert.deepEqual(Object.values(await world.outside.ask(`tcp:${here.v4}:8080`)), ["refused"]);
    firewall("tcp dport 80 accept"); // the container's port is not the machine's
    assert.deepEqual(Object.values(await world.outside.ask(`tcp:${here.v4}:8080`)), ["timeout"]);
  });

  test("connections are asked about when they begin, and go on", async () => {
    await serve();
    firewall("ct state new tcp dport 8080 limit rate over 2/minute burst 2 packets drop", "tcp dport 8080 accept");
    const stream = world.outside.sh(`${world.probe} stream 800 tcp:${here.v4}:8080 tcp:${here.v6}:8080`);
    for (const line of stream.split("\n"))
      assert.match(line, patience > 1 ? /= [1-9]\d* echoes/ : /= 1\d\d echoes, longest pause \d\d? ms/);
    assert.deepEqual(Object.values(await world.outside.ask(`tcp:${here.v4}:8080`)), ["timeout"]);
  });

  test("the machine and its containers get through whatever the input chains say", async () => {
    const web = await serve();
    firewall();
    const machine = await world.ask("tcp:127.0.0.1:8080", ...published);
    assert.deepEqual(
      Object.values(machine),
      ["10.81.1.1", here.v4, here.v6, here.v4, here.v6].map((from) => `web ${from}`),
    );
    for (const said of Object.values(await web.ask(...published))) assert.match(said, /^web /);
  });

  test("senders are checked as laxly as it takes where the machine is strict", async () => {
    await serve();
    sh("nft delete table inet theirs; sysctl -qw net.ipv4.conf.all.rp_filter=1");
    assert.deepEqual(Object.values(await world.outside.ask(`tcp:${here.v4}:8080`)), [`web ${there.v4}`]);
  });

  test("a daemon that starts again finds its link, one with another policy takes it away", async () => {
    const web = await serve();
    const before = sh(`nft -a list ruleset; ip -o link`);
    await world.restart();
    await world.host.recover([one], [web.networking]);
    assert.equal(sh(`nft -a list ruleset; ip -o link`), before);
    await world.clear();
    await world.host.close({ remove: true });
    assert.deepEqual(world.left(), []);
    await world.restart();
  });
});
