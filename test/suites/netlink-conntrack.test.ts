import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeFlows, deleteFlow, dumpFlows, type FlowFilter } from "../../src/kernel/netlink/conntrack/index.ts";
import * as nft from "../../src/kernel/netlink/nftables/index.ts";
import { batch, setLink } from "../../src/kernel/netlink/route/index.ts";
import { testExecutor } from "../support/helper.ts";
import { type NetworkNamespace, networkNamespace } from "../support/netlink.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const { executor } = testExecutor();
const table = { family: "inet", name: "test" } as const;

/** A namespace whose connections are tracked, with the UDP ones to 127.0.0.2:53 led to 127.0.0.3:5353, and some flows. */
async function tracked(): Promise<NetworkNamespace> {
  const where = await networkNamespace(executor);
  const names: nft.NftSet = {
    name: "names",
    key: [nft.types.ipv4_addr, nft.types.inet_service],
    value: [nft.types.ipv4_addr, nft.types.inet_service],
  };
  await where.send([setLink(1, { up: true })]);
  await where.sendNetfilter(
    nft.transaction([
      nft.addTable(table),
      nft.addSet(table, names),
      ...nft.addElements(table, names, [{ key: ["127.0.0.2", 53], value: ["127.0.0.3", 5353] }]),
      nft.addChain(table, "out", { type: "nat", hook: "output", priority: nft.priorities.dstnat }),
      nft.addRule(table, "out", [nft.setConnectionMark(9)]),
      nft.addRule(table, "out", [nft.dnatTo([nft.payload.ipv4.daddr, nft.payload.udp.dport], names)]),
    ]),
  );
  for (const target of ["127.0.0.2/53", "127.0.0.2/54", "127.0.0.7/99", "::1/53"])
    where.run("bash", "-c", `echo >/dev/udp/${target}`);
  return where;
}

describe("conntrack messages", { ...requires("bash", "nsenter"), ...requiresRoot() }, () => {
  test("connections are read with their translation, and filtered by the kernel", async () => {
    using where = await tracked();
    const ask = async (filter?: FlowFilter) => decodeFlows(await where.queryNetfilter(dumpFlows(filter)), filter);
    assert.equal((await ask()).length, 4);
    const [flow, ...more] = await ask({ reply: { source: "127.0.0.3" } });
    assert.ok(flow);
    assert.deepEqual(more, []);
    assert.equal(flow.original.destination, "127.0.0.2");
    assert.equal(flow.original.destinationPort, 53);
    assert.deepEqual([flow.reply.sourcePort, flow.reply.protocol, flow.mark], [5353, 17, 9]);
    assert.equal(flow.status & 32, 32, "IPS_DST_NAT");
    const destinations = async (filter: FlowFilter) =>
      (await ask(filter)).map(({ original }) => `${original.destination} ${original.destinationPort}`).toSorted();
    assert.deepEqual(await destinations({ original: { destination: "127.0.0.2" } }), ["127.0.0.2 53", "127.0.0.2 54"]);
    assert.deepEqual(
      await destinations({ original: { destination: "127.0.0.2", protocol: 17, destinationPort: 54 } }),
      ["127.0.0.2 54"],
    );
    assert.deepEqual(await destinations({ original: { destination: "127.0.0.2", destinationPort: 54 } }), [
      "127.0.0.2 54",
    ]);
    assert.deepEqual(await destinations({ original: { protocol: 17, destinationPort: 53 } }), [
      "127.0.0.2 53",
      "::1 53",
    ]);
    assert.deepEqual(await destinations({ original: { source: "0:0::1" } }), ["::1 53"]);
    assert.deepEqual(await destinations({ original: { source: "::1", protocol: 17, destinationPort: 53 } }), [
      "::1 53",
    ]);
    assert.deepEqual(await destinations({ original: { source: "::1", protocol: 6 } }), []);
    assert.deepEqual(await destinations({ reply: { source: "10.0.0.1" } }), []);
  });

  test("some of them are deleted, the others stay; one that is gone is ENOENT", async () => {
    using where = await tracked();
    const filter = { original: { destination: "127.0.0.2" } };
    const flows = decodeFlows(await where.queryNetfilter(dumpFlows(filter)), filter);
    await where.sendNetfilter(batch(flows.map(deleteFlow)));
    const left = decodeFlows(await where.queryNetfilter(dumpFlows()));
    assert.deepEqual(left.map(({ original }) => original.destination).toSorted(), ["127.0.0.7", "::1"]);
    await where.sendNetfilter(batch(left.filter(({ family }) => family === 10).map(deleteFlow)));
    assert.equal(decodeFlows(await where.queryNetfilter(dumpFlows())).length, 1);
    await assert.rejects(where.sendNetfilter(batch(flows.map(deleteFlow))), { errno: "ENOENT" });
  });
});
