import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { image, uplink } from "../support/uplink.ts";

const net = world();
const { machine, outside } = uplink;
const runnable = net.machine.engine === "sampan" ? requires("docker", "ip", "nft", "cc") : { skip: "not dockerd's" };

/** A second address of the host outside, which names lead to as well: see `probe dns`. */
const other = "192.0.2.3";

/** A container that answers at port 7000, with a policy; `options` are those of `sampan run`. */
async function start(name: string, ...options: string[]): Promise<void> {
  const command = ["probe", "serve", name, "7000"];
  await net.machine.sampan("run", "-d", "--name", name, "--network", "lan", ...options, image, ...command);
  await net.serves(name);
}

/** Those of the targets at which `who` hears something. */
async function heard(who: string, ...targets: string[]): Promise<string[]> {
  const answers = await net.ask(who, targets, 500);
  return targets.filter((target) => /^\S+ [0-9a-f:.]+$|^reply$/.test(answers[target] ?? ""));
}

const direct = [`tcp:${outside.v4}:7000`, `udp:${outside.v4}:7000`, `icmp:${outside.v4}`];
const direct6 = [`tcp:${outside.v6}:7000`, `udp:${outside.v6}:7000`, `icmp:${outside.v6}`];
const to = (name: string, port = 7000) => `tcp:${name}:${port}`;

suite("egress policies", runnable, () => {
  before(async () => {
    await net.machine.outside.ok("ip", "addr", "add", `${other}/24`, "dev", "uplink");
    await net.ok("network", "create", "--subnet", "10.91.0.0/24", "--ipv6", "--subnet", "fd00:91::/64", "lan");
    await net.serve("free", ["--network", "lan"]);
  });

  test("deny: nothing outside, by no protocol and family; neighbours and published ports go on", async () => {
    await start("shut", "--egress", "deny", "-p", "8080:7000");
    assert.deepEqual(await heard("shut", ...direct, ...direct6, to("a192-0-2-1.any.test")), []);
    assert.deepEqual(await heard("shut", to("free")), [to("free")]);
    assert.deepEqual(await heard("outside", to(machine.v4, 8080)), [to(machine.v4, 8080)]);
    assert.deepEqual(await heard("free", ...direct, ...direct6), [...direct, ...direct6], "others are not concerned");
  });

  test("what was tried is told, in the log and as events", async () => {
    const log = async () => await net.machine.sampan("egress", "log", "shut");
    await eventually("the log names the address and the name", async () => {
      const text = await log();
      return text.includes(outside.v4) && text.includes("any.test");
    });
    const filters = ["--since", "1h", "--until", "0s", "--filter", "type=network", "--filter", "event=egress"];
    await eventually("an event names the address", async () => {
      const events = await net.ok("events", ...filters, "--format", "{{.Actor.Attributes.destination}}");
      return events.split("\n").includes(outside.v4);
    });
    await net.ok("rm", "-f", "shut");
  });

  test("an address with a port: that, and nothing else of it", async () => {
    await start("narrow", "--egress", `allow=${outside.v4}:7000`);
    assert.deepEqual(await heard("narrow", ...direct, to(other), ...direct6), direct.slice(0, 2));
    await net.ok("rm", "-f", "narrow");
  });

  test("names open what they lead to, when they have been asked for", async () => {
    await start("named", "--egress", "allow=a192-0-2-1.good.test:7000,*.wide.test");
    assert.deepEqual(await heard("named", to(outside.v4)), [], "not before");
    assert.deepEqual(await heard("named", to("a192-0-2-1.good.test")), [to("a192-0-2-1.good.test")]);
    assert.deepEqual(await heard("named", to("a192-0-2-3.good.test"), to("a192-0-2-3.evil.test")), [], "other names");
    assert.deepEqual(await heard("named", to(other)), []);
    assert.deepEqual(await heard("named", to("a192-0-2-3.wide.test")), [to("a192-0-2-3.wide.test")]);
    await net.ok("rm", "-f", "named");
  });

  test("bypasses: other resolvers, DNS by TCP, IPv6, aliases to elsewhere, names that claim to last", async () => {
    await start("sly", "--egress", "allow=*.good.test:7000");
    const resolvers = [`udp:${outside.v4}:53`, `tcp:${outside.v4}:53`, `udp:${outside.v6}:53`];
    assert.deepEqual(await heard("sly", ...resolvers, ...direct6), []);
    const asked = async (name: string, server: string) =>
      (await net.docker(["exec", "sly", "timeout", "2", "nslookup", "-type=a", name, server])).stdout;
    assert.doesNotMatch(await asked("a192-0-2-3.good.test", outside.v4), /192\.0\.2\.3/, "nobody else's answers");
    assert.deepEqual(await heard("sly", to(other)), []);
    // an alias of an allowed name counts as that name; the name behind it by itself does not
    assert.deepEqual(await heard("sly", to("c192-0-2-3.good.test")), [to("c192-0-2-3.good.test")]);
    assert.deepEqual(await heard("sly", to("alias.another.test")), []);
    assert.deepEqual(await heard("sly", to("l192-0-2-1.good.test")), [to("l192-0-2-1.good.test")]);
    await net.ok("rm", "-f", "sly");
  });

  test("a network's policy is that of all on it, and a container's may be narrower", async () => {
    const create = ["network", "create", "--egress", `allow=${outside.v4},${other}`, "guarded"];
    await net.machine.sampan(...create);
    const run = ["run", "-d", "--network", "guarded"];
    await net.machine.sampan(...run, "--name", "g1", image, "sleep", "1000");
    await net.machine.sampan(...run, "--name", "g2", "--egress", `allow=${other}`, image, "sleep", "1000");
    assert.deepEqual(await heard("g1", to(outside.v4), to(other), ...direct6), [to(outside.v4), to(other)]);
    assert.deepEqual(await heard("g2", to(outside.v4), to(other)), [to(other)]);
    await net.ok("rm", "-f", "g1", "g2");
    await net.ok("network", "rm", "guarded");
  });

  test("nft flush ruleset: policies hold again in a moment", async () => {
    await start("shut", "--egress", "deny");
    await net.machine.namespace.ok("nft", "flush", "ruleset");
    await eventually("the tables are there again", async () =>
      /bridge sampan\S*-egress/.test(await net.machine.namespace.ok("nft", "list", "tables")),
    );
    assert.deepEqual(await heard("shut", ...direct, ...direct6), []);
    await eventually("others reach the world", async () => (await heard("free", ...direct)).length === direct.length);
    await net.ok("rm", "-f", "shut");
  });

  test("kill -9: it holds while no daemon runs and after, and names open again", async () => {
    await start("kept", "--egress", "allow=a192-0-2-1.good.test:7000");
    assert.equal((await heard("kept", to("a192-0-2-1.good.test"))).length, 1);
    const pid = await net.inspect("kept", "{{.State.Pid}}");
    const within = (...args: string[]) =>
      net.machine.namespace.ok("nsenter", "-t", pid, "-n", net.machine.probe, ...args);
    const connection = within("stream", "3000", to(outside.v4));
    await net.machine.kill();
    assert.match(await within("ask", "500", to(other)), /timeout|unreachable|refused/);
    await net.machine.start();
    assert.match(await connection, / echoes, /, "connections go on");
    assert.deepEqual(await heard("kept", to(other), ...direct6), []);
    assert.equal((await heard("kept", to("a192-0-2-1.good.test"))).length, 1);
    await net.ok("rm", "-f", "kept");
  });
});
