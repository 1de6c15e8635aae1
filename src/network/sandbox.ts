import { setTimeout } from "node:timers/promises";
import { messageOf, SampanError } from "../errors/index.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import { type ExpectedSockets, expectSockets, openSockets } from "./dns/sockets.ts";
import type { ContainerDns, DnsSockets } from "./dns/types.ts";
import type { Guarded } from "./egress/types.ts";
import { endpointOption } from "./endpoints/settings.ts";
import { linksUpNote } from "./host/attachment.ts";
import { takenPort } from "./host/reservations.ts";
import type { ContainerNetworking } from "./host/types.ts";
import type { Joining, RunningSandbox, Sandbox, SandboxRequest } from "./networking.ts";
import type { NetworkParts } from "./parts.ts";
import { explainPort } from "./publishing.ts";
import type { Attachment, Endpoint, EndpointRequest, NetworkRecord, Opening, PublishedPort } from "./types.ts";

/** Milliseconds until another look whether the kernel has taken away the link of who had an address before. */
const linkPatience = 25;

/**
 * On one parent no two links that are up have the same MAC address, and the kernel takes away those of a network that has
 * ended a moment later: whoever gets the same address at once, as in a restart, may come too early.
 */
function isAddressStillUp(error: unknown): boolean {
  return (
    error instanceof KernelError && error.errno === "EADDRINUSE" && error.step?.note.startsWith(linksUpNote) === true
  );
}

/** A container's endpoint with why it is there. */
interface Joined extends Joining {
  readonly endpoint: Endpoint;
}

/** Whether the machine has something to do for who is joined. */
export function isConnected({ driver }: Pick<NetworkRecord, "driver">): boolean {
  return driver !== "host" && driver !== "null";
}

/** One container's part in its networks: composes address management, the kernel's side and name service. */
export class ContainerSandbox implements Sandbox {
  readonly containerId: string;
  readonly #parts: NetworkParts;
  readonly #request: SandboxRequest;
  #joined: readonly Joined[];
  #ports: readonly PublishedPort[];
  #openings: readonly Opening[];
  #reservedApart: true | undefined;
  /** Ports that were some other process's. */
  readonly #refused: PublishedPort[] = [];
  #guarded: readonly Guarded[] = [];
  #sockets: ExpectedSockets | undefined;
  #released = false;
  /** Its questions are answered, or about to be: also while it is on no network with names. */
  #isServed = false;

  private constructor(
    parts: NetworkParts,
    request: SandboxRequest,
    joined: readonly Joined[],
    ports: readonly PublishedPort[],
  ) {
    this.#parts = parts;
    this.containerId = request.containerId;
    this.#request = request;
    this.#joined = joined;
    this.#ports = ports;
    this.#openings = request.openings;
  }

  /** For a container that is about to start. All or nothing. */
  static open(parts: NetworkParts, request: SandboxRequest): ContainerSandbox {
    const joined: Joined[] = [];
    try {
      for (const joining of request.joinings) joined.push(allocate(parts, request.containerId, joining, joined));
      parts.egress.guardedOf(request.egress, joined); // or says why not
      const ports = parts.ports.allocate(request.ports, joined, request.containerName);
      const sandbox = new ContainerSandbox(parts, request, joined, ports);
      sandbox.#guard();
      return sandbox;
    } catch (error) {
      for (const { endpoint } of joined) parts.endpoints.release(endpoint);
      throw error;
    }
  }

  /** For one that runs already: takes again what it has. */
  static restore(parts: NetworkParts, { request, endpoints, ports, reservedApart }: RunningSandbox): ContainerSandbox {
    const joined = request.joinings.flatMap((joining) => {
      const endpoint = endpoints.find(({ networkId }) => networkId === joining.network.id);
      return endpoint === undefined ? [] : [{ ...joining, endpoint }];
    });
    for (const { endpoint } of joined) parts.endpoints.restore(endpoint);
    parts.ports.restore(ports);
    const sandbox = new ContainerSandbox(parts, request, joined, ports);
    if (reservedApart) sandbox.#reservedApart = true;
    sandbox.#guard();
    return sandbox;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#joined.map(({ endpoint }) => endpoint);
  }

  get ports(): readonly PublishedPort[] {
    return this.#ports;
  }

  get reservedApart(): true | undefined {
    return this.#reservedApart;
  }

  get named(): boolean {
    return this.#guarded.length > 0 || this.#joined.some(({ names }) => names.length > 0);
  }

  /** Its connections for which an egress policy holds. */
  get guarded(): readonly Guarded[] {
    return this.#guarded;
  }

  /** What the machine does for it. */
  get networking(): ContainerNetworking {
    return this.#networkingOf(this.#joined);
  }

