import { SampanError } from "../../errors/index.ts";
import { checkDriver } from "../../network/egress/driver.ts";
import { refuseConfiguration } from "../../network/records/configuration.ts";
import type { NetworkRecord } from "../../network/types.ts";
import type { EndpointSettings, EndpointSettingsRequest } from "../config.ts";
import type { Container } from "../container/live.ts";
import { sharedContainer } from "../container/modes.ts";
import { ownEntries } from "../container/system-files.ts";
import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { endpointEvents } from "./events.ts";
import { rewriteFiles } from "./files.ts";
import { tellLinking } from "./relink.ts";
import { joiningOf, noteNetworks } from "./sandbox.ts";
import { endpointRequest, normaliseSettings } from "./settings.ts";
import { holdAddresses, unholdAddresses } from "./static-addresses.ts";

/** Joins a container to one network more; the caller holds its lock. All or nothing. */
export async function connectContainer(
  parts: EngineParts,
  container: Container,
  network: NetworkRecord,
  request: EndpointSettingsRequest | undefined,
): Promise<void> {
  if (container.removed) throw new SampanError("not-found", `No such container: ${container.id}`);
  refuseConfiguration(network);
  const settings = { ...normaliseSettings(request), NetworkID: network.id };
  checkModes(container, network);
  endpointRequest(network.name, settings, network);
  if (container.record.hostConfig.Egress) checkDriver(network.driver, network.name);
  const before = container.record;
  const joined = { ...before, endpoints: { ...before.endpoints, [network.name]: settings } };
  if (container.running !== undefined) await joinNow(parts, container, network, settings);
  parts.registry.writeRecord(container, joined);
  unholdAddresses(parts.networking, pick(before.endpoints, network.name));
  holdAddresses(parts.networking, pick(joined.endpoints, network.name));
  if (container.running !== undefined) await tellLinking(parts, container);
}

function pick(endpoints: ContainerRecord["endpoints"], name: string): ContainerRecord["endpoints"] {
  const settings = endpoints[name];
  return settings === undefined ? {} : { [name]: settings };
}

/** Throws with dockerd's texts for what a container's network mode does not go with. */
function checkModes({ record, running }: Container, network: NetworkRecord): void {
  const mode = record.hostConfig.NetworkMode;
  if (network.driver === "host" && mode !== "host") {
    const why = "container must be created in host network mode";
    throw new SampanError("denied", `cannot connect container to host network - ${why}`);
  }
  const names = Object.keys(record.endpoints);
  if (sharedContainer(mode) !== undefined || (mode === "host" && !names.includes(network.name))) {
    const what = "container sharing network namespace with another container or host";
    throw new SampanError("denied", `${what} cannot be connected to any other network`);
  }
  const others = names.filter((name) => name !== network.name);
  if (others.includes("none") || (network.driver === "null" && others.length > 0)) {
    const why = "one of the networks in private (none) mode";
    throw new SampanError("denied", `container cannot be connected to multiple networks with ${why}`);
  }
  if (running !== undefined && names.includes(network.name)) {
    throw new SampanError("denied", `endpoint with name ${record.name} already exists in network ${network.name}`);
  }
}

async function joinNow(
  parts: EngineParts,
  container: Container,
  network: NetworkRecord,
  settings: EndpointSettings,
): Promise<void> {
  const { sandbox, running, record } = container;
  if (sandbox === undefined || running === undefined) return;
  const { named } = sandbox;
  const endpoint = await sandbox.join(running.pid, joiningOf(parts, record, network.name, settings));
  noteNetworks(parts, container);
  await rewriteFiles(parts, container, { remove: [], add: ownEntries(record, endpoint), wasNamed: named });
  endpointEvents(parts, container, "connect", [endpoint]);
}
