import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerNetworking } from "../host/types.ts";
import type { Endpoint, NetworkRecord } from "../types.ts";
import { openingElements } from "./opening-elements.ts";

const id = "a".repeat(64);

function linked(options: Readonly<Record<string, string>>, networkId = id): ContainerNetworking {
  const network: NetworkRecord = {
    id,
    name: "bridge",
    driver: "bridge",
    createdAt: 0,
    predefined: true,
    internal: false,
    attachable: false,
    ipv4: true,
    ipv6: false,
    subnets: [{ subnet: "172.17.0.0/16", gateway: "172.17.0.1" }],
    ipamOptions: {},
    options,
    labels: {},
  };
  const endpoint: Endpoint = {
    id: "e",
    networkId: id,
    containerId: "c",
    interfaceName: "eth0",
    macAddress: "02:42:ac:11:00:03",
    ipv4: { address: "172.17.0.3", prefix: 16, gateway: "172.17.0.1" },
    linkLocal: [],
    gatewayPriority: 0,
    driverOptions: {},
  };
  const opening = { networkId, address: "172.17.0.2", protocol: "tcp", port: 80 } as const;
  const openings = [opening, opening, { ...opening, protocol: "udp" as const }];
  return { containerId: "c", connections: [{ network, endpoint }], ports: [], openings };
}

const apart = { "com.docker.network.bridge.enable_icc": "false" };

test("the ports of those that a container is linked to, each once, where neighbours are kept apart", () => {
  assert.deepEqual(openingElements(linked(apart), ""), [
    { set: "linked4", key: ["172.17.0.3", "172.17.0.2", "tcp", 80] },
    { set: "linked4", key: ["172.17.0.3", "172.17.0.2", "udp", 80] },
  ]);
});

test("none where neighbours reach each other, nor on a network that it is not on", () => {
  assert.deepEqual(openingElements(linked({}), ""), []);
  assert.deepEqual(openingElements(linked(apart, "b".repeat(64)), ""), []);
});
