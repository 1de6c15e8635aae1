import type { Link } from "../../kernel/netlink/route/index.ts";
import { deleteLink } from "../../kernel/netlink/route/index.ts";
import { ensureBridge, removeBridge } from "../drivers/bridge.ts";
import { bridgeSettings } from "../drivers/bridge-settings.ts";
import { linkAlias, type Suffix } from "../drivers/names.ts";
import { ensureParent, parentName, removeParent } from "../drivers/parent.ts";
import { networkElements, type RuleElement } from "../firewall/elements.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { NetworkRecord } from "../types.ts";
import { forwardingElements, forwards, startForwarding, stopForwarding } from "./forwarding.ts";
import type { Indexes } from "./indexes.ts";
import type { Machine } from "./machine.ts";
import { hasLink, readSysctl } from "./sysctl.ts";

export interface NetworkLinksParts {
  readonly machine: Machine;
  readonly firewall: Firewall;
  readonly indexes: Indexes;
  readonly suffix: Suffix;
  readonly ipForward: boolean;
}

/** A network's link that is there. */
interface Present {
  readonly network: NetworkRecord;
  readonly index: number;
  readonly name: string;
}

/** The links of networks, bridges and parents, with their part of the firewall: made once, then known by their numbers. */
export class NetworkLinks {
  readonly #parts: NetworkLinksParts;
  readonly #present = new Map<string, Present>();
  readonly #making = new Map<string, Promise<void>>();
  /** What we have changed of the machine's forwarding, as it is in the firewall. */
  #forwarding: readonly RuleElement[] = [];

  constructor(parts: NetworkLinksParts) {
    this.#parts = parts;
  }

  /** The number of the network's link; undefined where it is not there, or has gone, and for networks without. */
  index(network: NetworkRecord): number | undefined {
    const present = this.#present.get(network.id);
    if (present && hasLink(present.name)) return present.index;
    this.#present.delete(network.id);
    return undefined;
  }

