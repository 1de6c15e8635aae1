import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { normaliseConfig, normaliseHostConfig } from "../request/normalise.ts";
import { expandPorts, exposedPorts, parseContainerPort, portKey, portRequests } from "./ports.ts";

const requests = (host: object, config: object = {}) =>
  portRequests(normaliseConfig(config), normaliseHostConfig(host));

test("a container's port, as Docker writes it", () => {
  assert.deepEqual(parseContainerPort("80"), { port: 80, protocol: "tcp" });
  assert.deepEqual(parseContainerPort("53/UDP"), { port: 53, protocol: "udp" });
  assert.equal(portKey("132/sctp"), "132/sctp");
  for (const bad of ["", "0", "65536", "http", "80/icmp", "80/tcp/udp", "-1", "8 0"]) {
    assert.throws(
      () => parseContainerPort(bad),
      (error) => kindOf(error) === "invalid",
      bad,
    );
  }
});

test("ranges are many ports", () => {
  assert.deepEqual(expandPorts("8000-8002/udp"), ["8000/udp", "8001/udp", "8002/udp"]);
  assert.deepEqual(expandPorts("7"), ["7/tcp"]);
  assert.deepEqual(exposedPorts({ ExposedPorts: { "80/tcp": {}, "90-91": {} } }), ["80/tcp", "90/tcp", "91/tcp"]);
  assert.throws(() => expandPorts("9-8"), { message: 'invalid port specification: "9-8"' });
});

test("bindings: address, port, range of ports, and none of these", () => {
  const bound = {
    "80/tcp": [
      { HostIp: "127.0.0.1", HostPort: "8080" },
      { HostIp: "[::1]", HostPort: "8080" },
    ],
    "81/udp": [{ HostPort: "9000-9010" }],
    "82/tcp": [{ HostIp: "", HostPort: "" }],
    "83/tcp": [],
    "84/tcp": null,
  };
  assert.deepEqual(requests({ PortBindings: bound }), [
    { protocol: "tcp", containerPort: 80, hostAddress: "127.0.0.1", hostPort: 8080 },
    { protocol: "tcp", containerPort: 80, hostAddress: "::1", hostPort: 8080 },
    { protocol: "udp", containerPort: 81, hostPort: { first: 9000, last: 9010 } },
    ...[82, 83, 84].map((containerPort) => ({ protocol: "tcp", containerPort })),
  ]);
  for (const binding of [{ HostPort: "http" }, { HostPort: "9-8" }, { HostIp: "here" }]) {
    assert.throws(
      () => requests({ PortBindings: { "80/tcp": [binding] } }),
      (error) => kindOf(error) === "invalid",
    );
  }
});

test("PublishAllPorts publishes what is exposed and not bound already", () => {
  const host = { PublishAllPorts: true, PortBindings: { "80": [{ HostPort: "8080" }] } };
  assert.deepEqual(requests(host, { ExposedPorts: { "80/tcp": {}, "90/udp": {} } }), [
    { protocol: "tcp", containerPort: 80, hostPort: 8080 },
    { protocol: "udp", containerPort: 90 },
  ]);
});
