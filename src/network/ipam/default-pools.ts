import { createHash } from "node:crypto";
import { SampanError } from "../../errors/index.ts";
import { type Family, width } from "../addresses/address.ts";
import { firstOf, lastOf, masked, type Prefix, parsePrefix, sizeOf } from "../addresses/prefix.ts";
import type { AddressPool } from "../options.ts";
import type { HostPrefix } from "./types.ts";

/** An address pool, parsed. */
export interface Pool {
  readonly base: Prefix;
  readonly size: number;
}

/**
 * The first network has a /16, as Docker's "bridge"; the others are smaller than Docker's, whose pools are used up by 31
 * networks: there are 224 of a /20, then 256 and 65,536 of a /24.
 */
const ipv4Pools: readonly AddressPool[] = [
  { base: "172.17.0.0/16", size: 16 },
  ...Array.from({ length: 14 }, (_, i) => ({ base: `172.${18 + i}.0.0/16`, size: 20 })),
  { base: "192.168.0.0/16", size: 24 },
  { base: "10.0.0.0/8", size: 24 },
];

/** The pools of a daemon: what its options say, and ours for a family of which they say nothing. Throws `invalid`. */
export function poolsOf(configured: readonly AddressPool[], root: string): Pool[] {
  const own = configured.map(parsePool);
  const has = (family: Family) => own.some(({ base }) => base.family === family);
  const v4 = has(4) ? [] : ipv4Pools.map(parsePool);
  return [...own, ...v4, ...(has(6) ? [] : [localPool(root)])];
}

function parsePool({ base: text, size }: AddressPool): Pool {
  const base = parsePrefix(text);
  const refuse = (reason: string) =>
    new SampanError("invalid", `Cannot use the default address pool ${text} with size ${size}: ${reason}`);
  if (!base) throw refuse("its base is not in CIDR notation, like 10.10.0.0/16");
  if (!Number.isInteger(size) || size > width(base.family)) throw refuse("the size is not a number of bits");
  if (base.bits > size) throw refuse(`the base is smaller than the networks of /${size} that it is split into`);
  return { base: masked(base), size };
}

/** A block of unique local addresses (RFC 4193): 65,536 networks. Its number comes from the root, so it stays the same. */
function localPool(root: string): Pool {
  const digest = createHash("sha256").update(`sampan ipv6 ${root}`).digest("hex");
  const address = BigInt(`0xfd${digest.slice(0, 10)}`) << 80n;
  return { base: { family: 6, address, bits: 48 }, size: 64 };
}

/** Destinations wider than that are another way to write a default route ("0.0.0.0/1" of VPNs): they say nothing. */
const widestRoute = 8;

/**
 * The first free subnet of the pools, of `size` bits if that is given. Nothing that overlaps `taken` or what the machine
 * reaches directly. What it reaches by a gateway is avoided while there is something else: a VPN may claim all
 * private addresses, of which few are in use.
 */
export function chooseSubnet(
  pools: readonly Pool[],
  taken: readonly Prefix[],
  host: readonly HostPrefix[],
  family: Family,
  size?: number,
): Prefix {
  const candidates = pools.flatMap((pool) => {
    if (pool.base.family !== family) return [];
    if (size === undefined) return [pool];
    return pool.base.bits <= size && size <= width(family) ? [{ base: pool.base, size }] : [];
  });
  if (candidates.length === 0) throw new SampanError("invalid", "invalid address pool");
  const ofFamily = (prefixes: readonly Prefix[]) => prefixes.filter((prefix) => prefix.family === family).map(blockOf);
  const near = [...taken, ...prefixesOf(host.filter(({ viaGateway }) => !viaGateway))];
  const far = prefixesOf(host.filter(({ viaGateway }) => viaGateway)).filter(({ bits }) => bits >= widestRoute);
  for (const avoided of far.length > 0 ? [[...near, ...far], near] : [near]) {
    const blocks = ofFamily(avoided).sort((a, b) => (a.first < b.first ? -1 : 1));
    for (const pool of candidates) {
      const found = firstFree(pool, blocks);
      if (found) return found;
    }
  }
  throw new SampanError(
    "invalid",
    "all predefined address pools have been fully subnetted: remove networks that are not used (sampan network prune), " +
      "give this one a --subnet, or start the daemon with more --default-address-pool",
  );
}

/** A default route overlaps everything and forbids nothing. */
function prefixesOf(host: readonly HostPrefix[]): Prefix[] {
  return host.flatMap(({ range }) => parsePrefix(range) ?? []).filter(({ bits }) => bits > 0);
}

/** All addresses from the first to the last. */
interface Block {
  readonly first: bigint;
  readonly last: bigint;
}

function blockOf(prefix: Prefix): Block {
  return { first: firstOf(prefix), last: lastOf(prefix) };
}

/** `avoided` is in the order of first addresses. */
function firstFree({ base, size }: Pool, avoided: readonly Block[]): Prefix | undefined {
  const end = lastOf(base);
  const step = sizeOf({ ...base, bits: size });
  let next = base.address;
  for (const { first, last } of avoided) {
    if (next + step <= first) break;
    if (last >= next) next = (last / step + 1n) * step;
  }
  return next + step - 1n <= end ? { family: base.family, address: next, bits: size } : undefined;
}
