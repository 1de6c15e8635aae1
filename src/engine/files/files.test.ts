import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { editHosts, hostsFile, machineHostsFile, parseExtraHost, readdressHosts } from "./hosts.ts";
import { asksForDots, bridgedResolvConf, machineResolvConf, namedResolvConf } from "./resolv-conf.ts";

const box = { address: "172.18.0.2", names: ["box.example.org", "box"] };

test("hosts names the container and what was added", () => {
  const text = hostsFile([{ address: "10.0.0.1", names: ["db"] }, box]);
  assert.match(text, /^127\.0\.0\.1\tlocalhost$/m);
  assert.match(text, /^10\.0\.0\.1\tdb\n172\.18\.0\.2\tbox\.example\.org box\n$/m);
});

test("with the machine's network, hosts is the machine's", () => {
  assert.equal(machineHostsFile("127.0.0.1 a", [{ address: "1.2.3.4", names: ["b"] }]), "127.0.0.1 a\n1.2.3.4\tb\n");
  assert.equal(machineHostsFile("x", []), "x");
});

test("lines come and go, and those of others stay", () => {
  const there = `${hostsFile([box])}9.9.9.9 mine\n`;
  const moved = { address: "172.19.0.7", names: box.names };
  const text = editHosts(there, { remove: [box], add: [moved] });
  assert.doesNotMatch(text, /172\.18\.0\.2/);
  assert.match(text, /^9\.9\.9\.9 mine\n172\.19\.0\.7\tbox\.example\.org box\n$/m);
  assert.equal(editHosts(text, { remove: [moved], add: [box] }), editHosts(there, { remove: [box], add: [box] }));
});

test("what is added by hand is an address, or stands for the machine", () => {
  assert.deepEqual(parseExtraHost("six=[::2]"), { name: "six", address: "::2" });
  assert.deepEqual(parseExtraHost("db:10.0.0.1"), { name: "db", address: "10.0.0.1" });
  assert.equal(parseExtraHost("me:host-gateway").address, "host-gateway");
  for (const text of ["a", "a:b", ":1.2.3.4", "a:"]) {
    assert.throws(
      () => parseExtraHost(text),
      (error) => kindOf(error) === "invalid",
    );
  }
});

const machine = "# made by x\nnameserver 1.1.1.1\nnameserver 127.0.0.53\nsearch a b\noptions ndots:1 trust-ad\n";
const nothing = { servers: [], search: [], options: [] };

test("with the machine's network, resolv.conf is the machine's, but for what was asked for", () => {
  assert.equal(machineResolvConf(machine, nothing), machine);
  assert.equal(
    machineResolvConf(machine, { servers: ["9.9.9.9"], search: ["."], options: [] }),
    "nameserver 9.9.9.9\n# made by x\noptions ndots:1 trust-ad\n",
  );
});

test("in a network of its own, resolvers at the machine's loopback are out of reach", () => {
  assert.match(bridgedResolvConf(machine, nothing), /^nameserver 1\.1\.1\.1$/m);
  assert.doesNotMatch(bridgedResolvConf(machine, nothing), /127/);
  assert.match(
    bridgedResolvConf("nameserver 127.0.0.53\n", nothing),
    /^nameserver 8\.8\.8\.8\nnameserver 8\.8\.4\.4$/m,
  );
  const asked = { ...nothing, servers: ["127.0.0.1"] };
  assert.equal(bridgedResolvConf("", asked), "nameserver 127.0.0.1\n");
});

test("with name service, it alone is asked", () => {
  const text = namedResolvConf(machine, nothing);
  assert.deepEqual(text.match(/^nameserver.*$/gm), ["nameserver 127.0.0.11"]);
  assert.match(text, /^search a b$/m);
  assert.match(text, /^options ndots:1 trust-ad$/m);
  assert.match(namedResolvConf("", nothing), /^options ndots:0$/m);
  assert.match(namedResolvConf("", { ...nothing, options: ["rotate"] }), /^options rotate ndots:0$/m);
});

test("only ndots above zero asks for dots", () => {
  assert.deepEqual([["ndots:0"], ["ndots:2"], ["rotate"], []].map(asksForDots), [false, true, false, false]);
});

test("who has other addresses keeps the place among the lines, even under another name", () => {
  const there = "1.1.1.1\tother\n1.1.1.2\tdb box old\nfd00::2\tdb box old\n1.1.1.3\tdb\nmy own\n";
  const names = ["db", "box", "new"];
  const text = readdressHosts(there, [{ address: "1.1.1.9", names }]);
  assert.equal(text, "1.1.1.1\tother\n1.1.1.9\tdb box new\n1.1.1.3\tdb\nmy own\n");
  const both = [
    { address: "1.1.1.8", names },
    { address: "fd00::8", names },
  ];
  assert.equal(readdressHosts("my own", both), "my own\n1.1.1.8\tdb box new\nfd00::8\tdb box new\n");
});
