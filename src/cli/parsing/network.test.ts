import assert from "node:assert/strict";
import { test } from "node:test";
import { parseByteRate, parseDeviceRule, parseDeviceWeight, parseOperationRate } from "./block-device.ts";
import {
  isUserDefined,
  parseDns,
  parseDnsSearch,
  parseExtraHost,
  parseLink,
  parseMacAddress,
  parseNetwork,
} from "./network.ts";
import { parseRestart } from "./restart.ts";
import { parseSysctl } from "./sysctl.ts";

type Parse = (text: string) => unknown;

test("a network is a name, or fields", () => {
  const plain = {
    name: "front",
    aliases: [],
    ip: undefined,
    ip6: undefined,
    linkLocalIps: [],
    macAddress: undefined,
    driverOptions: {},
    gatewayPriority: 0,
  };
  assert.deepEqual(parseNetwork("front"), plain);
  assert.deepEqual(parseNetwork("name=front"), plain);
  assert.equal(parseNetwork("container:x").name, "container:x");
  const fields = [
    ...["name=front", "alias=a", "Alias=B", "ip=10.0.0.5", "ip6=fd00::5", "mac-address=02:42:ac:11:00:09"],
    ...["driver-opt=k=v", "driver-opt=x=y=z", "gw-priority=-5", "link-local-ip=169.254.1.1"],
  ];
  assert.deepEqual(parseNetwork(fields.join(",")), {
    name: "front",
    aliases: ["a", "B"],
    ip: "10.0.0.5",
    ip6: "fd00::5",
    linkLocalIps: ["169.254.1.1"],
    macAddress: "02:42:ac:11:00:09",
    driverOptions: { k: "v", x: "y=z" },
    gatewayPriority: -5,
  });
});

test("modes that users do not make", () => {
  for (const name of ["default", "bridge", "host", "none", "container:x", ""]) assert.equal(isUserDefined(name), false);
  for (const name of ["front", "containers", "Host"]) assert.equal(isUserDefined(name), true);
});

test("--add-host takes colons and equals signs, and brackets around IPv6", () => {
  assert.equal(parseExtraHost("a:1.1.1.1"), "a:1.1.1.1");
  assert.equal(parseExtraHost("b=2.2.2.2"), "b:2.2.2.2");
  assert.equal(parseExtraHost("c:host-gateway"), "c:host-gateway");
  assert.equal(parseExtraHost("d:fd00::1"), "d:fd00::1");
  assert.equal(parseExtraHost("e=[fd00::1]"), "e:fd00::1");
});

test("rates and weights of devices", () => {
  assert.deepEqual(parseByteRate("/dev/sda:1mb"), { Path: "/dev/sda", Rate: 1 << 20 });
  assert.deepEqual(parseOperationRate("/dev/sda:100"), { Path: "/dev/sda", Rate: 100 });
  assert.deepEqual(parseDeviceWeight("/dev/sda:200"), { Path: "/dev/sda", Weight: 200 });
  assert.equal(parseDeviceRule("c *:3 mr"), "c *:3 mr");
});

test("the rest", () => {
  assert.equal(parseDns("::1"), "::1");
  assert.equal(parseDnsSearch("."), ".");
  assert.equal(parseDnsSearch("a-b.example.com"), "a-b.example.com");
  assert.equal(parseLink("db:database"), "db:database");
  assert.equal(parseMacAddress("02-42-ac-11-00-09"), "02-42-ac-11-00-09");
  assert.deepEqual(parseSysctl("net.core.somaxconn=1 2"), ["net.core.somaxconn", "1 2"]);
  assert.deepEqual(parseRestart("on-failure:5"), { Name: "on-failure", MaximumRetryCount: 5 });
  assert.deepEqual(parseRestart("always"), { Name: "always", MaximumRetryCount: 0 });
  assert.deepEqual(parseRestart(""), { Name: "no", MaximumRetryCount: 0 });
});

const refused: readonly (readonly [parse: Parse, text: string, message: RegExp])[] = [
  [parseNetwork, "alias=a", /network name\/id is not specified/],
  [parseNetwork, "name=foo,bar=1", /invalid field key bar/],
  [parseNetwork, "name=foo,alias", /invalid field alias/],
  [parseNetwork, "foo,alias=a", /invalid field foo/],
  [parseNetwork, "name=foo,gw-priority=x", /invalid gw-priority \(x\): invalid syntax/],
  [parseNetwork, "name=foo,driver-opt=x", /invalid key value pair format in driver options/],
  [parseNetwork, "name=foo,mac-address=zz", /zz is not a valid mac address/],
  [parseMacAddress, "02:42:ac:11:00", /not a valid mac address/],
  [parseMacAddress, "02:42-ac:11:00:09", /not a valid mac address/],
  [parseDns, "dns.example", /IP address is not correctly formatted: dns\.example/],
  [parseDnsSearch, "1.2.3.4", /1\.2\.3\.4 is not a valid domain/],
  [parseDnsSearch, "-foo", /-foo is not a valid domain/],
  [parseExtraHost, "foo", /bad format for add-host: "foo"/],
  [parseExtraHost, ":1.1.1.1", /bad format for add-host/],
  [parseExtraHost, "foo:", /invalid IP address in add-host: ""/],
  [parseExtraHost, "foo:host-gatewa", /invalid IP address in add-host: "host-gatewa"/],
  [parseLink, "a:b:c", /bad format for links: a:b:c/],
  [parseLink, "", /bad format for links/],
  [parseSysctl, "kernel.hostname=x", /sysctl 'kernel\.hostname=x' is not allowed/],
  [parseSysctl, "net.ipv4.ip_forward", /is not allowed/],
  [parseByteRate, "sda:1mb", /bad format for device path: sda:1mb/],
  [parseByteRate, "/dev/sda", /bad format: \/dev\/sda/],
  [parseByteRate, "/dev/sda:-1", /Unit is optional/],
  [parseOperationRate, "/dev/sda:1mb", /Number must be a positive integer/],
  [parseDeviceWeight, "/dev/sda:5", /invalid weight for device/],
  [parseDeviceRule, "c 1:3", /invalid device cgroup format/],
  [parseRestart, "on-failure:x", /maximum retry count must be an integer/],
  [parseRestart, ":3", /no policy provided before colon/],
];

for (const [parse, text, message] of refused) {
  test(`${parse.name} refuses ${JSON.stringify(text)}`, () => assert.throws(() => parse(text), message));
}
