import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { hostsFile, machineHostsFile, parseExtraHost } from "./hosts.ts";
import { resolvConf } from "./resolv-conf.ts";

test("hosts names the container and what was added", () => {
  const text = hostsFile("box", "example.org", ["db:10.0.0.1", "six=[::2]"]);
  assert.match(text, /^127\.0\.0\.1\tlocalhost$/m);
  assert.match(text, /^127\.0\.0\.1\tbox\.example\.org box$/m);
  assert.match(text, /^10\.0\.0\.1\tdb$/m);
  assert.match(text, /^::2\tsix$/m);
});

test("with the machine's network, hosts is the machine's", () => {
  assert.equal(machineHostsFile("127.0.0.1 a", ["b:1.2.3.4"]), "127.0.0.1 a\n1.2.3.4\tb\n");
  assert.equal(machineHostsFile("x", []), "x");
});

test("an address that is none is refused", () => {
  for (const text of ["a", "a:b", ":1.2.3.4", "a:"]) {
    assert.throws(
      () => parseExtraHost(text),
      (error) => kindOf(error) === "invalid",
    );
  }
});

const machine = "# made by x\nnameserver 1.1.1.1\nsearch a b\noptions ndots:1\n";

test("resolv.conf is the machine's, but for what was asked for", () => {
  const none = { servers: [], search: [], options: [] };
  assert.equal(resolvConf(machine, none), machine);
  assert.equal(
    resolvConf(machine, { servers: ["9.9.9.9"], search: ["."], options: [] }),
    "nameserver 9.9.9.9\n# made by x\noptions ndots:1\n",
  );
});
