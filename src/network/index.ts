import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { messageOf, SampanError } from "../errors/index.ts";
import type { Executor } from "../kernel/executor.ts";
import type { Layout } from "../storage/layout.ts";
import { ResolverFile } from "./dns/resolv-conf.ts";
import { createDnsServer } from "./dns/server.ts";
import { defaultBridgeName } from "./drivers/names.ts";
import { EgressControl } from "./egress/control.ts";
import type { EgressAttempt } from "./egress/types.ts";
import { Endpoints } from "./endpoints/endpoints.ts";
import { openNetworkHost } from "./host/host.ts";
import type { NetworkHost } from "./host/types.ts";
import type { HostPrefix } from "./ipam/types.ts";
import type { Networking, RunningSandbox, Sandbox, SandboxRequest } from "./networking.ts";
import type { NetworkingOptions } from "./options.ts";
import type { NetworkLog, NetworkParts } from "./parts.ts";
import { Publishing } from "./publishing.ts";
import { refuseConfiguration } from "./records/configuration.ts";
import { NetworkRecords } from "./records/records.ts";
import type { NetworkRequest } from "./records/types.ts";
import { ContainerSandbox, isConnected } from "./sandbox.ts";
import type { EndpointRequest, NetworkRecord } from "./types.ts";

export type * from "./networking.ts";

export interface OpenNetworksOptions {
  readonly layout: Layout;
  readonly db: DatabaseSync;
  readonly executor: Executor;
  readonly log: NetworkLog;
  readonly options: NetworkingOptions;
  /** Something that an egress policy has refused. */
  readonly onEgress?: (attempt: EgressAttempt) => void;
}

/** Composes the networks of a root directory: reads their records. Nothing is made in the kernel before it is needed. */
export async function openNetworks(open: OpenNetworksOptions): Promise<Networking> {
  const { layout, db, executor, log, options, onEgress: tell = () => {} } = open;
  const egress = new EgressControl({ executor, suffix: layout.suffix, warn: (text) => log.warn({}, text), tell });
  const host = openNetworkHost({
    executor,
    suffix: layout.suffix,
    options: { ipForward: options.ipForward, publishPolicy: options.publishPolicy },
    rulesRemoved: () => void egress.restore(),
  });
  const records = await NetworkRecords.open(db, {
    root: layout.root,
    bridgeInterface: defaultBridgeName(layout.suffix),
    options,
    host: async () => [...(await host.usedRanges()), ...nameServers()],
    bridgeAddresses: isForeign(options.bridge) ? await addressesOf(host, options.bridge) : [],
  });
  const parts = {
    executor,
    log,
    host,
    endpoints: new Endpoints(records),
    ports: new Publishing(),
    dns: createDnsServer({ hooks: egress }),
    egress,
  };
  return new ComposedNetworks(parts, records, {
    defaultNetwork: options.bridge === "none" ? "none" : "bridge",
    mark: join(layout.run, "networks"),
  });
}

/** Subnets that we choose leave the machine its name servers, wherever they are. */
function nameServers(): HostPrefix[] {
  return new ResolverFile().servers.map((server) => ({ range: `${server}/${server.includes(":") ? 128 : 32}` }));
}

/** Whether `--bridge` names a bridge that is not ours to make. */
function isForeign(bridge: string | undefined): bridge is string {
  return bridge !== undefined && bridge !== "none";
}

async function addressesOf(host: NetworkHost, name: string): Promise<string[]> {
  const used = await host.usedRanges();
  return used.filter(({ link }) => link === name).map(({ range }) => range);
}

class ComposedNetworks implements Networking {
  readonly defaultNetwork: "bridge" | "none";
  readonly #parts: NetworkParts;
  readonly #records: NetworkRecords;
  /** A file that says that something of ours may be in the kernel; it goes with the machine's runtime files, as that does. */
  readonly #mark: string;
  /** Networks that are in the kernel, or about to be. */
  readonly #ensured = new Map<string, Promise<void> | "done">();
  /** Networks that are being removed: nobody joins them any more. */
  readonly #leaving = new Set<string>();
  #warnings: readonly string[] = [];

  constructor(
    parts: Omit<NetworkParts, "ensure">,
    records: NetworkRecords,
    { defaultNetwork, mark }: { readonly defaultNetwork: "bridge" | "none"; readonly mark: string },
  ) {
    this.#parts = { ...parts, ensure: (network) => this.#ensure(network) };
    this.#records = records;
    this.defaultNetwork = defaultNetwork;
    this.#mark = mark;
  }

  list(): readonly NetworkRecord[] {
    return this.#records.list();
  }

  find(reference: string): NetworkRecord | undefined {
    const exact = this.#records.byName(reference) ?? this.#records.byId(reference);
    if (exact !== undefined || !/^[0-9a-f]{4,}$/.test(reference)) return exact;
    try {
      return this.#records.resolve(reference);
    } catch {
      return undefined;
    }
  }

  get(reference: string): NetworkRecord {
    return this.#records.resolve(reference);
  }