  /** The firewall's elements of all networks whose links are there. */
  elements(): RuleElement[] {
    const bridges = [...this.#present.values()].filter(({ network }) => network.driver === "bridge");
    const networks = bridges.flatMap(({ network }) => this.#elementsOf(network));
    return [...networks, ...this.#forwarding, ...(networks.length > 0 ? loopback() : [])];
  }

  ensure(network: NetworkRecord): Promise<void> {
    const making = this.#making.get(network.id);
    if (making) return making;
    const made = this.#make(network).finally(() => this.#making.delete(network.id));
    this.#making.set(network.id, made);
    return made;
  }

  async remove(network: NetworkRecord): Promise<void> {
    await this.#making.get(network.id)?.catch(() => {});
    const { machine, firewall, suffix } = this.#parts;
    this.#present.delete(network.id);
    if (network.driver === "bridge") {
      const settings = bridgeSettings(network, suffix);
      await removeBridge(machine, suffix, network, settings.name);
      await firewall.remove(networkElements(settings), `take network ${network.name} out of the firewall`);
    } else if (hasParent(network)) {
      await removeParent(machine, suffix, network);
    }
  }

  /**
   * After a start of the daemon: links of networks in use are made where they are missing, those of networks that are no more
   * are removed, and the firewall has what they and `ports` are. Others stay as they are, unused.
   */
  async recover(
    networks: readonly NetworkRecord[],
    used: ReadonlySet<string>,
    ports: readonly RuleElement[],
  ): Promise<void> {
    const { machine, firewall, suffix } = this.#parts;
    const exists = await firewall.exists();
    const links = await machine.links();
    await this.#removeForeign(links, networks);
    const names = new Set(links.map(({ name }) => name));
    const kept = networks.filter((network) => used.has(network.id) || names.has(linkName(network, suffix) ?? ""));
    for (const network of kept) if (hasLinkOfOwn(network)) await this.#makeLink(network);
    const recorded = await Promise.all(
      (["changed", "unforwarded4", "unforwarded6"] as const).map((set) => firewall.elements(set)),
    );
    this.#forwarding = recorded.flat();
    const wanted = [...this.elements(), ...ports];
    if (wanted.length === 0 && !exists) return;
    await firewall.set(wanted, "make the firewall that of the running containers");
    for (const network of kept) await this.#forward(network);
  }

  /** Everything of ours: no container is attached. */
  async removeAll(): Promise<void> {
    const { machine, firewall } = this.#parts;
    this.#present.clear();
    await this.#removeForeign(await machine.links(), []);
    if (!(await firewall.exists())) return;
    stopForwarding(await firewall.elements("changed"));
    this.#forwarding = [];
    await firewall.drop();
  }

  async #make(network: NetworkRecord): Promise<void> {
    if (!hasLinkOfOwn(network)) return;
    const { firewall } = this.#parts;
    await this.#makeLink(network);
    if (network.driver !== "bridge") return;
    await firewall.add(
      [...this.#elementsOf(network), ...loopback()],
      `make the firewall let network ${network.name} through`,
    );
    await this.#forward(network);
  }

  async #makeLink(network: NetworkRecord): Promise<void> {
    const { machine, indexes, suffix } = this.#parts;
    const name = linkName(network, suffix) ?? "";
    const index =
      network.driver === "bridge"
        ? await ensureBridge(machine, indexes, suffix, network, bridgeSettings(network, suffix))
        : await ensureParent(machine, indexes, suffix, network);
    this.#present.set(network.id, { network, index, name });
  }

  #elementsOf(network: NetworkRecord): RuleElement[] {
    return networkElements(bridgeSettings(network, this.#parts.suffix));
  }

  /** Turns forwarding on for what the network needs. */
  async #forward(network: NetworkRecord): Promise<void> {
    const { machine, firewall, ipForward } = this.#parts;
    if (!ipForward || network.internal || network.driver !== "bridge") return;
    for (const family of [4, 6] as const) {
      if (!(family === 4 ? network.ipv4 : network.ipv6) || forwards(family)) continue;
      const links = await machine.links();
      const elements = forwardingElements(family, links);
      await firewall.add(elements, "keep the machine from becoming a router");
      this.#forwarding = [...this.#forwarding, ...elements];
      startForwarding(family);
    }
  }

  /** Removes links that carry our mark and are of no network. */
  async #removeForeign(links: readonly Link[], networks: readonly NetworkRecord[]): Promise<void> {
    const { machine, suffix } = this.#parts;
    const right = new Set([...networks.map(({ id }) => linkAlias(suffix, id)), linkAlias(suffix, "input")]);
    const ours = links.filter(({ alias }) => alias?.startsWith(linkAlias(suffix, "")));
    for (const { alias, index, name } of ours) {
      if (right.has(alias ?? "")) continue;
      await machine.change([deleteLink(index)], `remove the link ${name}`, ["ENODEV"]);
    }
  }
}

function hasParent({ driver }: NetworkRecord): boolean {
  return driver === "macvlan" || driver === "ipvlan";
}

/** Whether the machine has a link for the network: networks of other drivers need none. */
export function hasLinkOfOwn(network: NetworkRecord): boolean {
  return network.driver === "bridge" || hasParent(network);
}

function linkName(network: NetworkRecord, suffix: Suffix): string | undefined {
  if (network.driver === "bridge") return bridgeSettings(network, suffix).name;
  return hasParent(network) ? parentName(network) : undefined;
}

/**
 * Where br_netfilter shows IPv6 frames to the rules, conntrack makes ::1 of an answer's address before the packet is
 * received, and the kernel drops what is received for ::1: connections from [::1] are refused there, instead of unanswered.
 */
function loopback(): RuleElement[] {
  return readSysctl("bridge/bridge-nf-call-ip6tables") === "1" ? [{ set: "unreachable6", key: ["::1"] }] : [];
}
