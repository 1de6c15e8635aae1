import type { Port } from "../../api/shapes/container.ts";

/** Ports next to each other of one address and protocol, each published under its own number, or not at all. */
interface Group {
  readonly address: string;
  readonly protocol: string;
  readonly first: number;
  last: number;
}

/**
 * Ports as docker's PORTS column shows them, e.g. `0.0.0.0:8000-8002->8000-8002/tcp, 443/tcp, 0.0.0.0:8080->80/tcp`: ranges
 * are told as ranges; ports with another number on the machine come last, one by one.
 */
export function portsText(ports: readonly Port[] | null): string {
  const finished: Group[] = [];
  const open = new Map<string, Group>();
  const renumbered: string[] = [];
  for (const { IP: address = "", PrivatePort: port, PublicPort: outside, Type: protocol } of sorted(ports ?? [])) {
    if (address !== "" && outside !== port) {
      renumbered.push(`${hostPort(address, outside ?? 0)}->${port}/${protocol}`);
      continue;
    }
    const key = `${address}/${protocol}`;
    const group = open.get(key);
    if (group !== undefined && port === group.last + 1) {
      group.last = port;
      continue;
    }
    if (group !== undefined) finished.push(group);
    // A key that is there keeps its place.
    open.set(key, { address, protocol, first: port, last: port });
  }
  return [...[...finished, ...open.values()].map(groupText), ...renumbered].join(", ");
}

function sorted(ports: readonly Port[]): Port[] {
  return ports.toSorted(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compare(a.IP ?? "", b.IP ?? "") ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compare(a.Type, b.Type),
  );
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function groupText({ address, protocol, first, last }: Group): string {
  const range = first === last ? String(first) : `${first}-${last}`;
  return address === "" ? `${range}/${protocol}` : `${hostPort(address, range)}->${range}/${protocol}`;
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function hostPort(address: string, port: string | number): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}
