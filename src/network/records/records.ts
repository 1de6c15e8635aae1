import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { kindOf, messageOf, SampanError } from "../../errors/index.ts";
import { poolsOf } from "../ipam/default-pools.ts";
import { Ipam, type ReserveOptions } from "../ipam/ipam.ts";
import { parseSubnets, type WantedSubnet } from "../ipam/validate.ts";
import type { NetworkRecord, Subnet } from "../types.ts";
import { checkConfiguration, configured } from "./configuration.ts";
import { refuseConflicts } from "./conflicts.ts";
import { option, parseBoolean } from "./driver-options.ts";
import { bridgeSubnet, defaultBridge, plainNetwork, predefinedId } from "./predefined.ts";
import { checkRequest } from "./request.ts";
import { NetworkTable } from "./table.ts";
import type { NetworkDefaults, NetworkRequest } from "./types.ts";

/** The networks of this root: their table, and what of it is taken in `ipam`. Reading is from memory. */
export class NetworkRecords {
  readonly ipam: Ipam;
  readonly #defaults: NetworkDefaults;
  readonly #table: NetworkTable;
  readonly #byId = new Map<string, NetworkRecord>();
  readonly #byName = new Map<string, NetworkRecord>();

  private constructor(db: DatabaseSync, defaults: NetworkDefaults) {
    this.ipam = new Ipam(poolsOf(defaults.options.defaultAddressPools, defaults.root));
    this.#defaults = defaults;
    this.#table = new NetworkTable(db);
  }

  /** Reads what is stored and makes the predefined networks as the daemon's options want them. */
  static async open(db: DatabaseSync, defaults: NetworkDefaults): Promise<NetworkRecords> {
    const records = new NetworkRecords(db, defaults);
    const stored = records.#table.all();
    for (const record of stored.filter((each) => !each.predefined)) {
      records.ipam.adopt(record.subnets);
      records.#remember(record);
    }
    await records.#openPredefined(stored);
    return records;
  }

  /** All of them, in no order. */
  list(): NetworkRecord[] {
    return [...this.#byId.values()];
  }

  byId(id: string): NetworkRecord | undefined {
    return this.#byId.get(id);
  }

  byName(name: string): NetworkRecord | undefined {
    return this.#byName.get(name);
  }

  /** The network with this id, name or beginning of an id, in this order. Throws "network x not found". */
  resolve(reference: string): NetworkRecord {
    const exact = this.#byId.get(reference) ?? this.#byName.get(reference);
    if (exact) return exact;
    const isPrefix = /^[0-9a-f]+$/.test(reference);
    const matches = isPrefix ? this.list().filter(({ id }) => id.startsWith(reference)) : [];
    if (matches.length > 1) {
      const text = `network ${reference} is ambiguous (${matches.length} matches found based on ID prefix)`;
      throw new SampanError("invalid", text);
    }
    const [only] = matches;
    if (only) return only;
    throw new SampanError("not-found", `network ${reference} not found`);
  }

  /** Makes and stores a network: all of dockerd's checks with its texts, nothing in the kernel. */
  async create(request: NetworkRequest): Promise<NetworkRecord> {
    if (request.configOnly) return this.#createConfiguration(request);
    if (!request.configFrom) return await this.#create(request);
    return await this.#create(configured(request, this.#byName.get(request.configFrom)), request.configFrom);
  }

  #createConfiguration(request: NetworkRequest): NetworkRecord {
    const checked = checkConfiguration(request);
    this.#refuseName(request.name);
    const { name, options = {}, labels = {} } = request;
    const own = { id: newId(), name, driver: "null", createdAt: Date.now(), options, labels } as const;
    const none = { predefined: false, internal: false, attachable: false, subnets: [], ipamOptions: {} };
    const record: NetworkRecord = { ...own, ...none, ...checked };
    this.#table.put(record);
    this.#remember(record);
    return record;
  }

