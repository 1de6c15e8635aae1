import { SampanError } from "../../errors/index.ts";
import { named, type Slot } from "../../kernel/block.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import type { Request } from "../../kernel/netlink/message.ts";
import { query } from "../../kernel/netlink/query.ts";
import { ask, openNetlink } from "../../kernel/netlink/request.ts";
import { batch, decodeLinks, deleteLink, dumpLinks } from "../../kernel/netlink/route/index.ts";
import { Program } from "../../kernel/program.ts";
import { routeOut } from "../drivers/endpoint-links.ts";
import { gatewayOf } from "../drivers/gateway.ts";
import type { NamespaceAccess } from "../types.ts";
import { attachmentOf, type Plan } from "./attachment.ts";
import type { Connection, ContainerNetworking } from "./types.ts";

const NEWNET = named(f.CLONE_NEWNET, "CLONE_NEWNET");
const RDONLY = named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC");

/** Adds a running container's new links. */
export async function connectRunning(executor: Executor, namespace: string, plan: Plan): Promise<void> {
  const [connection] = plan.places.keys();
  const name = connection?.network.name ?? "";
  const p = new Program(`connect container ${plan.container.containerId.slice(0, 12)} to network ${name}`);
  const access = p.in("network", () => enter(p, namespace));
  attachmentOf(plan).connect(p, access);
  await executor.run(p);
}

/**
 * Removes the link of a connection, and leads the way out by what the container has left. Nothing happens in a container
 * that has ended meanwhile.
 */
export async function disconnectRunning(
  executor: Executor,
  namespace: string,
  container: ContainerNetworking,
  { network, endpoint }: Connection,
): Promise<void> {
  const session = await executor.open();
  const id = container.containerId.slice(0, 12);
  const purpose = `disconnect container ${id} from network ${network.name}`;
  try {
    const socket = await enterSession(session, namespace, purpose);
    const links = decodeLinks(await query(session, socket, dumpLinks(), "list the container's links"));
    const indexes = new Map(links.map(({ name, index }) => [name, index]));
    const link = indexes.get(endpoint.interfaceName);
    const requests = link === undefined ? [] : [deleteLink(link)];
    await change(session, socket, [...requests, ...waysOut(container, indexes)], purpose);
  } finally {
    session.close();
  }
}

function waysOut({ connections }: ContainerNetworking, indexes: ReadonlyMap<string, number>): Request[] {
  return ([4, 6] as const).flatMap((family) => {
    const gateway = gatewayOf(connections, family);
    const link = gateway && indexes.get(gateway.endpoint.interfaceName);
    return gateway && link !== undefined ? routeOut(gateway, family, link, true) : [];
  });
}

async function change(session: Session, socket: number, requests: readonly Request[], purpose: string): Promise<void> {
  if (requests.length === 0) return;
  const p = new Program(purpose);
  p.in("network", () => ask(p, socket, batch(requests), { note: purpose, tolerate: ["ENODEV"] }));
  await session.run(p);
}

async function enterSession(session: Session, namespace: string, purpose: string): Promise<number> {
  const p = new Program(purpose);
  const { rtnetlink } = p.in("network", () => enter(p, namespace));
  const results = await session.run(p);
  if (typeof rtnetlink === "number") throw new SampanError("internal", `Cannot ${purpose}: no socket was made`);
  return results.value(rtnetlink);
}

/** A socket inside, made on the way there and back. */
function enter(p: Program, path: string): NamespaceAccess & { readonly rtnetlink: Slot | number } {
  const open = (file: string, note: string) => p.sys("openat", [f.AT_FDCWD, p.text(file), RDONLY, 0], { note });
  const machine = open("/proc/self/ns/net", "remember the machine's network");
  const namespace = open(path, "find the container's network");
  p.call("setns", [namespace, NEWNET], { note: "enter it" });
  const rtnetlink = openNetlink(p, "NETLINK_ROUTE", "make a socket to configure it by");
  p.call("setns", [machine, NEWNET], { note: "go back to the machine's network" });
  return { namespace, rtnetlink };
}
