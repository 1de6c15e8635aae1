import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually, runProgram } from "../support/process.ts";
import { patience, requires } from "../support/requires.ts";
import { image, stateOf, uplink } from "../support/uplink.ts";

const net = world();
const { machine, outside } = uplink;
const runnable = net.machine.engine === "sampan" ? requires("docker", "ip", "nft", "cc") : { skip: "not dockerd's" };

/** Traffic of one connection for some time: echoes, and the longest pause between two of them in ms. */
async function stream(who: string, target: string, milliseconds: number): Promise<{ echoes: number; pause: number }> {
  const said = await net.stream(who, target, milliseconds);
  const found = /= (\d+) echoes, longest pause (\d+) ms/.exec(said);
  assert.ok(found, said);
  return { echoes: Number(found[1]), pause: Number(found[2]) };
}

/** Everything a daemon may not lose: who answers where. */
async function everything(): Promise<Record<string, string>> {
  const published = [`tcp:${machine.v4}:8080`, `udp:${machine.v4}:8080`, `tcp:${machine.v6}:8080`];
  const inside = ["tcp:web:7000", "tcp:www:7000", `tcp:${outside.v4}:7000`, "tcp:far:7000"];
  return {
    ...(await net.ask("outside", published)),
    ...(await net.ask("machine", ["tcp:127.0.0.1:8080", "tcp:10.87.1.10:7000"])),
    ...(await net.ask("db", inside)),
  };
}

/** The machine's network as it is, but for what comes and goes: sorted lines of links, addresses, routes, rules. */
async function kernelSide(): Promise<string> {
  const rules = await net.machine.namespace.ok("nft", "list", "ruleset");
  return `${(await stateOf(net.machine.namespace)).join("\n")}\n${rules.replace(/ expires \S+/g, "")}`;
}

suite("networks survive the daemon", runnable, () => {
  before(async () => {
    await net.ok("network", "create", "--subnet", "10.87.1.0/24", "--ipv6", "--subnet", "fd00:87:1::/64", "front");
    await net.ok("network", "create", "--subnet", "10.87.2.0/24", "back");
    const web = ["--network", "front", "--network-alias", "www", "--ip", "10.87.1.10", "--ip6", "fd00:87:1::10"];
    await net.serve("web", [...web, "-p", "8080:7000", "-p", "8080:7000/udp"]);
    await net.serve("db", ["--network", "front", "--add-host", "far:10.87.1.10"]);
    await net.ok("network", "connect", "back", "db");
    await net.serve("plain", ["-p", "127.0.0.1:8081:7000"]);
  });

  test("kill -9: traffic goes on meanwhile, and after the new daemon has come", async () => {
    const time = 4000 * Math.min(patience, 4);
    const rulesBefore = await kernelSide();
    const streams = Promise.all([
      stream("outside", `tcp:${machine.v4}:8080`, time),
      stream("machine", "tcp:127.0.0.1:8080", time),
      stream("machine", "tcp:127.0.0.1:8081", time),
      stream("machine", "tcp:10.87.1.10:7000", time),
    ]);
    const expected = await everything();
    assert.deepEqual(
      Object.entries(expected).filter(([, said]) => !/^(web|outside) /.test(said)),
      [],
      "all answer to begin with",
    );
    await net.machine.kill();
    const silent = [`tcp:${machine.v4}:8080`, `udp:${machine.v4}:8080`, `tcp:${machine.v6}:8080`];
    for (const [target, said] of Object.entries(await net.ask("outside", silent))) assert.match(said, /^web /, target);
    await net.machine.start();
    assert.deepEqual(await everything(), expected, "after the new daemon has come");
    assert.equal(await kernelSide(), rulesBefore, "links and rules are as they were");
    for (const { echoes, pause } of await streams) {
      assert.ok(echoes > 100 && pause < 1000 * patience, `${echoes} echoes, longest pause ${pause} ms`);
    }
  });

  test("addresses and ports of containers that run are still theirs", async () => {
    await net.fails(/port is already allocated/, "run", "--rm", "-p", "8080:7000", image, "true");
    await net.fails(
      /address already in use/i,
      "run",
      "--rm",
      "--network",
      "front",
      "--ip",
      "10.87.1.10",
      image,
      "true",
    );
    await net.serve("late", ["--network", "front"]);
    const taken = await Promise.all(["web", "db"].map((name) => net.address(name, "front")));
    assert.ok(!taken.includes(await net.address("late", "front")));
    assert.match((await net.answer("late", "tcp:www:7000")) ?? "", /^web /);
    assert.match((await net.answer("db", "tcp:late:7000")) ?? "", /^late /);
    await net.ok("rm", "-f", "late");
  });

  test("what ended while no daemon ran gives back its ports, addresses and names", async () => {
    const pid = Number(await net.inspect("web", "{{.State.Pid}}"));
    await net.machine.kill();
    process.kill(pid, "SIGKILL");
    await eventually("it has ended", () =>
      runProgram("test", ["-e", `/proc/${pid}`]).then(({ status }) => status !== 0),
    );
    await net.machine.start();
    assert.notEqual((await net.answer("db", "tcp:www:7000", 600))?.split(" ")[0], "web");
    await net.serve("heir", ["--network", "back", "-p", "8080:7000"]);
    assert.match((await net.answer("outside", `tcp:${machine.v4}:8080`)) ?? "", /^heir /);
    await net.ok("rm", "-f", "heir");
    await net.ok("start", "web");
    await net.serves("web");
    assert.match((await net.answer("outside", `tcp:${machine.v4}:8080`)) ?? "", /^web /);
  });

  test("connect, disconnect and removal of what an earlier daemon made", async () => {
    await net.machine.crash();
    await net.ok("network", "disconnect", "front", "db");
    assert.equal(await net.answer("db", "tcp:10.87.1.10:7000", 600), "timeout");
    await net.ok("network", "connect", "front", "db");
    assert.match((await net.answer("db", "tcp:web:7000")) ?? "", /^web /);
    await net.machine.crash();
    await net.ok("rm", "-f", "web", "db", "plain");
    assert.notEqual((await net.answer("outside", `tcp:${machine.v4}:8080`, 600))?.split(" ")[0], "web");
    await net.ok("network", "rm", "front", "back");
  });
});
