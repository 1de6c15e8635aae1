import { SampanError } from "../../errors/index.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import { bridgeSettings } from "../drivers/bridge-settings.ts";
import { type Suffix, tableName } from "../drivers/names.ts";
import type { RuleElement } from "../firewall/elements.ts";
import { Firewall } from "../firewall/firewall.ts";
import { openingElements } from "../firewall/opening-elements.ts";
import { effectivePorts, portElements } from "../firewall/port-elements.ts";
import type { Policy } from "../firewall/rules.ts";
import type { Attachment, Endpoint, NetworkRecord } from "../types.ts";
import { ensureAgainLink, removeAgainLink } from "./again.ts";
import { attachmentOf, type Place } from "./attachment.ts";
import { forgetFlowsAfter, forgetFlowsBefore } from "./flows.ts";
import { Indexes } from "./indexes.ts";
import { Machine } from "./machine.ts";
import { hasLinkOfOwn, NetworkLinks } from "./network-links.ts";
import { reserveForRunning } from "./reservations.ts";
import { RuleWatch } from "./rule-watch.ts";
import { connectRunning, disconnectRunning } from "./running.ts";
import type { Connection, ContainerNetworking, HostOptions, NetworkHost, UsedRange } from "./types.ts";
import { usedRanges } from "./used-ranges.ts";
import { forwardWarnings } from "./warnings.ts";

export interface NetworkHostParts {
  readonly executor: Executor;
  /** `layout.suffix`. */
  readonly suffix: Suffix;
  readonly options?: HostOptions;
  /** Somebody has removed firewall rules of the machine; whose, is to be found out. */
  readonly rulesRemoved?: () => void;
}

/** See `NetworkHost`. Makes nothing yet. */
export function openNetworkHost(parts: NetworkHostParts): NetworkHost {
  return new KernelNetworkHost(parts);
}

class KernelNetworkHost implements NetworkHost {
  readonly #executor: Executor;
  readonly #suffix: Suffix;
  readonly #machine: Machine;
  readonly #indexes = new Indexes();
  readonly #firewall: Firewall;
  readonly #links: NetworkLinks;
  readonly #watch: RuleWatch;
  readonly #rulesRemoved: () => void;
  /** The firewall's elements of the containers that run, by the container's id. */
  readonly #ports = new Map<string, readonly RuleElement[]>();
  /** Workers that keep the ports of containers that were started without a way out, by the container's id. */
  readonly #reserved = new Map<string, Session>();
  #looking: NodeJS.Timeout | undefined;

