import { SampanError } from "../../errors/index.ts";
import { named, type Ref, type Slot } from "../../kernel/block.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { ipBytes } from "../../kernel/netlink/ip.ts";
import { Program } from "../../kernel/program.ts";
import { familyOf } from "../firewall/port-elements.ts";
import type { Protocol, PublishedPort } from "../types.ts";

const AF_INET = named(2, "AF_INET");
const AF_INET6 = named(10, "AF_INET6");
const SOL_SOCKET = named(1, "SOL_SOCKET");
const SO_REUSEADDR = named(2, "SO_REUSEADDR");
const IPPROTO_IPV6 = named(41, "IPPROTO_IPV6");
const IPV6_V6ONLY = named(26, "IPV6_V6ONLY");

const sockets: Record<Protocol, { type: number; name: string; protocol: number }> = {
  tcp: { type: f.SOCK_STREAM, name: "SOCK_STREAM", protocol: 6 },
  udp: { type: f.SOCK_DGRAM, name: "SOCK_DGRAM", protocol: 17 },
  sctp: { type: f.SOCK_STREAM, name: "SOCK_STREAM", protocol: 132 },
};

/**
 * Reserves ports of the machine by sockets that are bound and nothing else: whoever wants one finds it in use, and the step
 * fails where somebody has it. They are the process', which becomes the container's monitor, so they end with the container.
 * Packets never reach them, for they are led to the container before. The answer adds the steps that close them: monitors
 * stay a little longer than their containers, and whoever is told of the end may want the ports at once.
 */
export function reservePorts(p: Program, ports: readonly PublishedPort[]): (() => void) | undefined {
  // A routed network needs none of the machine's
  const wanted = ports.filter(({ hostPort }) => hostPort !== 0);
  if (wanted.length === 0) return undefined;
  const one = p.words([1], "1");
  const zero = p.words([0], "0");
  const sockets = wanted.map((port) => reserve(p, port, one, zero));
  return () => {
    for (const socket of sockets) {
      p.call("close", [socket], { note: "somebody else may have the port now", tolerate: "all" });
    }
  };
}

/**
 * As `reservePorts` for a container that runs, whose monitor takes no more descriptors: the sockets are those of a worker,
 * and end with the session.
 */
export async function reserveForRunning(
  executor: Executor,
  containerId: string,
  ports: readonly PublishedPort[],
): Promise<Session> {
  const session = await executor.open();
  const p = new Program(`reserve the ports of container ${containerId.slice(0, 12)}`);
  p.in("network", () => reservePorts(p, ports));
  try {
    await session.run(p);
    return session;
  } catch (error) {
    await session.finish(); // whoever tries again wants those that were reserved
    throw error;
  }
}

function reserve(p: Program, port: PublishedPort, one: Ref, zero: Ref): Slot {
  const { type, name, protocol } = sockets[port.protocol];
  const six = familyOf(port) === 6;
  const what = describe(port);
  const done = p.label();
  const socket = p.sys(
    "socket",
    [six ? AF_INET6 : AF_INET, named(type | f.SOCK_CLOEXEC, `${name}|SOCK_CLOEXEC`), protocol],
    // A kernel without SCTP has no program that would take the port; it is led to containers all the same
    {
      note: `make a socket to reserve ${what}`,
      ...(protocol === 132 && { tolerate: ["EPROTONOSUPPORT"], orElse: done }),
    },
  );
  const set = (level: typeof SOL_SOCKET, option: typeof SO_REUSEADDR, value: Ref, note: string) =>
    p.call("setsockopt", [socket, level, option, value, 4, 0], { note });
  if (six) set(IPPROTO_IPV6, IPV6_V6ONLY, one, "IPv4 is reserved apart");
  // Connections that a server of the machine has closed keep its port for a minute
  if (protocol === 6) set(SOL_SOCKET, SO_REUSEADDR, one, "past connections do not count");
  const address = socketAddress(p, port, six);
  p.call("bind", [socket, address, six ? 28 : 16, 0, 0, 0], { note: reservation(port) });
  // With this two sockets could share the port until one listens
  if (protocol === 6) set(SOL_SOCKET, SO_REUSEADDR, zero, "nobody else shall have it from now on");
  p.place(done);
  return socket;
}

const marker = "reserve the machine's port ";

function reservation(port: PublishedPort): string {
  return `${marker}${describe(port)}`;
}

function describe({ hostAddress, hostPort, protocol }: PublishedPort): string {
  return `${hostAddress.includes(":") ? `[${hostAddress}]` : hostAddress}:${hostPort}/${protocol}`;
}

/** struct sockaddr_in or sockaddr_in6. */
function socketAddress(p: Program, { hostAddress, hostPort }: PublishedPort, six: boolean): Ref {
  const bytes = Buffer.alloc(six ? 28 : 16);
  bytes.writeUInt16LE(six ? 10 : 2, 0);
  bytes.writeUInt16BE(hostPort, 2);
  bytes.set(ipBytes(hostAddress), six ? 8 : 4);
  return p.bytes(bytes, `{ ${hostAddress.includes(":") ? `[${hostAddress}]` : hostAddress}:${hostPort} }`);
}

/** That one of `ports` which some other process has, when that is why the start has failed. */
export function takenPort(error: unknown, ports: readonly PublishedPort[]): PublishedPort | undefined {
  if (!(error instanceof KernelError) || error.errno !== "EADDRINUSE") return undefined;
  return ports.find((port) => error.step?.note === reservation(port));
}

/** dockerd's words for a start that failed because a port of the machine was not to be had; undefined for other errors. */
export function portError(error: unknown): SampanError | undefined {
  if (!(error instanceof KernelError) || !error.step?.note.startsWith(marker)) return undefined;
  const what = error.step.note.slice(marker.length);
  const where = what.slice(0, what.lastIndexOf("/"));
  if (error.errno === "EADDRINUSE")
    return new SampanError("conflict", `Bind for ${where} failed: port is already allocated`, { cause: error });
  const why =
    error.errno === "EADDRNOTAVAIL"
      ? "cannot assign requested address: the machine does not have it"
      : error.errno === "EACCES"
        ? "permission denied"
        : undefined;
  if (why === undefined) return undefined;
  return new SampanError("invalid", `failed to bind host port ${what}: ${why}`, { cause: error });
}
