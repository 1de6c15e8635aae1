import type { EgressRecord } from "../../engine/types.ts";
import type { EgressEntry } from "../shapes/egress.ts";

export function egressEntry({ time, destination, port, protocol, name, network, source }: EgressRecord): EgressEntry {
  return {
    Time: new Date(time).toISOString(),
    Destination: destination,
    Port: port ?? 0,
    Protocol: protocol,
    Name: name ?? "",
    Network: network,
    Source: source ?? "",
  };
}
