import { SampanError } from "../../errors/index.ts";
import { addressBytes, parseAddress } from "../addresses/address.ts";
import { encodeName } from "./name.ts";
import { type } from "./query.ts";
import type { ReplyRecord } from "./reply.ts";
import type { NamedEndpoint } from "./types.ts";

/** An endpoint as answers need it. */
interface Entry {
  /** In lower case. */
  readonly names: readonly string[];
  readonly links: ReadonlyMap<string, string>;
  readonly v4?: ReplyRecord;
  readonly v6?: ReplyRecord;
  /** What its addresses are resolved to: its name on its network. */
  readonly pointer: ReplyRecord;
  /** Its addresses in hexadecimal digits. */
  readonly addresses: readonly string[];
}

interface Network {
  /** In lower case, as all names here. */
  readonly name: string;
  readonly byContainer: Map<string, Entry>;
  readonly byName: Map<string, readonly Entry[]>;
  readonly byAddress: Map<string, Entry>;
}

const nothing: readonly ReplyRecord[] = [];

/** All names of all containers, by network. */
export class Names {
  readonly #networks = new Map<string, Network>();
  #turn = 0;

  /** Puts the endpoint in place of what was known of it. `invalid` for addresses that are none. */
  set(endpoint: NamedEndpoint): void {
    const entry = toEntry(endpoint);
    const { networkId, containerId, networkName } = endpoint;
    this.remove(networkId, containerId);
    const network = this.#networks.get(networkId) ?? emptyNetwork(networkName);
    this.#networks.set(networkId, network);
    network.byContainer.set(containerId, entry);
    for (const name of entry.names) network.byName.set(name, [...(network.byName.get(name) ?? []), entry]);
    for (const address of entry.addresses) network.byAddress.set(address, entry);
  }

  remove(networkId: string, containerId: string): void {
    const network = this.#networks.get(networkId);
    const entry = network?.byContainer.get(containerId);
    if (!network || !entry) return;
    network.byContainer.delete(containerId);
    for (const name of entry.names) {
      const others = (network.byName.get(name) ?? []).filter((other) => other !== entry);
      if (others.length > 0) network.byName.set(name, others);
      else network.byName.delete(name);
    }
    for (const address of entry.addresses)
      if (network.byAddress.get(address) === entry) network.byAddress.delete(address);
    if (network.byContainer.size === 0) this.#networks.delete(networkId);
  }

  /** Forgets all endpoints of a container. */
  removeContainer(containerId: string): void {
    for (const networkId of [...this.#networks.keys()]) this.remove(networkId, containerId);
  }

  /**
   * What containers on these networks are told about a name: undefined when it is none of a container, no records when there
   * are none of this type. The first network that knows the name is taken, as dockerd does.
   */
  lookUp(asker: string, networks: readonly string[], name: string, wanted: number): readonly ReplyRecord[] | undefined {
    if (wanted === type.PTR) {
      const pointer = this.#pointer(networks, name);
      if (pointer) return [pointer];
    }
    const entries = this.#find(asker, networks, name);
    if (!entries) return undefined;
    if (entries.length === 1) return recordsOf(entries[0] as Entry, wanted);
    return this.#rotated(entries.flatMap((entry) => recordsOf(entry, wanted)));
  }

  /** "web" on any of the networks, else "web.backend" as "web" on the network "backend". */
  #find(asker: string, networks: readonly string[], name: string): readonly Entry[] | undefined {
    for (const id of networks) {
      const found = this.#findOn(asker, id, name);
      if (found) return found;
    }
    if (!name.includes(".")) return undefined;
    for (const id of networks) {
      const suffix = `.${this.#networks.get(id)?.name}`;
      const found = name.endsWith(suffix) ? this.#findOn(asker, id, name.slice(0, -suffix.length)) : undefined;
      if (found) return found;
    }
    return undefined;
  }

  #findOn(asker: string, id: string, name: string): readonly Entry[] | undefined {
    const network = this.#networks.get(id);
    const links = network?.byContainer.get(asker)?.links;
    return network?.byName.get(links?.get(name) ?? name);
  }

  #pointer(networks: readonly string[], name: string): ReplyRecord | undefined {
    const address = reversedAddress(name);
    if (address === undefined) return undefined;
    for (const id of networks) {
      const entry = this.#networks.get(id)?.byAddress.get(address);
      if (entry) return entry.pointer;
    }
    return undefined;
  }

  /** Another one first each time: most askers take the first. */
  #rotated(records: ReplyRecord[]): ReplyRecord[] {
    if (records.length < 2) return records;
    const first = this.#turn++ % records.length;
    return [...records.slice(first), ...records.slice(0, first)];
  }
}

function emptyNetwork(name: string): Network {
  return { name: name.toLowerCase(), byContainer: new Map(), byName: new Map(), byAddress: new Map() };
}

function toEntry(endpoint: NamedEndpoint): Entry {
  const names = [...new Set(endpoint.names.map((name) => name.toLowerCase()))];
  const lower = ([alias, name]: [string, string]) => [alias.toLowerCase(), name.toLowerCase()] as const;
  const v4 = addressRecord(endpoint.ipv4, type.A);
  const v6 = addressRecord(endpoint.ipv6, type.AAAA);
  return {
    names,
    links: new Map(Object.entries(endpoint.links ?? {}).map(lower)),
    ...(v4 && { v4 }),
    ...(v6 && { v6 }),
    pointer: { type: type.PTR, data: encodeName(`${endpoint.names[0] ?? ""}.${endpoint.networkName}`) },
    addresses: [v4, v6].flatMap((record) => (record ? [Buffer.from(record.data).toString("hex")] : [])),
  };
}

function addressRecord(address: string | undefined, type: number): ReplyRecord | undefined {
  if (address === undefined) return undefined;
  const parsed = parseAddress(address);
  if (!parsed) throw new SampanError("invalid", `Cannot make ${address} known under a name: it is no address`);
  return { type, data: addressBytes(parsed) };
}

function recordsOf({ v4, v6 }: Entry, wanted: number): readonly ReplyRecord[] {
  if (wanted === type.A) return v4 ? [v4] : nothing;
  if (wanted === type.AAAA) return v6 ? [v6] : nothing;
  return wanted === type.ANY ? [v4, v6].filter((record) => record !== undefined) : nothing;
}

/** "2.0.18.172.in-addr.arpa", or the 32 digits of an IPv6 address under ip6.arpa, as hexadecimal digits in order. */
export function reversedAddress(name: string): string | undefined {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (v4) {
    const bytes = v4.slice(1).reverse().map(Number);
    return bytes.some((byte) => byte > 255) ? undefined : Buffer.from(bytes).toString("hex");
  }
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name);
  return v6?.[1]?.split(".").reverse().join("");
}
