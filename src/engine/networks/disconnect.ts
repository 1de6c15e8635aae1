import { SampanError } from "../../errors/index.ts";
import type { NetworkRecord } from "../../network/types.ts";
import type { Container } from "../container/live.ts";
import { ownEntries } from "../container/system-files.ts";
import type { EngineParts } from "../parts.ts";
import { endpointEvents } from "./events.ts";
import { rewriteFiles } from "./files.ts";
import { closeLinks } from "./relink.ts";
import { noteNetworks } from "./sandbox.ts";
import { unholdAddresses } from "./static-addresses.ts";

/** Takes a container from a network; the caller holds its lock. */
export async function disconnectContainer(
  parts: EngineParts,
  container: Container,
  network: NetworkRecord,
): Promise<void> {
  const { record, running, sandbox } = container;
  if (!Object.hasOwn(record.endpoints, network.name)) {
    throw new SampanError("denied", `container ${container.id} is not connected to network ${network.name}`);
  }
  if (network.driver === "host") {
    const why = "container was created in host network mode";
    throw new SampanError("denied", `cannot disconnect container from host network - ${why}`);
  }
  const { [network.name]: left, ...others } = record.endpoints;
  if (running !== undefined && sandbox?.endpoints.some(({ networkId }) => networkId === network.id)) {
    const { named } = sandbox;
    await closeLinks(parts, container, network);
    const endpoint = await sandbox.leave(running.pid, network.id);
    noteNetworks(parts, container);
    await rewriteFiles(parts, container, { remove: ownEntries(record, endpoint), add: [], wasNamed: named });
    endpointEvents(parts, container, "disconnect", [endpoint]);
  }
  parts.registry.writeRecord(container, { ...container.record, endpoints: others });
  if (left !== undefined) unholdAddresses(parts.networking, { [network.name]: left });
}