  constructor({ executor, suffix, options = {}, rulesRemoved = () => {} }: NetworkHostParts) {
    this.#executor = executor;
    this.#suffix = suffix;
    this.#machine = new Machine(executor);
    const policy = async (): Promise<Policy> =>
      options.publishPolicy === "input"
        ? await ensureAgainLink(this.#machine, this.#indexes, suffix)
        : { kind: "direct" };
    this.#firewall = new Firewall(this.#machine, tableName(suffix), policy);
    const parts = { machine: this.#machine, firewall: this.#firewall, indexes: this.#indexes, suffix };
    this.#links = new NetworkLinks({ ...parts, ipForward: options.ipForward ?? true });
    this.#rulesRemoved = rulesRemoved;
    this.#watch = new RuleWatch(executor, () => this.#lookSoon());
  }

  ready(network: NetworkRecord): boolean {
    return !hasLinkOfOwn(network) || this.#links.index(network) !== undefined;
  }

  async ensure(network: NetworkRecord): Promise<void> {
    if (this.ready(network)) return;
    await this.#links.ensure(network);
    if (network.driver === "bridge") void this.#watch.start();
  }

  attachment(container: ContainerNetworking): Attachment {
    const elements = this.#portsOf(container);
    return attachmentOf({
      container,
      places: this.#places(container.connections),
      reservations: effectivePorts(container, this.#suffix),
      additions: this.#firewall.additions(elements),
    });
  }

  started(container: ContainerNetworking): Promise<void> | undefined {
    if (!container.ports.some(({ protocol }) => protocol === "udp")) return undefined;
    return forgetFlowsBefore(this.#machine, container, this.#suffix);
  }

  release(container: ContainerNetworking): Promise<void> | undefined {
    const { containerId } = container;
    this.#ports.delete(containerId);
    const reserved = this.#reserved.get(containerId);
    this.#reserved.delete(containerId);
    const elements = this.#elementsOf(container);
    if (elements.length === 0) return reserved?.finish();
    const purpose = `take the ports of container ${containerId.slice(0, 12)} out of the firewall`;
    return this.#firewall
      .remove(elements, purpose)
      .then(() => forgetFlowsAfter(this.#machine, container, this.#suffix))
      .finally(() => reserved?.finish());
  }

  async reserve(container: ContainerNetworking): Promise<void> {
    const session = await reserveForRunning(
      this.#executor,
      container.containerId,
      effectivePorts(container, this.#suffix),
    );
    this.#reserved.set(container.containerId, session);
  }

  async connect(namespace: string, container: ContainerNetworking, added: Endpoint): Promise<void> {
    const connection = container.connections.find(({ endpoint }) => endpoint.id === added.id);
    if (!connection) return;
    await this.ensure(connection.network);
    const before = { ...container, connections: container.connections.filter((other) => other !== connection) };
    const places = this.#places([connection]);
    await connectRunning(this.#executor, namespace, {
      container,
      places,
      reservations: [],
      additions: [],
      running: true,
    });
    await this.#movePorts(before, container);
  }

  async disconnect(namespace: string, container: ContainerNetworking, removed: Connection): Promise<void> {
    const before = { ...container, connections: [...container.connections, removed] };
    await this.#movePorts(before, container);
    await disconnectRunning(this.#executor, namespace, container, removed);
  }

  async reopen(before: ContainerNetworking, after: ContainerNetworking): Promise<void> {
    const old = openingElements(before, this.#suffix);
    const now = openingElements(after, this.#suffix);
    this.#portsOf(after);
    const purpose = `change which others container ${after.containerId.slice(0, 12)} is linked to`;
    const removed = without(old, now);
    const added = without(now, old);
    if (removed.length > 0) await this.#firewall.remove(removed, purpose);
    if (added.length > 0) await this.#firewall.add(added, purpose);
  }

  async remove(network: NetworkRecord): Promise<void> {
    await this.#links.remove(network);
  }

  async recover(networks: readonly NetworkRecord[], running: readonly ContainerNetworking[]): Promise<void> {
    const ports = running.flatMap((container) => this.#portsOf(container));
    const used = new Set(running.flatMap(({ connections }) => connections.map(({ network }) => network.id)));
    await this.#links.recover(networks, used, ports);
    if (used.size > 0) void this.#watch.start();
  }

  usedRanges(): Promise<UsedRange[]> {
    return usedRanges(this.#machine, this.#suffix);
  }

  warnings(): Promise<string[]> {
    return forwardWarnings(this.#machine, this.#executor, tableName(this.#suffix));
  }

  async close({ remove = false }: { readonly remove?: boolean } = {}): Promise<void> {
    this.#watch.close();
    clearTimeout(this.#looking);
    for (const session of this.#reserved.values()) session.close();
    if (remove) {
      await this.#links.removeAll();
      await removeAgainLink(this.#machine, this.#suffix);
    }
    await this.#machine.close();
  }

  #places(connections: readonly Connection[]): Map<Connection, Place> {
    const places = new Map<Connection, Place>();
    for (const connection of connections) {
      const { network } = connection;
      if (!hasLinkOfOwn(network)) continue;
      const parent = this.#links.index(network);
      if (parent === undefined)
        throw new SampanError("unavailable", `Cannot join network ${network.name}: its link is gone; start again`);
      const isolated = network.driver === "bridge" && !bridgeSettings(network, this.#suffix).icc;
      places.set(connection, { parent, isolated, ...this.#indexes.next() });
    }
    return places;
  }

  /** Published ports lead to another endpoint where the gateway has changed. */
  async #movePorts(before: ContainerNetworking, after: ContainerNetworking): Promise<void> {
    if (after.ports.length === 0) return;
    const [old, now] = [this.#elementsOf(before), this.#portsOf(after)];
    if (JSON.stringify(old) === JSON.stringify(now)) return;
    await this.#firewall.remove(old, "move published ports");
    await this.#firewall.add(now, "move published ports");
  }

  /** The elements of a container that runs, or is about to. */
  #portsOf(container: ContainerNetworking): readonly RuleElement[] {
    const elements = this.#elementsOf(container);
    if (elements.length > 0) this.#ports.set(container.containerId, elements);
    else this.#ports.delete(container.containerId);
    return elements;
  }

  #elementsOf(container: ContainerNetworking): RuleElement[] {
    return [...portElements(container, this.#suffix), ...openingElements(container, this.#suffix)];
  }

  /** A service that loads its rules does so in several steps. */
  #lookSoon(): void {
    clearTimeout(this.#looking);
    const look = () => {
      this.#rulesRemoved();
      this.#restore().catch(() => {});
    };
    this.#looking = setTimeout(look, 50).unref();
  }

  /** Makes our tables again after somebody has deleted them. What cannot be made fails the next start, which says so. */
  async #restore(): Promise<void> {
    if (await this.#firewall.isRight()) return;
    const wanted = [...this.#links.elements(), ...[...this.#ports.values()].flat()];
    if (wanted.length > 0) await this.#firewall.set(wanted, "make the firewall again that somebody has removed");
  }
}

function without(elements: readonly RuleElement[], others: readonly RuleElement[]): RuleElement[] {
  const known = new Set(others.map((element) => JSON.stringify(element)));
  return elements.filter((element) => !known.has(JSON.stringify(element)));
}
