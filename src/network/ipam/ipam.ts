import { SampanError } from "../../errors/index.ts";
import { type Family, parseAddress } from "../addresses/address.ts";
import { overlap, type Prefix, printPrefix } from "../addresses/prefix.ts";
import type { Subnet } from "../types.ts";
import { chooseSubnet, type Pool } from "./default-pools.ts";
import { holds, prefixOf, rangeText } from "./parsed.ts";
import { SubnetPool } from "./subnet-pool.ts";
import type { HostPrefix, SubnetUse } from "./types.ts";
import { printMember, type WantedSubnet } from "./validate.ts";

export interface ReserveOptions {
  /** Whether a gateway is chosen where none was asked for. */
  readonly gateway: (family: Family) => boolean;
  /** Whether two networks may draw from one subnet, each from its own range: where the network is somebody else's. */
  readonly shared: boolean;
  /** What subnets that we choose keep clear of. */
  readonly host: readonly HostPrefix[];
}

/**
 * Which subnets and addresses are taken: all of it in memory, nothing is asked of the kernel. At the daemon's start it is
 * told again what networks and running containers have.
 */
export class Ipam {
  readonly #pools: readonly Pool[];
  readonly #subnets = new Map<string, SubnetPool>();

  constructor(pools: readonly Pool[]) {
    this.#pools = pools;
  }

