import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { requires } from "../support/requires.ts";
import { image } from "../support/uplink.ts";

const net = world();

suite("ports that nobody chose", requires("ip", "nft", "cc"), () => {
  test("one that a process of the machine has is passed over; one that was asked for is an error", async () => {
    const { background } = net.machine.namespace;
    for (const port of ["32768", "32769", "9100"]) {
      await background.call(net.machine.namespace, net.machine.probe, "serve", "host", port);
    }
    await net.ok("network", "create", "--subnet", "10.84.0.0/24", "--label", "a=b", "n");
    await net.serve("any", ["--network", "n", "-p", "7000", "-p", "9100-9102:7000"]);
    assert.deepEqual((await net.ok("port", "any")).split("\n").toSorted(), [
      "7000/tcp -> 0.0.0.0:32770",
      "7000/tcp -> 0.0.0.0:9101",
    ]);
    const id = "[0-9a-f]{64}";
    const taken = new RegExp(
      `failed to set up container networking: driver failed programming external connectivity on endpoint late \\(${id}\\): ` +
        "Bind for 0\\.0\\.0\\.0:9100 failed: port is already allocated",
    );
    await net.fails(taken, "run", "--name", "late", "--network", "n", "-p", "9100:7000", image, "true");
    await net.ok("rm", "-f", "any", "late");
    await net.ok("network", "rm", "n");
  });
});
