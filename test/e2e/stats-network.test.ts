import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { requires } from "../support/requires.ts";

const net = world();
const columns = ["stats", "--no-stream", "--format", "{{.Name}} {{.NetIO}}"];

/** Bytes received and sent, as docker's command line shows them. */
async function traffic(container: string): Promise<readonly [received: number, sent: number]> {
  const [, , received, sent] = /^(\S+) ([\d.]+\w+) \/ ([\d.]+\w+)$/.exec(await net.ok(...columns, container)) ?? [];
  return [bytes(received), bytes(sent)];
}

function bytes(text = ""): number {
  const unit = text.replace(/[\d.]/g, "");
  return Number.parseFloat(text) * (unit === "MB" ? 1e6 : unit === "kB" ? 1e3 : 1);
}

suite("what containers send is counted", requires("docker", "ip", "nft", "cc", "busybox"), () => {
  before(async () => {
    await net.ok("network", "create", "--subnet", "10.87.1.0/24", "alpha");
    await net.serve("peer", ["--network", "alpha"]);
    await net.serve("talks", ["--network", "alpha"]);
  });

  test("of their own network's links; one that shares a network shows the same, one without none", async () => {
    const before = await traffic("talks");
    await net.sh("talks", "ping -c 20 -i 0.01 -s 10000 -q peer || ping -c 20 -s 10000 -q -A peer");
    const after = await traffic("talks");
    for (const index of [0, 1] as const) {
      const more = after[index] - before[index];
      assert.ok(more > 190_000 && more < 300_000, `${before} ${after}`);
    }
    await net.ok("run", "-d", "--name", "shares", "--network", "container:talks", "probe", "sleep", "1000");
    assert.ok((await traffic("shares"))[0] >= after[0]);
    await net.ok("run", "-d", "--name", "alone", "--network", "none", "probe", "sleep", "1000");
    await net.ok("run", "-d", "--name", "host", "--network", "host", "probe", "sleep", "1000");
    assert.deepEqual([await traffic("alone"), await traffic("host")].flat(), [0, 0, 0, 0]);
    await net.clear();
  });
});