  /** Takes the subnets of a new network, all or none. Errors have dockerd's texts. */
  reserve(wanted: readonly WantedSubnet[], options: ReserveOptions): Subnet[] {
    const reserved: Subnet[] = [];
    try {
      for (const subnet of wanted) reserved.push(this.#reserve(subnet, options));
      return reserved;
    } catch (error) {
      this.release(reserved);
      throw error;
    }
  }

  /** Takes the subnets of a stored network: what was allowed once is not refused now. */
  adopt(subnets: readonly Subnet[]): void {
    for (const subnet of subnets) {
      const pool = this.#open(prefixOf(subnet.subnet), prefixOf(rangeText(subnet)));
      for (const address of fixedOf(subnet)) pool.fix(address);
    }
  }

  /** Gives the subnets of a network back. */
  release(subnets: readonly Subnet[]): void {
    for (const subnet of subnets) {
      const pool = this.#subnets.get(subnet.subnet);
      if (!pool) continue;
      for (const address of fixedOf(subnet)) pool.unfix(address);
      pool.leave(rangeText(subnet));
      if (pool.users === 0) this.#subnets.delete(subnet.subnet);
    }
  }

  /** Takes the lowest free address; undefined when the subnet has none. */
  takeAny(subnet: Subnet): string | undefined {
    const pool = this.#poolOf(subnet);
    const address = pool.takeAny(rangeText(subnet));
    return address === undefined ? undefined : printMember(pool.prefix, address);
  }

  /** Takes an address that was asked for. Throws when it is taken. */
  take(subnet: Subnet, address: string): void {
    const { pool, value } = this.#member(subnet, address);
    if (!pool.take(value)) throw new SampanError("denied", "Address already in use");
  }

  /** Takes what a running container has, whether or not it is taken. */
  adoptAddress(subnet: Subnet, address: string): void {
    const { pool, value } = this.#member(subnet, address);
    pool.take(value);
  }

  /** Gives an address back. One that nobody has is no error. */
  releaseAddress(subnet: Subnet, address: string): void {
    if (!this.#subnets.has(subnet.subnet)) return;
    const { pool, value } = this.#member(subnet, address);
    pool.release(value);
  }

  /** Keeps an address for who asks for it by name: a container that will want it when it starts. */
  hold(subnet: Subnet, address: string): void {
    const { pool, value } = this.#member(subnet, address);
    pool.hold(value);
  }

  unhold(subnet: Subnet, address: string): void {
    if (!this.#subnets.has(subnet.subnet)) return;
    const { pool, value } = this.#member(subnet, address);
    pool.unhold(value);
  }

  use(subnet: Subnet): SubnetUse {
    const pool = this.#poolOf(subnet);
    return { subnet: subnet.subnet, inUse: pool.inUse, dynamicAvailable: pool.available(prefixOf(rangeText(subnet))) };
  }

  #reserve(wanted: WantedSubnet, options: ReserveOptions): Subnet {
    const prefix = wanted.subnet ?? this.#choose(wanted, options.host);
    const range = wanted.range ?? prefix;
    if (wanted.subnet) this.#refuseOverlap(prefix, range, options.shared);
    const pool = this.#open(prefix, range);
    const text = printPrefix(prefix);
    const fixed: bigint[] = [];
    const fix = (address: bigint, what: string) => {
      if (fixed.includes(address) || !pool.fix(address)) {
        throw new SampanError("denied", `failed to allocate ${what}: Address already in use`);
      }
      fixed.push(address);
      return printMember(prefix, address);
    };
    try {
      const gateway = this.#gateway(wanted, pool, range, options, fix);
      const auxiliary = Object.fromEntries(
        [...wanted.auxiliary].map(([name, address]) => {
          const printed = printMember(prefix, address);
          return [name, fix(address, `secondary ip address (${name}:${printed})`)];
        }),
      );
      return {
        subnet: text,
        ...(wanted.range && { ipRange: printPrefix(wanted.range) }),
        ...(gateway !== undefined && { gateway }),
        ...(wanted.auxiliary.size > 0 && { auxiliary }),
      };
    } catch (error) {
      for (const address of fixed) pool.unfix(address);
      pool.leave(printPrefix(range));
      if (pool.users === 0) this.#subnets.delete(text);
      throw error;
    }
  }

  #gateway(
    { gateway, family, auxiliary }: WantedSubnet,
    pool: SubnetPool,
    range: Prefix,
    options: ReserveOptions,
    fix: (address: bigint, what: string) => string,
  ): string | undefined {
    if (gateway !== undefined) return fix(gateway, `gateway (${printMember(pool.prefix, gateway)})`);
    if (!options.gateway(family)) return undefined;
    // Auxiliary addresses are somebody else's: the gateway that we choose is another one.
    for (const address of auxiliary.values()) pool.hold(address);
    const chosen = pool.takeAny(printPrefix(range));
    for (const address of auxiliary.values()) pool.unhold(address);
    if (chosen === undefined) {
      throw new SampanError("invalid", "failed to allocate gateway (): no available addresses on this pool");
    }
    pool.release(chosen);
    return fix(chosen, `gateway (${printMember(pool.prefix, chosen)})`);
  }

  #choose({ family, size }: WantedSubnet, host: readonly HostPrefix[]): Prefix {
    const taken = [...this.#subnets.values()].map(({ prefix }) => prefix);
    return chooseSubnet(this.#pools, taken, host, family, size);
  }

  #refuseOverlap(prefix: Prefix, range: Prefix, shared: boolean): void {
    const same = this.#subnets.get(printPrefix(prefix));
    if (same && shared && range.bits > prefix.bits && !same.hasRange(printPrefix(range))) return;
    for (const pool of this.#subnets.values()) {
      if (overlap(pool.prefix, prefix)) {
        throw new SampanError("denied", "invalid pool request: Pool overlaps with other one on this address space");
      }
    }
  }

  #open(prefix: Prefix, range: Prefix): SubnetPool {
    const text = printPrefix(prefix);
    const pool = this.#subnets.get(text) ?? new SubnetPool(prefix);
    pool.join(printPrefix(range), range);
    this.#subnets.set(text, pool);
    return pool;
  }

  #poolOf({ subnet }: Subnet): SubnetPool {
    const pool = this.#subnets.get(subnet);
    if (!pool) throw new SampanError("internal", `Cannot use the subnet ${subnet}: no network has it`);
    return pool;
  }

  #member(subnet: Subnet, address: string): { pool: SubnetPool; value: bigint } {
    const pool = this.#poolOf(subnet);
    const ip = parseAddress(address);
    if (ip && holds(subnet, ip)) return { pool, value: ip.value };
    throw new SampanError("invalid", `Cannot use the address ${address}: it is not part of ${subnet.subnet}`);
  }
}

/** The addresses of a subnet that no container gets. */
function fixedOf({ gateway, auxiliary }: Subnet): bigint[] {
  const texts = [...(gateway === undefined ? [] : [gateway]), ...Object.values(auxiliary ?? {})];
  return texts.flatMap((text) => parseAddress(text)?.value ?? []);
}
