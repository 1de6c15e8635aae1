import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "../host/types.ts";
import type { Driver } from "../types.ts";
import { gatewayOf } from "./gateway.ts";

interface Traits {
  readonly priority?: number;
  readonly internal?: boolean;
  readonly driver?: Driver;
  readonly mode?: string;
  readonly gateway?: boolean;
  readonly family?: 4 | 6;
}

function connection(name: string, traits: Traits = {}): Connection {
  const { priority = 0, internal = false, driver = "bridge", mode, gateway = true, family = 4 } = traits;
  const address = family === 4 ? "10.0.0.2" : "fd00::2";
  const own = { address, prefix: 24, ...(gateway && { gateway: family === 4 ? "10.0.0.1" : "fd00::1" }) };
  return {
    network: {
      id: name,
      name,
      driver,
      createdAt: 0,
      predefined: false,
      internal,
      attachable: false,
      ipv4: family === 4,
      ipv6: family === 6,
      subnets: [],
      ipamOptions: {},
      options: mode === undefined ? {} : { ipvlan_mode: mode },
      labels: {},
    },
    endpoint: {
      id: name,
      networkId: name,
      containerId: "c",
      interfaceName: "eth0",
      macAddress: "02:42:00:00:00:01",
      linkLocal: [],
      gatewayPriority: priority,
      driverOptions: {},
      ...(family === 4 ? { ipv4: own } : { ipv6: own }),
    },
  };
}

const name = (connections: Connection[], family: 4 | 6 = 4) => gatewayOf(connections, family)?.network.name;

test("the highest priority leads out, then the first name", () => {
  assert.equal(name([connection("b"), connection("a"), connection("c")]), "a");
  assert.equal(name([connection("a"), connection("b", { priority: 1 })]), "b");
  assert.equal(name([connection("b", { priority: -1 }), connection("c")]), "c");
});

test("each family has its own", () => {
  const both = [connection("a"), connection("b", { family: 6 })];
  assert.deepEqual([name(both, 4), name(both, 6)], ["a", "b"]);
});

test("internal networks, and those without a gateway, lead nowhere", () => {
  assert.equal(name([connection("a", { internal: true }), connection("b", { gateway: false })]), undefined);
  assert.equal(name([]), undefined);
});

test("ipvlan leads out by itself in layer 3", () => {
  const traits = { driver: "ipvlan", gateway: false } as const;
  assert.equal(name([connection("a", { ...traits, mode: "l3s" })]), "a");
  assert.equal(name([connection("a", { ...traits, mode: "l2" })]), undefined);
});
