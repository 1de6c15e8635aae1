import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";

const net = world("--icc=false");
const notDockerd = (why: string) => (net.machine.engine === "sampan" ? {} : { skip: why });

/** Who answers somebody at ports of an address: a name, or undefined. */
async function at(who: string, address: string, ...ports: string[]): Promise<(string | undefined)[]> {
  const targets = ports.map((port) => `${port.split("/")[1]}:${address}:${port.split("/")[0]}`);
  const answers = await net.ask(who, targets, 1000);
  return targets.map((target) => /^(\S+) [0-9a-f.:]+$/.exec(answers[target] ?? "")?.[1]);
}

suite("links where containers are kept apart (--icc=false)", requires("docker", "ip", "nft", "cc", "busybox"), () => {
  test("lead to the ports that the other exposes, and nobody else there", async () => {
    await net.serve("data", ["--expose", "7000", "--expose", "7001/udp"], [7000, 7001]);
    await net.serve("asker", ["--link", "data:db", "--link", "data"]);
    await net.serve("stranger");
    const address = await net.address("data", "bridge");
    assert.deepEqual(await at("asker", "db", "7000/tcp", "7001/udp"), ["data", "data"]);
    assert.equal(await net.answer("asker", "tcp:db:7000"), `data ${await net.address("asker", "bridge")}`);
    assert.deepEqual(await at("asker", address, "7001/tcp", "7000/udp"), [undefined, undefined]);
    assert.deepEqual(await at("stranger", address, "7000/tcp", "7001/udp"), [undefined, undefined]);
    assert.deepEqual(await at("data", await net.address("asker", "bridge"), "7000/tcp"), [undefined], "one way only");
    await net.clear();
  });

  const stays = notDockerd("it leaves the port open at the old address");
  test("follow who is linked to, and leave his address to its next owner", stays, async () => {
    await net.serve("data", ["--expose", "7000"]);
    await net.serve("asker", ["--link", "data:db"]);
    const before = await net.address("data", "bridge");
    await net.ok("stop", "-t", "0", "data");
    await net.serve("squatter", ["--expose", "7000"]);
    assert.equal(await net.address("squatter", "bridge"), before);
    assert.deepEqual(await at("asker", before, "7000/tcp"), [undefined]);
    await net.ok("start", "data");
    await eventually("it is reached again", async () => (await at("asker", "db", "7000/tcp"))[0] === "data");
    assert.deepEqual(await at("asker", before, "7000/tcp"), [undefined]);
    await net.clear();
  });

  test("are as they were after the daemon was killed", notDockerd("its machine does not outlive it"), async () => {
    await net.serve("data", ["--expose", "7000"]);
    await net.serve("asker", ["--link", "data:db"]);
    await net.serve("stranger");
    await net.machine.crash();
    assert.deepEqual(await at("asker", "db", "7000/tcp"), ["data"]);
    const address = await net.address("data", "bridge");
    assert.deepEqual(await at("stranger", address, "7000/tcp"), [undefined]);
    await net.ok("network", "disconnect", "bridge", "data");
    await net.ok("network", "connect", "bridge", "data");
    await eventually("it is reached again", async () => (await at("asker", "db", "7000/tcp"))[0] === "data");
    await net.ok("network", "disconnect", "bridge", "asker");
    const elements = await net.machine.namespace.ok("nft", "list", "ruleset");
    assert.doesNotMatch(elements.slice(elements.indexOf("set linked4")).split("}")[0] ?? "", /elements/);
    await net.ok("network", "connect", "bridge", "asker");
    assert.deepEqual(await at("asker", "db", "7000/tcp"), ["data"]);
    await net.ok("rm", "-f", "asker");
    const after = await net.machine.namespace.ok("nft", "list", "ruleset");
    assert.doesNotMatch(after.slice(after.indexOf("set linked4")).split("}")[0] ?? "", /elements/);
    await net.clear();
  });
});
