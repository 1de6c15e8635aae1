import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNetwork } from "../parsing/network.ts";
import { type EndpointFlags, joinNetworks } from "./endpoints.ts";

const none: EndpointFlags = {
  aliases: [],
  links: [],
  ip: undefined,
  ip6: undefined,
  linkLocalIps: [],
  macAddress: undefined,
};

function join(networks: readonly string[], flags: Partial<EndpointFlags> = {}) {
  return joinNetworks(networks.map(parseNetwork), { ...none, ...flags });
}

test("of one network without wishes the mode says everything", () => {
  assert.deepEqual(join([]), { networkMode: "default", networking: undefined });
  assert.deepEqual(join(["front"]), { networkMode: "front", networking: undefined });
  assert.deepEqual(join(["container:x"]), { networkMode: "container:x", networking: undefined });
});

test("the flags belong to the first network", () => {
  const flags = { aliases: ["a"], links: ["db:d"], ip: "10.0.0.5", ip6: "fd00::5", macAddress: "02:42:ac:11:00:09" };
  assert.deepEqual(join(["front", "name=back,gw-priority=1"], flags), {
    networkMode: "front",
    networking: {
      EndpointsConfig: {
        front: {
          IPAMConfig: { IPv4Address: "10.0.0.5", IPv6Address: "fd00::5" },
          Links: ["db:d"],
          Aliases: ["a"],
          MacAddress: "02:42:ac:11:00:09",
        },
        back: { GwPriority: 1 },
      },
    },
  });
  assert.deepEqual(join([], { ip: "172.17.0.9" }).networking, {
    EndpointsConfig: { default: { IPAMConfig: { IPv4Address: "172.17.0.9" } } },
  });
});

test("links of the default bridge are the container's own matter", () => {
  assert.equal(join([], { links: ["db:d"] }).networking, undefined);
});

const refused: readonly (readonly [networks: readonly string[], flags: Partial<EndpointFlags>, message: RegExp])[] = [
  [["front", "host"], {}, /cannot attach both user-defined and non-user-defined network-modes/],
  [["container:x", "front"], {}, /cannot attach both/],
  [["front", "name=front"], {}, /network "front" is specified multiple times/],
  [[""], {}, /no name set for network/],
  [[], { aliases: ["a"] }, /network-scoped aliases are only supported for user-defined networks/],
  [["name=front,alias=a"], { aliases: ["b"] }, /cannot specify both --network-alias and per-network alias/],
  [["name=front,ip=10.0.0.5"], { ip: "10.0.0.6" }, /cannot specify both --ip and per-network IPv4 address/],
];

for (const [networks, flags, message] of refused) {
  test(`${JSON.stringify(networks)} with ${JSON.stringify(flags)}`, () =>
    assert.throws(() => join(networks, flags), message));
}
