import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeLogged, joinGroup } from "../../src/kernel/netlink/nflog/index.ts";
import * as nft from "../../src/kernel/netlink/nftables/index.ts";
import { batch, setLink } from "../../src/kernel/netlink/route/index.ts";
import { Program } from "../../src/kernel/program.ts";
import { testExecutor } from "../support/helper.ts";
import { networkNamespace } from "../support/netlink.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const { executor } = testExecutor();
const table = { family: "inet", name: "test" } as const;

describe("packets that rules log", { ...requires("bash", "nsenter"), ...requiresRoot() }, () => {
  for (const [target, destination] of [
    ["127.0.0.9/77", "127.0.0.9"],
    ["::1/77", "::1"],
  ] as const) {
    test(`come with the rule's prefix, to ${destination}`, async () => {
      using where = await networkNamespace(executor);
      await where.send([setLink(1, { up: true })]);
      const rule = [
        nft.equals(nft.payload.udp.dport, 77),
        nft.log({ prefix: "egress abc", group: 300, snapLength: 64 }),
        nft.drop,
      ];
      const chain: nft.BaseChain = { type: "filter", hook: "output", priority: nft.priorities.filter };
      await where.sendNetfilter(
        nft.transaction([nft.addTable(table), nft.addChain(table, "out", chain), nft.addRule(table, "out", rule)]),
      );
      await where.sendNetfilter(batch([joinGroup(300)]));
      // The refused datagram is what bash complains about.
      where.run("bash", "-c", `echo 2>&1 >/dev/udp/${target} | cat`);
      const p = new Program("wait for a logged packet");
      const buffer = p.buffer(4096);
      const size = p.sys("recvfrom", [where.netfilter, buffer, 4096, 0, 0, 0], { note: "wait" });
      const results = await where.session.run(p);
      const [logged, ...more] = decodeLogged(results.bytes(buffer, results.value(size)));
      assert.ok(logged?.packet);
      assert.deepEqual(more, []);
      const { sourcePort, ...packet } = logged.packet;
      assert.ok((sourcePort ?? 0) > 1023);
      assert.equal(packet.destination, destination);
      assert.deepEqual([packet.protocol, packet.destinationPort], [17, 77]);
      assert.deepEqual([logged.group, logged.prefix, logged.hook, logged.outLink], [300, "egress abc", 3, 1]);
      assert.equal(logged.uid, 0);
    });
  }
});