  async create(request: NetworkRequest): Promise<{ readonly network: NetworkRecord; readonly warning: string }> {
    return { network: await this.#records.create(request), warning: "" };
  }

  async remove(network: NetworkRecord): Promise<void> {
    this.#refuseUse(network);
    this.#leaving.add(network.id);
    try {
      const state = this.#ensured.get(network.id);
      if (state !== undefined) {
        await state;
        this.#refuseUse(network);
        await this.#parts.host.remove(network);
        this.#ensured.delete(network.id);
      }
      this.#records.remove(network.id);
    } finally {
      this.#leaving.delete(network.id);
    }
  }

  /** Containers that are just starting count, too. */
  #refuseUse({ id, name }: NetworkRecord): void {
    if (this.#parts.endpoints.of(id).length === 0) return;
    throw new SampanError("denied", `error while removing network: network ${name} has active endpoints`);
  }

  hold(network: NetworkRecord, addresses: Pick<EndpointRequest, "ipv4" | "ipv6">): void {
    this.#parts.endpoints.hold(network, addresses);
  }

  unhold(network: NetworkRecord, addresses: Pick<EndpointRequest, "ipv4" | "ipv6">): void {
    this.#parts.endpoints.unhold(network, addresses);
  }

  open(request: SandboxRequest): Sandbox | Promise<Sandbox> {
    for (const { network } of request.joinings) refuseConfiguration(network);
    const left = request.joinings.find(({ network }) => this.#leaving.has(network.id));
    if (left !== undefined) throw new SampanError("not-found", `network ${left.network.name} not found`);
    const missing = this.#networksOf(request).filter(
      (network) => isConnected(network) && !(this.#isEnsured(network) && this.#parts.host.ready(network)),
    );
    if (missing.length === 0) return this.#opened(request);
    return Promise.all(missing.map((network) => this.#ensure(network))).then(() => this.#opened(request));
  }

  /** The networks that have to be in the kernel for a container. */
  #networksOf({ joinings, knowsDefaultBridge }: SandboxRequest): NetworkRecord[] {
    const networks = joinings.map(({ network }) => network);
    const usual = knowsDefaultBridge ? this.#records.byName("bridge") : undefined;
    return usual === undefined || networks.includes(usual) ? networks : [...networks, usual];
  }

  #opened(request: SandboxRequest): Sandbox | Promise<Sandbox> {
    const sandbox = ContainerSandbox.open(this.#parts, request);
    if (sandbox.guarded.length === 0) return sandbox;
    return this.#parts.egress.prepare(sandbox.guarded).then(
      () => sandbox,
      async (error: unknown) => {
        await sandbox.release();
        throw error;
      },
    );
  }

  async recover(running: readonly RunningSandbox[]): Promise<Sandbox[]> {
    const sandboxes = running.map((known) => ContainerSandbox.restore(this.#parts, known));
    try {
      await this.#recoverKernel(sandboxes, running);
    } catch (error) {
      // A daemon that does not start because of that could not even stop those containers.
      this.#parts.log.error({}, `Networks are left as the last daemon left them: ${messageOf(error)}`);
    }
    for (const [index, sandbox] of sandboxes.entries()) sandbox.resume(running[index]?.pid ?? 0);
    return sandboxes;
  }

  async #recoverKernel(sandboxes: readonly ContainerSandbox[], running: readonly RunningSandbox[]): Promise<void> {
    const all = sandboxes.map(({ networking }) => networking);
    const joined = all.filter(({ connections }) => connections.some(({ network }) => isConnected(network)));
    const networks = [...new Set(running.flatMap(({ request }) => this.#networksOf(request)))].filter(isConnected);
    if (networks.length === 0 && !existsSync(this.#mark)) return;
    this.#leaveMark();
    await this.#parts.egress.recover(sandboxes.flatMap(({ guarded }) => guarded));
    await this.#parts.host.recover(networks, joined);
    for (const { id } of networks) this.#ensured.set(id, "done");
    if (networks.length > 0) this.#lookForWarnings();
    else rmSync(this.#mark, { force: true });
  }

  warnings(): readonly string[] {
    // Somebody may have changed his rules: who asks again hears of it
    if (this.#ensured.size > 0) this.#lookForWarnings();
    return this.#warnings;
  }

  async close(): Promise<void> {
    this.#parts.dns.close();
    const remove = [...this.#ensured.keys()].every((id) => this.#parts.endpoints.of(id).length === 0);
    await this.#parts.egress.close({ remove: remove && existsSync(this.#mark) });
    await this.#parts.host.close({ remove: remove && existsSync(this.#mark) });
    if (remove) rmSync(this.#mark, { force: true });
  }

  #isEnsured({ id }: NetworkRecord): boolean {
    return this.#ensured.get(id) === "done";
  }

  #ensure(network: NetworkRecord): Promise<void> {
    const known = this.#ensured.get(network.id);
    if (known === "done" && this.#parts.host.ready(network)) return Promise.resolve();
    if (known instanceof Promise) return known;
    this.#leaveMark();
    const making = this.#parts.host.ensure(network).then(
      () => void this.#ensured.set(network.id, "done"),
      (error: unknown) => {
        this.#ensured.delete(network.id);
        throw error;
      },
    );
    this.#ensured.set(network.id, making);
    making.then(
      () => this.#lookForWarnings(),
      () => {},
    );
    return making;
  }

  #leaveMark(): void {
    writeFileSync(this.#mark, "");
  }

  #lookForWarnings(): void {
    const { host, log } = this.#parts;
    host.warnings().then(
      (found) => {
        for (const text of found) if (!this.#warnings.includes(text)) log.warn({}, text);
        this.#warnings = found;
      },
      (error: unknown) => log.warn({}, `Cannot look at other firewalls' rules: ${messageOf(error)}`),
    );
  }
}
