import type { Slot } from "../../kernel/block.ts";
import type { Request } from "../../kernel/netlink/message.ts";
import { transaction } from "../../kernel/netlink/nftables/index.ts";
import { ask, openNetlink } from "../../kernel/netlink/request.ts";
import { batch, batchWithHoles, Hole } from "../../kernel/netlink/route/index.ts";
import type { Program } from "../../kernel/program.ts";
import { configureEndpoint, createEndpointLink, routeOut } from "../drivers/endpoint-links.ts";
import { gatewayOf } from "../drivers/gateway.ts";
import type { Attachment, NamespaceAccess, PublishedPort } from "../types.ts";
import { setEndpointSysctls } from "./endpoint-sysctls.ts";
import { reservePorts } from "./reservations.ts";
import type { Connection, ContainerNetworking } from "./types.ts";

/** What the machine has for one endpoint: where its link goes, and numbers for it. */
export interface Place {
  /** Index of the bridge, or of the parent. */
  readonly parent: number;
  readonly index: number;
  readonly containerIndex: number;
  readonly isolated: boolean;
}

/** Everything that a container's start, or its joining of a network, changes in the kernel. */
export interface Plan {
  readonly container: ContainerNetworking;
  /** The connections to be made, with their places. */
  readonly places: ReadonlyMap<Connection, Place>;
  /** Ports of the machine to be reserved. */
  readonly reservations: readonly PublishedPort[];
  /** Of the firewall. */
  readonly additions: readonly Request[];
  /** The container has routes already. */
  readonly running?: boolean;
}

/** The steps that carry out a plan: at most one message to the machine, one to the container, one to the firewall. */
export function attachmentOf(plan: Plan): Attachment {
  const { connections, ports } = plan.container;
  return {
    endpoints: connections.map(({ endpoint }) => endpoint),
    ports,
    connect: (p, access) => p.in("network", () => connect(p, access, plan)),
  };
}

function connect(p: Program, access: NamespaceAccess, plan: Plan): (() => void) | undefined {
  const giveBack = reservePorts(p, plan.reservations);
  if (plan.places.size > 0) {
    makeLinks(p, access.namespace, plan);
    setEndpointSysctls(p, access.namespace, [...plan.places.keys()]);
    const inside = [...configurations(plan), ...routes(plan)];
    ask(p, access.rtnetlink, batch(inside), { note: linksUpNote });
  }
  if (plan.additions.length > 0) {
    const socket = openNetlink(p, "NETLINK_NETFILTER", "make a socket to change firewall rules");
    ask(p, socket, transaction(plan.additions), { note: publishNote });
    p.call("close", [socket], { note: "it is not needed any more" });
  }
  return giveBack;
}

/** By which failures of these steps are known. */
export const linksUpNote = "bring the container's links up, with addresses and routes";
export const publishNote = "add the published ports to the firewall's maps";

function makeLinks(p: Program, namespace: Slot | number, { container, places }: Plan): void {
  const published = container.ports.length > 0;
  const requests = [...places].flatMap(([connection, place]) => {
    const hole = new Hole("the container's network");
    return createEndpointLink(connection, { ...place, namespace: hole, hairpin: published });
  });
  const { bytes, holes } = batchWithHoles(requests);
  const names = [...places.keys()].map(({ endpoint }) => endpoint.interfaceName).join(", ");
  const message = p.bytes(bytes, `{ RTM_NEWLINK ${names} }`);
  for (const offset of holes.values())
    p.copy32(namespace, message.at(offset), "the other end belongs to the container's network");
  const socket = openNetlink(p, "NETLINK_ROUTE", "make a socket to change the machine's links");
  ask(p, socket, message, { note: `make the container's links ${names}` });
  p.call("close", [socket], { note: "it is not needed any more" });
}

function configurations({ places }: Plan): Request[] {
  return [...places].flatMap(([connection, { containerIndex }]) => configureEndpoint(connection, containerIndex));
}

/** Default routes by the links that this plan makes. */
function routes({ container, places, running }: Plan): Request[] {
  return ([4, 6] as const).flatMap((family) => {
    const gateway = gatewayOf(container.connections, family);
    const place = gateway && places.get(gateway);
    return gateway && place ? routeOut(gateway, family, place.containerIndex, running) : [];
  });
}