  async #create(request: NetworkRequest, configFrom?: string): Promise<NetworkRecord> {
    const checked = checkRequest(request, this.#defaults.options.defaultNetworkOptions);
    this.#refuseName(request.name);
    const host = checked.subnets.every(({ subnet }) => subnet) ? [] : await this.#defaults.host();
    // Somebody may have been faster while the machine was asked; from here on nothing is waited for.
    this.#refuseName(request.name);
    const id = newId();
    refuseConflicts(id, checked, this.list(), this.#defaults.bridgeInterface);
    const subnets = this.ipam.reserve(checked.subnets, {
      ...gatewayPolicy(checked.driver, checked.options, request.internal ?? false),
      shared: checked.driver !== "bridge",
      host,
    });
    const record: NetworkRecord = {
      id,
      name: request.name,
      driver: checked.driver,
      createdAt: Date.now(),
      predefined: false,
      internal: request.internal ?? false,
      attachable: request.attachable ?? false,
      ipv4: checked.ipv4,
      ipv6: checked.ipv6,
      subnets,
      ipamOptions: request.ipam?.options ?? null,
      options: checked.options,
      labels: request.labels ?? {},
      ...(checked.egress && { egress: checked.egress }),
      ...(configFrom !== undefined && { configFrom }),
    };
    try {
      this.#table.put(record);
    } catch (error) {
      this.ipam.release(subnets);
      throw error;
    }
    this.#remember(record);
    return record;
  }

  /** Forgets a network. Whether containers are joined to it is the caller's to find out first. */
  remove(id: string): void {
    const record = this.#byId.get(id);
    if (!record) return;
    if (record.predefined) {
      throw new SampanError("denied", `${record.name} is a pre-defined network and cannot be removed`);
    }
    if (record.configuration && this.list().some(({ configFrom }) => configFrom === record.name)) {
      const text = `configuration network ${JSON.stringify(record.name)} is in use`;
      throw new SampanError("denied", `error while removing network: ${text}`);
    }
    this.#table.delete(id);
    this.#byId.delete(id);
    this.#byName.delete(record.name);
    this.ipam.release(record.subnets);
  }

  async #openPredefined(stored: readonly NetworkRecord[]): Promise<void> {
    const { root, options } = this.#defaults;
    const wanted = options.bridge === "none" ? (["host", "none"] as const) : (["bridge", "host", "none"] as const);
    const ids = new Map(wanted.map((name) => [predefinedId(root, name), name]));
    for (const { id, predefined } of stored) if (predefined && !ids.has(id)) this.#table.delete(id);
    for (const [id, name] of ids) {
      const old = stored.find((each) => each.id === id);
      const since = old?.createdAt ?? Date.now();
      const record =
        name === "bridge" ? await this.#bridge(old, since).catch(noBridge) : plainNetwork(root, name, since);
      if (JSON.stringify(record) !== JSON.stringify(old)) this.#table.put(record);
      this.#remember(record);
    }
  }

  async #bridge(old: NetworkRecord | undefined, since: number): Promise<NetworkRecord> {
    const record = defaultBridge(this.#defaults, since);
    const families = record.ipv6 ? ([4, 6] as const) : ([4] as const);
    const subnets: Subnet[] = [];
    for (const family of families) {
      const { options, bridgeAddresses = [] } = this.#defaults;
      const config = bridgeSubnet(options, bridgeAddresses, family);
      const before = old?.subnets.find(({ subnet }) => subnet.includes(":") === (family === 6));
      const wanted = config && parseSubnets([config], { ipv4: true, ipv6: true });
      subnets.push(...(await this.#bridgeSubnet(wanted ?? [{ family, auxiliary: new Map() }], before)));
    }
    return { ...record, subnets };
  }

  /** What was chosen for the default bridge once stays, as long as no user-defined network has taken it. */
  async #bridgeSubnet(wanted: readonly WantedSubnet[], before: Subnet | undefined): Promise<Subnet[]> {
    const options: ReserveOptions = { gateway: () => true, shared: false, host: [] };
    if (wanted.every(({ subnet }) => subnet)) return this.ipam.reserve(wanted, options);
    if (before && before.ipRange === undefined) {
      try {
        return this.ipam.reserve(parseSubnets([before], { ipv4: true, ipv6: true }), options);
      } catch {
        // Its subnet is taken or its options have gone: another one is chosen.
      }
    }
    return this.ipam.reserve(wanted, { ...options, host: await this.#defaults.host() });
  }

  #refuseName(name: string): void {
    if (this.#byName.has(name)) throw new SampanError("conflict", `network with name ${name} already exists`);
  }

  #remember(record: NetworkRecord): void {
    this.#byId.set(record.id, record);
    this.#byName.set(record.name, record);
  }
}

/** What the daemon does not start for, in dockerd's words. */
function noBridge(cause: unknown): never {
  throw new SampanError(kindOf(cause), `error creating default "bridge" network: ${messageOf(cause)}`, { cause });
}

/**
 * A bridge has an address unless its network is cut off from the machine. Of macvlan and ipvlan networks with a parent the
 * gateway is outside: where the user does not name it, it is taken to be the first address, as by dockerd.
 */
function gatewayPolicy(
  driver: NetworkRecord["driver"],
  options: Readonly<Record<string, string>>,
  internal: boolean,
): Pick<ReserveOptions, "gateway"> {
  if (driver !== "bridge") {
    const hasRouter = !internal && !!options[option.parent] && !/^l3/.test(options[option.ipvlanMode] ?? "");
    return { gateway: () => hasRouter };
  }
  const none4 =
    options[option.gatewayMode4] === "isolated" || (internal && parseBoolean(options[option.inhibit4] ?? "") === true);
  const none6 = options[option.gatewayMode6] === "isolated";
  return { gateway: (family) => !(family === 4 ? none4 : none6) };
}

/** 64 hex digits, of which the first twelve are no number: Docker's ids are the same. */
function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString("hex");
    if (!/^\d{12}/.test(id)) return id;
  }
}
