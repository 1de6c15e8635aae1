import { SampanError } from "../../errors/index.ts";
import type { NetworkRequest } from "../../network/records/types.ts";
import type { NetworkRecord } from "../../network/types.ts";
import type { EndpointSettingsRequest } from "../config.ts";
import type { Container } from "../container/live.ts";
import type { EngineParts } from "../parts.ts";
import { connectContainer } from "./connect.ts";
import { disconnectContainer } from "./disconnect.ts";
import { networkEvent } from "./events.ts";
import { machineAddresses } from "./host-gateway.ts";
import type { NetworkMember, Networks, NetworkView } from "./types.ts";

/** The networks of this daemon, and who is joined to them. */
export class EngineNetworks implements Networks {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  list(): readonly NetworkRecord[] {
    return this.#parts.networking.list();
  }

  get(reference: string): NetworkView {
    const network = this.#parts.networking.get(reference);
    return { network, members: this.#members(network) };
  }

  hostGateway(): readonly string[] {
    return machineAddresses(this.#parts);
  }

  isUsed({ name }: NetworkRecord): boolean {
    for (const { record } of this.#parts.registry.all()) if (Object.hasOwn(record.endpoints, name)) return true;
    return false;
  }

  async create(request: NetworkRequest): Promise<{ readonly id: string; readonly warning: string }> {
    const { network, warning } = await this.#parts.networking.create(request);
    networkEvent(this.#parts.events, network, "create");
    return { id: network.id, warning };
  }

  async remove(reference: string): Promise<void> {
    const network = this.#parts.networking.get(reference);
    if (network.predefined) {
      throw new SampanError("denied", `${network.name} is a pre-defined network and cannot be removed`);
    }
    const members = this.#members(network);
    if (members.length > 0) {
      const who = members.map(({ name, endpoint }) => `name:"${name}" id:"${endpoint.id.slice(0, 12)}"`).join(", ");
      const what = `network ${network.name} has active endpoints (${who})`;
      throw new SampanError("denied", `error while removing network: ${what}`);
    }
    await this.#parts.networking.remove(network);
    networkEvent(this.#parts.events, network, "destroy");
  }

  async prune(wanted: (network: NetworkRecord) => boolean): Promise<string[]> {
    const names: string[] = [];
    for (const network of this.list().filter(wanted)) {
      // Asked of each when its turn comes: somebody may have joined it, or removed it, meanwhile.
      const gone = this.#parts.networking.find(network.id) === undefined;
      if (network.predefined || network.configuration || gone || this.isUsed(network)) continue;
      await this.remove(network.id);
      names.push(network.name);
    }
    this.#parts.events.pruned("network", 0);
    return names;
  }

  connect(reference: string, container: string, settings?: EndpointSettingsRequest): Promise<void> {
    const joining = this.#container(container);
    const network = this.#parts.networking.get(reference);
    return joining.lock.run(() => connectContainer(this.#parts, joining, network, settings));
  }

  async disconnect(
    reference: string,
    container: string,
    options: { readonly force?: boolean | undefined } = {},
  ): Promise<void> {
    const network = this.#parts.networking.get(reference);
    const leaving = this.#parts.registry.find(container);
    // Whoever is gone has left all networks.
    if (leaving === undefined && options.force) return;
    const found = leaving ?? this.#container(container);
    await found.lock.run(() => disconnectContainer(this.#parts, found, network));
  }

  #container(reference: string): Container {
    if (reference === "") throw new SampanError("invalid", 'invalid name or ID supplied: ""');
    return this.#parts.registry.get(reference);
  }

  #members(network: NetworkRecord): NetworkMember[] {
    const members: NetworkMember[] = [];
    for (const { id, record, sandbox } of this.#parts.registry.all()) {
      const endpoint = sandbox?.endpoints.find(({ networkId }) => networkId === network.id);
      if (endpoint !== undefined) members.push({ containerId: id, name: record.name, endpoint });
    }
    return members;
  }
}
