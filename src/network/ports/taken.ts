import type { Protocol, PublishedPort } from "../types.ts";

/** Which ports of the machine are published, by whom does not matter. */
export class TakenPorts {
  /** Protocol and port → the host's addresses at which it is taken. */
  readonly #addresses = new Map<string, Set<string>>();

  /** The address at which this port is taken already, so that it cannot be had at `address`. */
  conflict(protocol: Protocol, port: number, address: string): string | undefined {
    const taken = this.#addresses.get(`${protocol} ${port}`);
    if (!taken || taken.has(address)) return taken && address;
    const family = isIpv6(address);
    return [...taken].find((other) => isIpv6(other) === family && (isWildcard(other) || isWildcard(address)));
  }

  add({ protocol, hostPort, hostAddress }: PublishedPort): void {
    if (hostPort === 0) return;
    const key = `${protocol} ${hostPort}`;
    const taken = this.#addresses.get(key);
    if (taken) taken.add(hostAddress);
    else this.#addresses.set(key, new Set([hostAddress]));
  }

  delete({ protocol, hostPort, hostAddress }: PublishedPort): void {
    const key = `${protocol} ${hostPort}`;
    const taken = this.#addresses.get(key);
    if (taken?.delete(hostAddress) && taken.size === 0) this.#addresses.delete(key);
  }
}

function isIpv6(address: string): boolean {
  return address.includes(":");
}

function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}
