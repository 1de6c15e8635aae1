import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultNetworking, type NetworkingOptions } from "../../network/options.ts";
import { parseOptions } from "./options.ts";

function networking(...argv: string[]): NetworkingOptions | undefined {
  return parseOptions(argv)?.networking;
}

/** The options that were said, without those that were not. */
function said(options: NetworkingOptions | undefined): object {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}

test("nothing said is the default", () => {
  assert.deepEqual(said(networking()), defaultNetworking);
});

test("everything that can be said", () => {
  const argv = [
    ["--bip", "172.20.0.1/16"],
    ["--bip6=fd00::1/64"],
    ["--fixed-cidr", "172.20.1.0/24"],
    ["--fixed-cidr-v6", "fd00::/80"],
    [
      "--ipv6",
      "--icc=false",
      "--ip-forward=0",
      "--publish-policy",
      "input",
      "--ip-masq",
      "--mtu",
      "1400",
      "--ip",
      "127.0.0.1",
    ],
    ["--default-address-pool", "base=10.10.0.0/16,size=24", "--default-address-pool", "size=64,base=fd01::/48"],
    ["--host-gateway-ip", "10.0.0.1,fd00::9"],
    ["--dns", "1.1.1.1", "--dns", "::1", "--dns-opt", "ndots:1", "--dns-search", "example.com"],
    ["--default-network-opt", "bridge=com.docker.network.driver.mtu=1234"],
    ["--default-network-opt", "bridge=a=b=c"],
  ].flat();
  assert.deepEqual(said(networking(...argv)), {
    bip: "172.20.0.1/16",
    bip6: "fd00::1/64",
    fixedCidr: "172.20.1.0/24",
    fixedCidrV6: "fd00::/80",
    ipv6: true,
    icc: false,
    ipForward: false,
    publishPolicy: "input",
    ipMasquerade: true,
    mtu: 1400,
    ip: "127.0.0.1",
    defaultAddressPools: [
      { base: "10.10.0.0/16", size: 24 },
      { base: "fd01::/48", size: 64 },
    ],
    hostGatewayIps: ["10.0.0.1", "fd00::9"],
    dns: ["1.1.1.1", "::1"],
    dnsOptions: ["ndots:1"],
    dnsSearch: ["example.com"],
    defaultNetworkOptions: { bridge: { "com.docker.network.driver.mtu": "1234", a: "b=c" } },
  });
  assert.equal(networking("-b", "none")?.bridge, "none");
});

const refused: readonly (readonly [argv: readonly string[], message: RegExp])[] = [
  [["--bip", "172.20.0.1"], /invalid argument "172\.20\.0\.1" for "--bip" flag: invalid CIDR address/],
  [["--bip", "fd00::1/64"], /not an IPv4 network/],
  [["--fixed-cidr-v6", "10.0.0.0/8"], /not an IPv6 network/],
  [["--bip", "10.0.0.1/33"], /invalid CIDR address/],
  [["--bip", "10.0.0.1/8", "--bridge", "br0"], /-b & --bip, mutually exclusive/],
  [["--ip", "here"], /invalid argument "here" for "--ip" flag: failed to parse IP/],
  [["--dns", "dns.example"], /for "--dns" flag/],
  [["--mtu", "12"], /for "--mtu" flag: wanted a number of bytes/],
  [["--mtu", "big"], /for "--mtu" flag/],
  [["--icc=perhaps"], /invalid argument "perhaps" for "--icc" flag: wanted true or false/],
  [["--default-address-pool", "10.0.0.0/8"], /invalid field '10\.0\.0\.0\/8' must be a key=value pair/],
  [["--default-address-pool", "base=10.0.0.0/8,count=2"], /unexpected key 'count' in 'count=2'/],
  [["--default-address-pool", "base=10.0.0.0/16,size=8"], /invalid pool size 8: wanted a number of bits from 16 to 32/],
  [["--default-address-pool", "base=10.0.0.0/16"], /invalid pool size/],
  [["--host-gateway-ip", "10.0.0.1", "--host-gateway-ip", "10.0.0.2"], /only one IPv4 host gateway IP address/],
  [["--default-network-opt", "bridge"], /wanted DRIVER=OPTION=VALUE/],
];

for (const [argv, message] of refused) {
  test(`${argv.join(" ")} is refused`, () => assert.throws(() => networking(...argv), message));
}
