import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection, ContainerNetworking } from "../host/types.ts";
import { option } from "../records/driver-options.ts";
import type { NetworkRecord, PublishedPort } from "../types.ts";
import { effectivePorts, portElements } from "./port-elements.ts";

function connection(options: Record<string, string> = {}, more: Partial<NetworkRecord> = {}): Connection {
  const network: NetworkRecord = {
    id: "1".repeat(64),
    name: "one",
    driver: "bridge",
    createdAt: 0,
    predefined: false,
    internal: false,
    attachable: false,
    ipv4: true,
    ipv6: false,
    subnets: [{ subnet: "10.1.0.0/16", gateway: "10.1.0.1" }],
    ipamOptions: {},
    options,
    labels: {},
    ...more,
  };
  const endpoint = {
    id: "2".repeat(64),
    networkId: network.id,
    containerId: "3".repeat(64),
    interfaceName: "eth0",
    macAddress: "02:42:0a:01:00:02",
    ipv4: { address: "10.1.0.2", prefix: 16, gateway: "10.1.0.1" },
    linkLocal: [],
    gatewayPriority: 0,
    driverOptions: {},
  };
  return { network, endpoint };
}

function port(hostPort: number, containerPort: number, more: Partial<PublishedPort> = {}): PublishedPort {
  return { protocol: "tcp", hostAddress: "0.0.0.0", hostPort, containerPort, ...more };
}

function elements(ports: readonly PublishedPort[], ...connections: Connection[]) {
  const container: ContainerNetworking = { containerId: "3".repeat(64), connections, ports };
  return portElements(container, "");
}

const range = (first: number, count: number, distance = 0) =>
  Array.from({ length: count }, (_, i) => port(first + i, first + i + distance));

test("a port is an element of the map of its address", () => {
  const published = [port(8080, 80), port(53, 53, { protocol: "udp", hostAddress: "127.0.0.1" })];
  assert.deepEqual(elements(published, connection()), [
    { set: "everywhere4", key: ["tcp", 8080], value: ["10.1.0.2", 80] },
    { set: "publish4", key: ["127.0.0.1", "udp", 53], value: ["10.1.0.2", 53] },
  ]);
});

test("many successive ports that are the same in the container are one element, in whatever order", () => {
  const published = [...range(9000, 1000).reverse(), port(80, 80)];
  assert.deepEqual(elements(published, connection()), [
    { set: "everywhere4", key: ["tcp", 80], value: ["10.1.0.2", 80] },
    { set: "rangeEverywhere4", key: ["tcp", { from: 9000, to: 9999 }], value: ["10.1.0.2"] },
  ]);
  const here = range(9000, 8).map((one) => ({ ...one, hostAddress: "192.0.2.1" }));
  assert.deepEqual(elements(here, connection()), [
    { set: "range4", key: ["192.0.2.1", "tcp", { from: 9000, to: 9007 }], value: ["10.1.0.2"] },
  ]);
});

test("few, or others in the container, are elements each", () => {
  assert.equal(elements(range(9000, 7), connection()).length, 7);
  assert.equal(elements(range(9000, 100, 1), connection()).length, 100);
});

test("ports of a family that the gateway's endpoint lacks lead nowhere", () => {
  const published = [port(80, 80), port(80, 80, { hostAddress: "::" })];
  const container = { containerId: "", connections: [connection()], ports: published };
  assert.deepEqual(effectivePorts(container, ""), [published[0]]);
  assert.deepEqual(elements(published, connection({}, { internal: true })), []);
  assert.deepEqual(elements(published, connection({}, { driver: "macvlan" })), []);
  assert.deepEqual(elements(published), []);
});

test("on a routed network ports are open at the container's own address", () => {
  const published = [port(8080, 80), ...range(9000, 3)];
  assert.deepEqual(elements(published, connection({ [option.gatewayMode4]: "routed" })), [
    { set: "open4", key: ["10.1.0.2", "tcp", { from: 9000, to: 9002 }] },
    { set: "open4", key: ["10.1.0.2", "tcp", { from: 80, to: 80 }] },
  ]);
});
