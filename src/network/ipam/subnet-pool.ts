import { SampanError } from "../../errors/index.ts";
import { firstOf, lastOf, type Prefix, sizeOf } from "../addresses/prefix.ts";
import { Bitmap } from "./bitmap.ts";

/** Distances from the subnet's first address up to here are in the bitmap; beyond are only lone addresses of wide IPv6 subnets. */
const bitmapEnd = 2n ** 53n - 1n;

interface Range {
  readonly first: bigint;
  readonly last: bigint;
  /** No address of the range below this one is free. */
  low: bigint;
  users: number;
}

/**
 * The addresses of one subnet: which are taken, by whom does not matter. Networks may share a subnet, each with an
 * `--ip-range` of its own (macvlan networks in one LAN do).
 */
export class SubnetPool {
  readonly prefix: Prefix;
  readonly #base: bigint;
  readonly #end: bigint;
  readonly #near = new Bitmap();
  readonly #far = new Set<bigint>();
  /** Gateways and auxiliary addresses; those of networks that share the subnet may be the same. */
  readonly #fixed = new Map<bigint, number>();
  /** Static addresses of containers that do not run: nobody else gets them by chance. */
  readonly #held = new Map<bigint, number>();
  /** By their text. */
  readonly #ranges = new Map<string, Range>();

  constructor(prefix: Prefix) {
    this.prefix = prefix;
    this.#base = firstOf(prefix);
    this.#end = lastOf(prefix);
    for (const address of unusable(prefix)) this.take(address);
  }

  /** How many networks draw from it. */
  get users(): number {
    return [...this.#ranges.values()].reduce((sum, { users }) => sum + users, 0);
  }

  hasRange(text: string): boolean {
    return this.#ranges.has(text);
  }

  /** A network begins to draw from a part of the subnet, or from all of it. */
  join(text: string, range: Prefix): void {
    const known = this.#ranges.get(text);
    const first = firstOf(range);
    if (known) known.users++;
    else this.#ranges.set(text, { first, last: lastOf(range), low: first, users: 1 });
  }

  leave(text: string): void {
    const known = this.#ranges.get(text);
    if (known && --known.users === 0) this.#ranges.delete(text);
  }

  /** Takes one address; false when it is taken. Throws when it is not of this subnet. */
  take(address: bigint): boolean {
    const offset = this.#offset(address);
    if (offset <= bitmapEnd) return this.#near.add(Number(offset));
    if (this.#far.has(offset)) return false;
    this.#far.add(offset);
    return true;
  }

  /** Takes the lowest free address of a range that was joined, as dockerd does; undefined when none is left. */
  takeAny(range: string): bigint | undefined {
    const known = this.#ranges.get(range);
    if (!known) throw new SampanError("internal", "Cannot take an address: no network has joined its range");
    const start = this.#free(known.low, known.last);
    known.low = start ?? known.last + 1n;
    for (let found = start; found !== undefined; found = this.#free(found + 1n, known.last)) {
      if (this.#held.has(found)) continue;
      this.take(found);
      return found;
    }
    return undefined;
  }

  release(address: bigint): void {
    const offset = this.#offset(address);
    if (offset <= bitmapEnd) this.#near.delete(Number(offset));
    else this.#far.delete(offset);
    this.#reopen(address);
  }

  /** Takes an address that is a network's for all its life; false when a container has it. */
  fix(address: bigint): boolean {
    const users = this.#fixed.get(address) ?? 0;
    if (users === 0 && !this.take(address)) return false;
    this.#fixed.set(address, users + 1);
    return true;
  }

  unfix(address: bigint): void {
    if (decrement(this.#fixed, address)) this.release(address);
  }

  /** Keeps `takeAny` from an address; `take` may have it. */
  hold(address: bigint): void {
    this.#offset(address);
    this.#held.set(address, (this.#held.get(address) ?? 0) + 1);
  }

  unhold(address: bigint): void {
    if (decrement(this.#held, address)) this.#reopen(address);
  }

  get inUse(): number {
    return this.#near.size + this.#far.size;
  }

  /** How many addresses of the range nobody has. */
  available(range: Prefix): number {
    const first = this.#offset(firstOf(range));
    const last = this.#offset(lastOf(range));
    const near =
      first > bitmapEnd ? 0 : this.#near.countBetween(Number(first), Number(last < bitmapEnd ? last : bitmapEnd));
    const far = [...this.#far].filter((offset) => offset >= first && offset <= last).length;
    return Number(sizeOf(range)) - near - far;
  }

  #free(first: bigint, last: bigint): bigint | undefined {
    const from = first - this.#base;
    const to = last - this.#base;
    if (from <= bitmapEnd && from <= to) {
      const near = this.#near.lowestFree(Number(from), Number(to < bitmapEnd ? to : bitmapEnd));
      if (near !== undefined) return this.#base + BigInt(near);
    }
    let offset = from > bitmapEnd ? from : bitmapEnd + 1n;
    while (offset <= to && this.#far.has(offset)) offset++;
    return offset <= to ? this.#base + offset : undefined;
  }

  #reopen(address: bigint): void {
    for (const range of this.#ranges.values()) {
      if (address >= range.first && address < range.low) range.low = address;
    }
  }

  #offset(address: bigint): bigint {
    if (address < this.#base || address > this.#end) {
      throw new SampanError("internal", "Cannot use an address: it is not part of the subnet");
    }
    return address - this.#base;
  }
}

/**
 * IPv4: the network's own address and that of the broadcast, which point-to-point links lack (RFC 3021); IPv6: the
 * anycast address of its routers (RFC 4291, section 2.6.1).
 */
function unusable(prefix: Prefix): bigint[] {
  if (prefix.family === 6) return [firstOf(prefix)];
  return prefix.bits > 30 ? [] : [firstOf(prefix), lastOf(prefix)];
}

/** True when that was the last. */
function decrement(counts: Map<bigint, number>, key: bigint): boolean {
  const count = counts.get(key);
  if (count === undefined) return false;
  if (count > 1) counts.set(key, count - 1);
  else counts.delete(key);
  return count === 1;
}
