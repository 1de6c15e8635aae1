import assert from "node:assert/strict";
import { test } from "node:test";
import { type IpamFlags, ipamConfigs } from "./ipam.ts";

function configs(flags: Partial<IpamFlags>) {
  return ipamConfigs({ subnets: [], ranges: [], gateways: [], auxiliary: [], ...flags });
}

test("everything finds its subnet", () => {
  assert.deepEqual(configs({}), []);
  assert.deepEqual(
    configs({
      subnets: ["10.0.0.0/16", "fd00::/64"],
      gateways: ["fd00::1", "10.0.0.1"],
      ranges: ["10.0.1.0/24"],
      auxiliary: [
        ["a", "10.0.0.5"],
        ["b", "fd00::5"],
        ["c", "10.0.0.6"],
      ],
    }),
    [
      {
        Subnet: "10.0.0.0/16",
        IPRange: "10.0.1.0/24",
        Gateway: "10.0.0.1",
        AuxiliaryAddresses: { a: "10.0.0.5", c: "10.0.0.6" },
      },
      { Subnet: "fd00::/64", Gateway: "fd00::1", AuxiliaryAddresses: { b: "fd00::5" } },
    ],
  );
  assert.deepEqual(configs({ subnets: ["for the daemon to refuse"] }), [{ Subnet: "for the daemon to refuse" }]);
});

const subnets = ["10.0.0.0/16"];
const refused: readonly (readonly [flags: Partial<IpamFlags>, message: RegExp])[] = [
  [{ gateways: ["10.0.0.1"] }, /every ip-range or gateway must have a corresponding subnet/],
  [{ ranges: ["10.0.0.0/24"] }, /every ip-range or gateway must have a corresponding subnet/],
  [{ auxiliary: [["a", "10.0.0.1"]] }, /no matching subnet for aux-address 10\.0\.0\.1/],
  [{ subnets, gateways: ["10.1.0.1"] }, /no matching subnet for gateway 10\.1\.0\.1/],
  [{ subnets, gateways: ["foo"] }, /no matching subnet for gateway foo/],
  [{ subnets, ranges: ["10.1.0.0/24"] }, /no matching subnet for range 10\.1\.0\.0\/24/],
  [{ subnets, ranges: ["foo"] }, /invalid CIDR address: foo/],
  [{ subnets: ["10.0.0.0/16", "10.0.1.0/24"] }, /multiple overlapping subnet configuration is not supported/],
  [{ subnets: ["10.0.1.0/24", "10.0.0.0/16"] }, /multiple overlapping subnet/],
  [{ subnets: [...subnets, "10.1.0.0/16"], gateways: ["10.0.0.1", "10.0.0.2"] }, /cannot configure multiple gateways/],
  [
    { subnets: [...subnets, "10.1.0.0/16"], ranges: ["10.0.0.0/24", "10.0.1.0/24"] },
    /cannot configure multiple ranges/,
  ],
];

for (const [flags, message] of refused) {
  test(`refuses ${JSON.stringify(flags)}`, () => assert.throws(() => configs(flags), message));
}
