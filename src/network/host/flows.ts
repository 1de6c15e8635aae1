import {
  decodeFlows,
  deleteFlow,
  dumpFlows,
  type Flow,
  type FlowFilter,
} from "../../kernel/netlink/conntrack/index.ts";
import { AF_INET, AF_INET6 } from "../../kernel/netlink/ip.ts";
import type { Suffix } from "../drivers/names.ts";
import { effectivePorts, publishAddress } from "../firewall/port-elements.ts";
import type { Machine } from "./machine.ts";
import type { ContainerNetworking } from "./types.ts";

const UDP = 17;
const IPS_DST_NAT = 32;
/** Questions that the kernel narrows down by port; more ports are one question about all. */
const fewPorts = 4;
const atOnce = 500;

/**
 * A client that goes on sending to a published UDP port keeps its connection alive in the kernel's table, and with it where
 * the first packet was led: to nobody before the container started, to the container after it has ended. Such connections
 * are forgotten; TCP ends its own.
 */
export async function forgetFlowsBefore(
  machine: Machine,
  container: ContainerNetworking,
  suffix: Suffix,
): Promise<void> {
  const ports = new Set(udpPorts(container, suffix));
  if (ports.size === 0) return;
  const originals =
    ports.size <= fewPorts
      ? [...ports].map((destinationPort) => ({ protocol: UDP, destinationPort }))
      : [{ protocol: UDP }];
  const filters: FlowFilter[] = [AF_INET, AF_INET6].flatMap((family) =>
    originals.map((original) => ({ family, original })),
  );
  for (const filter of filters) {
    const flows = await find(machine, filter);
    const stale = ({ original, status }: Flow) =>
      (status & IPS_DST_NAT) === 0 && ports.has(original.destinationPort ?? 0);
    await forget(machine, flows.filter(stale));
  }
}

/** As above, for a container that has ended. */
export async function forgetFlowsAfter(
  machine: Machine,
  container: ContainerNetworking,
  suffix: Suffix,
): Promise<void> {
  if (udpPorts(container, suffix).length === 0) return;
  for (const family of [4, 6] as const) {
    const source = publishAddress(container, family, suffix);
    if (source === undefined) continue;
    const flows = await find(machine, { reply: { source, protocol: UDP } });
    await forget(
      machine,
      flows.filter(({ status }) => (status & IPS_DST_NAT) !== 0),
    );
  }
}

function udpPorts(container: ContainerNetworking, suffix: Suffix): number[] {
  return effectivePorts(container, suffix)
    .filter(({ protocol }) => protocol === "udp")
    .map(({ hostPort }) => hostPort);
}

async function find(machine: Machine, filter: FlowFilter): Promise<Flow[]> {
  return decodeFlows(await machine.netfilter(dumpFlows(filter), "look for connections of a published port"), filter);
}

async function forget(machine: Machine, flows: readonly Flow[]): Promise<void> {
  for (let at = 0; at < flows.length; at += atOnce) {
    const requests = flows.slice(at, at + atOnce).map(deleteFlow);
    await machine.tell(requests, "forget connections of a published port", ["ENOENT"]);
  }
}