  get attachment(): Attachment | undefined {
    if (!this.#joined.some(({ network }) => isConnected(network))) return undefined;
    const attachment = this.#parts.host.attachment(this.networking);
    if (!this.named) return attachment;
    const sockets = expectSockets(this.#parts.executor, this.containerId);
    this.#sockets = sockets;
    return {
      endpoints: attachment.endpoints,
      ports: attachment.ports,
      connect: (p, container) => {
        this.#parts.egress.steps(p, this.#guarded); // before there is a link
        const giveBack = attachment.connect(p, container);
        sockets.steps(p, container.namespace);
        return giveBack;
      },
    };
  }

  retry(error: unknown): boolean | Promise<boolean> {
    if (isAddressStillUp(error)) {
      this.#sockets?.cancel();
      this.#sockets = undefined;
      return setTimeout(linkPatience, true);
    }
    const taken = takenPort(error, this.#ports);
    if (taken === undefined) return false;
    this.#refused.push(taken);
    const { ports: wanted, containerName } = this.#request;
    const allocated = { ports: this.#ports, refused: this.#refused };
    const others = this.#parts.ports.another(wanted, this.#joined, containerName, allocated);
    if (others === undefined) return false;
    this.#sockets?.cancel();
    this.#sockets = undefined;
    this.#ports = others;
    return true;
  }

  explain(error: unknown): unknown {
    return explainPort(error, this.#joined, this.#request.containerName) ?? error;
  }

  started(): void {
    const sockets = this.#sockets;
    this.#sockets = undefined;
    if (sockets !== undefined) this.#serve(sockets.sockets);
    this.#parts.host.started(this.networking)?.catch((error: unknown) => {
      this.#parts.log.warn({ container: this.containerId }, `earlier flows are not led to it: ${messageOf(error)}`);
    });
  }

  /** Serves names to a container that an earlier daemon has started, and keeps the ports that this had kept for it. */
  resume(pid: number): void {
    if (this.named) this.#serve(openSockets(this.#parts.executor, pid));
    if (!this.#reservedApart) return;
    this.#parts.host.reserve(this.networking).catch((error: unknown) => {
      this.#parts.log.warn(
        { container: this.containerId },
        `its ports are published, not reserved: ${messageOf(error)}`,
      );
    });
  }

  async join(pid: number, joining: Joining): Promise<Endpoint> {
    const { host, endpoints, dns, ensure, egress } = this.#parts;
    const joined = allocate(this.#parts, this.containerId, joining, this.#joined);
    const after = [...this.#joined, joined];
    let guarded: readonly Guarded[] = [];
    let ports = this.#ports;
    try {
      if (ports.length === 0) ports = await this.#publish(after);
      guarded = egress.guardedOf(this.#request.egress, [joined]);
      if (isConnected(joining.network)) {
        await ensure(joining.network);
        await egress.prepare(guarded);
        for (const each of guarded) await egress.add(each);
        await host.connect(`/proc/${pid}/ns/net`, this.#networkingOf(after, ports), joined.endpoint);
      }
      if (this.#released) throw new SampanError("conflict", "Cannot join a network: the container has just ended");
    } catch (error) {
      await egress.remove(guarded).catch((failure: unknown) => this.#leaves(failure));
      if (ports !== this.#ports) await this.#unpublish(after, ports);
      endpoints.release(joined.endpoint);
      throw error;
    }
    this.#joined = after;
    if (ports !== this.#ports) this.#reservedApart = true;
    this.#ports = ports;
    this.#guard();
    this.#tellNames(joined);
    dns.configure(this.containerId, this.#dnsSettings());
    if (this.named && !this.#isServed) this.#serve(openSockets(this.#parts.executor, pid));
    return joined.endpoint;
  }

  /**
   * Ports for a container that joins the first network that leads outside while it runs; none where there is none, or it
   * wants none.
   */
  async #publish(joined: readonly Joined[]): Promise<readonly PublishedPort[]> {
    const { host, ports: publishing } = this.#parts;
    const { ports: wanted, containerName } = this.#request;
    const refused: PublishedPort[] = [];
    let ports = publishing.allocate(wanted, joined, containerName);
    while (ports.length > 0) {
      try {
        await host.reserve(this.#networkingOf(joined, ports));
        return ports;
      } catch (error) {
        const taken = takenPort(error, ports);
        if (taken) refused.push(taken);
        const others = taken && publishing.another(wanted, joined, containerName, { ports, refused });
        if (others === undefined) {
          publishing.release(ports);
          throw explainPort(error, joined, containerName) ?? error;
        }
        ports = others;
      }
    }
    return this.#ports;
  }

  /** After a joining that failed. */
  async #unpublish(joined: readonly Joined[], ports: readonly PublishedPort[]): Promise<void> {
    const { host, ports: publishing, log } = this.#parts;
    await host.release(this.#networkingOf(joined, ports))?.catch((error: unknown) => {
      log.error({ container: this.containerId }, `published ports are left: ${messageOf(error)}`);
    });
    publishing.release(ports);
  }

  async leave(pid: number, networkId: string): Promise<Endpoint> {
    const left = this.#joined.find(({ network }) => network.id === networkId);
    if (left === undefined) throw new SampanError("internal", `Cannot leave network ${networkId}: not joined`);
    const after = this.#joined.filter((joined) => joined !== left);
    if (isConnected(left.network)) {
      await this.#parts.host.disconnect(`/proc/${pid}/ns/net`, this.#networkingOf(after), left);
    }
    this.#joined = after;
    const gone = this.#guarded.filter((guarded) => guarded.networkId === networkId);
    this.#guard();
    await this.#parts.egress.remove(gone).catch((failure: unknown) => this.#leaves(failure));
    this.#parts.endpoints.release(left.endpoint);
    this.#parts.dns.removeEndpoint(networkId, this.containerId);
    this.#parts.dns.configure(this.containerId, this.#dnsSettings());
    return left.endpoint;
  }

  async reopen(openings: readonly Opening[]): Promise<void> {
    if (this.#released) return;
    const before = this.networking;
    this.#openings = openings;
    await this.#parts.host.reopen(before, this.networking);
  }

  rename(names: (endpoint: Endpoint) => readonly string[]): void {
    this.#joined = this.#joined.map((joined) => ({ ...joined, names: names(joined.endpoint) }));
    for (const joined of this.#joined) this.#tellNames(joined);
  }

  release(): Promise<void> | undefined {
    this.#released = true;
    this.#sockets?.cancel();
    this.#sockets = undefined;
    if (this.named || this.#parts.dns.isServed(this.containerId)) this.#parts.dns.release(this.containerId);
    const giveBack = (): undefined => {
      for (const { endpoint } of this.#joined) this.#parts.endpoints.release(endpoint);
      this.#parts.ports.release(this.#ports);
    };
    this.#parts.egress.know(this.containerId, [], true);
    const taking = this.#parts.host.release(this.networking);
    const guarded = this.#guarded;
    if (taking === undefined && guarded.length === 0) return giveBack();
    return Promise.all([taking, this.#parts.egress.remove(guarded).catch((error: unknown) => this.#leaves(error))])
      .catch((error: unknown) => {
        this.#parts.log.error({ container: this.containerId }, `published ports are left: ${messageOf(error)}`);
      })
      .then(giveBack);
  }

  /** Finds out which egress policies hold for it now. */
  #guard(): void {
    const { egress } = this.#parts;
    this.#guarded = egress.guardedOf(this.#request.egress, this.#joined);
    const held = new Set(this.#guarded.map(({ networkId }) => networkId));
    const isFree = ({ network }: Joined) => isConnected(network) && !network.internal && !held.has(network.id);
    egress.know(this.containerId, this.#guarded, this.#joined.some(isFree));
  }

  #leaves(failure: unknown): void {
    const text = `rules of its egress policy are left: ${messageOf(failure)}`;
    this.#parts.log.error({ container: this.containerId }, text);
  }

  #serve(arriving: Promise<DnsSockets>): void {
    this.#isServed = true;
    for (const joined of this.#joined) this.#tellNames(joined);
    arriving.then(
      (sockets) => {
        if (this.#released) sockets.close();
        else this.#parts.dns.serve(this.containerId, sockets, this.#dnsSettings());
      },
      (error: unknown) => {
        this.#isServed = false;
        if (this.#released) return;
        this.#parts.log.error({ container: this.containerId }, `names are not served: ${messageOf(error)}`);
      },
    );
  }

  #tellNames({ network, names, links, endpoint: { ipv4, ipv6 } }: Joined): void {
    if (names.length === 0) return;
    this.#parts.dns.setEndpoint({
      networkId: network.id,
      networkName: network.name,
      containerId: this.containerId,
      names,
      ...(ipv4 && { ipv4: ipv4.address }),
      ...(ipv6 && { ipv6: ipv6.address }),
      ...(links && { links }),
    });
  }

  #dnsSettings(): ContainerDns {
    const { servers, ndotsSet } = this.#request.dns;
    const named = this.#joined.filter(({ names }) => names.length > 0).sort(byPriority);
    const forward = this.#joined.some(({ network }) => isConnected(network) && !network.internal);
    return { networks: named.map(({ network }) => network.id), forward, servers, ndotsSet };
  }

  #networkingOf(joined: readonly Joined[], ports = this.#ports): ContainerNetworking {
    return { containerId: this.containerId, connections: joined, ports, openings: this.#openings };
  }
}

function allocate(parts: NetworkParts, containerId: string, joining: Joining, others: readonly Joined[]): Joined {
  const { network, request } = joining;
  const name = isConnected(network) ? interfaceName(request, others) : "";
  return { ...joining, endpoint: parts.endpoints.allocate(network, request, containerId, name) };
}

/** What was asked for, else the first ethN that is free. */
function interfaceName({ driverOptions }: EndpointRequest, others: readonly Joined[]): string {
  const taken = new Set(others.map(({ endpoint }) => endpoint.interfaceName));
  const asked = driverOptions[endpointOption.interfaceName];
  if (asked !== undefined) return asked;
  for (let number = 0; ; number++) if (!taken.has(`eth${number}`)) return `eth${number}`;
}

function byPriority(a: Joined, b: Joined): number {
  return b.endpoint.gatewayPriority - a.endpoint.gatewayPriority || (a.network.name < b.network.name ? -1 : 1);
}
