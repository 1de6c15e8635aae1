import { ipBytes } from "../ip.ts";

/** One direction of a connection. Protocols are numbers: 6 is TCP, 17 UDP, 132 SCTP. */
export interface Endpoints {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  /** Of protocols that have ports. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

/** A tracked connection: as its first packet was, and as the answers are, which differ where addresses are translated. */
export interface Flow {
  readonly original: Endpoints;
  readonly reply: Endpoints;
  /** IPS_*: 32 is a translated destination. */
  readonly status: number;
  readonly mark: number;
  readonly id: number;
  readonly zone?: number;
  /** The tuples as the kernel wrote them, for `deleteFlow`. */
  readonly tuple: Uint8Array;
  readonly family: number;
}

/** Connections for which all of it is so; "the container's own" is one whose answers come from it: `reply.source`. */
export interface FlowFilter {
  /** AF_INET or AF_INET6: lets the kernel compare where no address says it. */
  readonly family?: number;
  readonly original?: Partial<Endpoints>;
  readonly reply?: Partial<Endpoints>;
}

/** Whether a connection is one of those. Addresses may be written in any way. */
export function matches(flow: Flow, filter: FlowFilter): boolean {
  if (filter.family !== undefined && flow.family !== filter.family) return false;
  return like(flow.original, filter.original) && like(flow.reply, filter.reply);
}

function like(found: Endpoints, wanted: Partial<Endpoints> = {}): boolean {
  const sameAddress = (a: string, b: string | undefined) =>
    b === undefined || a === b || Buffer.from(ipBytes(a)).equals(ipBytes(b));
  const same = (a: number | undefined, b: number | undefined) => b === undefined || a === b;
  return (
    same(found.protocol, wanted.protocol) &&
    same(found.sourcePort, wanted.sourcePort) &&
    same(found.destinationPort, wanted.destinationPort) &&
    sameAddress(found.source, wanted.source) &&
    sameAddress(found.destination, wanted.destination)
  );
}
