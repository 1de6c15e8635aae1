import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerView } from "../../engine/types.ts";
import { versionNumber } from "../http/versions.ts";
import { networkSettings, networksOf, portList } from "./container-network.ts";

const id = "0123456789abcdef".repeat(4);
const [old, now] = [versionNumber("1.43"), versionNumber("1.51")];

const settings = {
  IPAMConfig: null,
  Links: null,
  Aliases: ["www"],
  MacAddress: "",
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: "n1",
};

const endpoint = (address: string) => ({
  id: `e-${address}`,
  networkId: "n1",
  containerId: id,
  interfaceName: "eth0",
  macAddress: "02:42:ac:11:00:02",
  ipv4: { address, prefix: 16, gateway: "172.17.0.1" },
  linkLocal: [],
  gatewayPriority: 0,
  driverOptions: {},
});

/** The part that these views look at. */
function view(network: Partial<ContainerView["network"]>, exposedPorts: readonly string[] = []): ContainerView {
  const empty = { endpoints: {}, ports: [], sandboxId: "", sandboxKey: "" };
  return { id, exposedPorts, network: { ...empty, ...network } } as unknown as ContainerView;
}

test("what runs on the default bridge has its address at the top, too", () => {
  const endpoints = { bridge: { settings, dnsNames: [], endpoint: endpoint("172.17.0.2") } };
  const shown = networkSettings(view({ endpoints, sandboxId: "5" }), now);
  assert.deepEqual([shown.IPAddress, shown.IPPrefixLen, shown.Gateway], ["172.17.0.2", 16, "172.17.0.1"]);
  assert.deepEqual([shown.MacAddress, shown.EndpointID], ["02:42:ac:11:00:02", "e-172.17.0.2"]);
  assert.equal(shown.Networks.bridge?.DNSNames, null);
});

test("on another network, and when it does not run, it has none there", () => {
  const mine = networkSettings(
    view({ endpoints: { mine: { settings, dnsNames: ["web", "www"], endpoint: endpoint("172.18.0.2") } } }),
    now,
  );
  assert.equal(mine.IPAddress, "");
  assert.equal(mine.Networks.mine?.IPAddress, "172.18.0.2");
  const stopped = networkSettings(view({ endpoints: { bridge: { settings, dnsNames: [] } } }, ["80/tcp"]), now);
  assert.deepEqual([stopped.MacAddress, stopped.IPAddress, stopped.Ports], ["", "", {}]);
});

test("old versions have the short id among the aliases of networks with names", () => {
  const endpoints = {
    bridge: { settings: { ...settings, Aliases: null }, dnsNames: [] },
    mine: { settings, dnsNames: ["web", "www"] },
  };
  const of = (version: number) => networkSettings(view({ endpoints }), version).Networks;
  assert.deepEqual(of(old).mine?.Aliases, ["www", "0123456789ab"]);
  assert.deepEqual(of(now).mine?.Aliases, ["www"]);
  assert.equal(of(old).bridge?.Aliases, null);
  assert.equal(networksOf(view({ endpoints })).mine?.DNSNames, null, "lists tell no names");
});

test("ports: published ones with their bindings, the others that it listens at with none", () => {
  const port = (containerPort: number, hostAddress: string, hostPort: number) =>
    ({ protocol: "tcp", containerPort, hostAddress, hostPort }) as const;
  const running = view(
    {
      endpoints: { bridge: { settings, dnsNames: [], endpoint: endpoint("172.17.0.2") } },
      ports: [port(80, "0.0.0.0", 8080), port(80, "::", 8080), port(90, "0.0.0.0", 0)],
    },
    ["80/tcp", "53/udp"],
  );
  assert.deepEqual(networkSettings(running, now).Ports, {
    "53/udp": null,
    "80/tcp": [
      { HostIp: "0.0.0.0", HostPort: "8080" },
      { HostIp: "::", HostPort: "8080" },
    ],
    "90/tcp": [{ HostIp: "0.0.0.0", HostPort: "" }],
  });
  assert.deepEqual(portList(running), [
    { PrivatePort: 53, Type: "udp" },
    { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
    { IP: "::", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
    { IP: "0.0.0.0", PrivatePort: 90, Type: "tcp" },
  ]);
});
