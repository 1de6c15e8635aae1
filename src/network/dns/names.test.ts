import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOfBytes, printAddress } from "../addresses/address.ts";
import { Names, reversedAddress } from "./names.ts";
import { type } from "./query.ts";
import type { NamedEndpoint } from "./types.ts";

const backend = { networkId: "n1", networkName: "backend" };
const front = { networkId: "n2", networkName: "my.front" };

function known(...endpoints: NamedEndpoint[]): Names {
  const names = new Names();
  for (const endpoint of endpoints) names.set(endpoint);
  return names;
}

const db: NamedEndpoint = { ...backend, containerId: "c1", names: ["Db", "store", "0123456789ab"], ipv4: "172.18.0.2" };
const web: NamedEndpoint = {
  ...backend,
  containerId: "c2",
  names: ["web", "srv"],
  ipv4: "172.18.0.3",
  ipv6: "fd00::3",
  links: { Cache: "DB" },
};

/** Addresses, or the names that addresses are resolved to. */
function told(
  names: Names,
  networks: string[],
  name: string,
  wanted: number = type.A,
  asker = "c9",
): string[] | undefined {
  return names.lookUp(asker, networks, name, wanted)?.map(({ type: is, data }) => {
    if (is !== type.PTR) return printAddress(addressOfBytes(data));
    return Buffer.from(data)
      .toString("latin1")
      .replace(/[^a-z.-]/gi, "/");
  });
}

test("a container is found by all its names, on its networks only, in whatever case", () => {
  const names = known(db, web);
  for (const name of ["db", "store", "0123456789ab"]) assert.deepEqual(told(names, ["n1"], name), ["172.18.0.2"], name);
  assert.equal(told(names, ["n2"], "db"), undefined);
  assert.equal(told(names, [], "db"), undefined);
  assert.equal(told(names, ["n1"], "nobody"), undefined);
});

test("a known name without an address of the type, or with other types, has no records", () => {
  const names = known(db, web);
  assert.deepEqual(told(names, ["n1"], "db", type.AAAA), []);
  assert.deepEqual(told(names, ["n1"], "web", type.AAAA), ["fd00::3"]);
  assert.deepEqual(told(names, ["n1"], "web", 15), [], "MX");
  assert.deepEqual(told(names, ["n1"], "web", 65), [], "HTTPS");
  assert.deepEqual(told(names, ["n1"], "web", type.ANY), ["172.18.0.3", "fd00::3"]);
});

test("a name may be asked with its network, dots and all", () => {
  const names = known(db, web, { ...front, containerId: "c3", names: ["a.b"], ipv4: "172.19.0.9" });
  assert.deepEqual(told(names, ["n1"], "db.backend"), ["172.18.0.2"]);
  assert.deepEqual(told(names, ["n1", "n2"], "a.b.my.front"), ["172.19.0.9"]);
  assert.deepEqual(told(names, ["n1", "n2"], "a.b"), ["172.19.0.9"]);
  assert.equal(told(names, ["n1", "n2"], "db.my.front"), undefined);
  assert.equal(told(names, ["n2"], "db.backend"), undefined, "a network that the asker is not on");
});

test("a name of several has the addresses of all, another one first each time", () => {
  const replicas = [2, 3, 4].map((n): NamedEndpoint => {
    return { ...backend, containerId: `c${n}`, names: [`app-${n}`, "app"], ipv4: `172.18.0.${n}` };
  });
  const names = known(...replicas);
  const answers = Array.from({ length: 6 }, () => told(names, ["n1"], "app") ?? []);
  for (const answer of answers) assert.deepEqual(answer.toSorted(), ["172.18.0.2", "172.18.0.3", "172.18.0.4"]);
  const first = answers.map(([address]) => address);
  assert.deepEqual(new Set(first.slice(0, 3)).size, 3);
  names.remove("n1", "c3");
  assert.deepEqual(told(names, ["n1"], "app")?.toSorted(), ["172.18.0.2", "172.18.0.4"]);
});

test("the first network that knows a name is taken", () => {
  const names = known(db, { ...front, containerId: "c3", names: ["db"], ipv4: "172.19.0.9" });
  assert.deepEqual(told(names, ["n1", "n2"], "db"), ["172.18.0.2"]);
  assert.deepEqual(told(names, ["n2", "n1"], "db"), ["172.19.0.9"]);
});

test("a link is the linking container's own", () => {
  const names = known(db, web);
  assert.deepEqual(told(names, ["n1"], "cache", type.A, "c2"), ["172.18.0.2"]);
  assert.deepEqual(told(names, ["n1"], "cache.backend", type.A, "c2"), ["172.18.0.2"]);
  assert.equal(told(names, ["n1"], "cache", type.A, "c1"), undefined);
});

test("an address has its container's name and network, for those on the network", () => {
  const names = known(db, web);
  assert.deepEqual(told(names, ["n1"], "2.0.18.172.in-addr.arpa", type.PTR), ["/Db/backend/"]);
  const v6 = `3.${"0.".repeat(27)}0.0.d.f.ip6.arpa`;
  assert.deepEqual(told(names, ["n1"], v6, type.PTR), ["/web/backend/"]);
  assert.equal(told(names, ["n2"], "2.0.18.172.in-addr.arpa", type.PTR), undefined);
  assert.equal(told(names, ["n1"], "9.0.18.172.in-addr.arpa", type.PTR), undefined);
  assert.deepEqual(told(names, ["n1"], "db", type.PTR), []);
});

test("what is known of an endpoint is replaced, and forgotten with its container", () => {
  const names = known(db, web);
  names.set({ ...db, names: ["data"], ipv4: "172.18.0.77" });
  assert.equal(told(names, ["n1"], "db"), undefined);
  assert.equal(told(names, ["n1"], "2.0.18.172.in-addr.arpa", type.PTR), undefined);
  assert.deepEqual(told(names, ["n1"], "data"), ["172.18.0.77"]);
  names.removeContainer("c1");
  assert.equal(told(names, ["n1"], "data"), undefined);
  assert.deepEqual(told(names, ["n1"], "web"), ["172.18.0.3"]);
  assert.throws(() => names.set({ ...db, ipv4: "300.1.1.1" }), { kind: "invalid" });
});

test("only whole reversed addresses are addresses", () => {
  assert.equal(reversedAddress("2.0.18.172.in-addr.arpa"), "ac120002");
  for (const name of ["18.172.in-addr.arpa", "256.0.18.172.in-addr.arpa", "x.ip6.arpa", "1.2.3.4", ""])
    assert.equal(reversedAddress(name), undefined, name);
});
