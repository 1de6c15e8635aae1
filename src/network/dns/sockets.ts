import { Socket as DatagramSocket } from "node:dgram";
import { Server } from "node:net";
import { named, type Ref, type Slot } from "../../kernel/block.ts";
import type { Executor } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { handOver } from "../../kernel/handover.ts";
import { Program } from "../../kernel/program.ts";
import { Listener } from "./listener.ts";
import { type DnsSockets, dnsAddress } from "./types.ts";

const port = 53;
const backlog = 128;
const NEWNET = named(f.CLONE_NEWNET, "CLONE_NEWNET");

/** Sockets that a program which has not run yet is to make. */
export interface ExpectedSockets {
  /** Adds the steps that make them in the network namespace, whose loopback must be up, and hand them over. */
  steps(p: Program, namespace: Slot | number): void;
  /** Both, once the program has run. Rejected when it has failed and `cancel` was called. */
  readonly sockets: Promise<DnsSockets>;
  /** The program has failed, or nobody wants them any more. */
  cancel(): void;
}

/** Prepares for the sockets of one container; `key` tells them from those that are under way for others. */
export function expectSockets(executor: Executor, key: string): ExpectedSockets {
  const keys = { udp: `dns-udp ${key}`, tcp: `dns-tcp ${key}` };
  const receipts = { udp: executor.receive(keys.udp), tcp: executor.receive(keys.tcp) };
  const listener = new Listener();
  const arrived = [receipts.udp.socket, receipts.tcp.socket].map(async (arriving) => {
    const socket = await arriving;
    if (socket instanceof Server) listener.listenTcp(socket);
    else if (socket instanceof DatagramSocket) listener.listenUdp(socket);
  });
  const sockets = Promise.all(arrived).then(() => listener);
  sockets.catch(() => listener.close()); // one has not come, or both are not wanted
  const cancel = () => {
    receipts.udp.cancel();
    receipts.tcp.cancel();
    listener.close();
  };
  return { steps: (p, namespace) => dnsSteps(p, namespace, keys), sockets, cancel };
}

let opened = 0;

/** Makes the sockets of a container that runs already: after a restart of the daemon, or for its first network with names. */
export async function openSockets(executor: Executor, pid: number): Promise<DnsSockets> {
  const expected = expectSockets(executor, `${pid} ${++opened}`);
  try {
    const p = new Program(`serve names to process ${pid}`);
    p.in("network", () => expected.steps(p, openNamespace(p, `/proc/${pid}/ns/net`, `find process ${pid}'s network`)));
    await executor.run(p);
    return await expected.sockets;
  } catch (error) {
    expected.cancel();
    throw error;
  }
}

function openNamespace(p: Program, path: string, note: string): Slot {
  return p.sys("openat", [f.AT_FDCWD, p.text(path), named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC"), 0], {
    note,
  });
}

/** The process is in its own network namespace before and after. */
function dnsSteps(p: Program, namespace: Slot | number, keys: { readonly udp: string; readonly tcp: string }): void {
  const home = openNamespace(p, "/proc/self/ns/net", "remember the machine's network");
  p.call("setns", [namespace, NEWNET], { note: "go into the container's network" });
  const address = socketAddress(p);
  const udp = boundSocket(p, named(f.SOCK_DGRAM | f.SOCK_CLOEXEC, "SOCK_DGRAM|SOCK_CLOEXEC"), address);
  const tcp = boundSocket(p, named(f.SOCK_STREAM | f.SOCK_CLOEXEC, "SOCK_STREAM|SOCK_CLOEXEC"), address);
  p.call("listen", [tcp, backlog], { note: "take connections" });
  p.call("setns", [home, NEWNET], { note: "come back" });
  p.call("close", [home], { note: "forget the way" });
  handOver(p, udp, { key: keys.udp, kind: "dgram.Socket" });
  handOver(p, tcp, { key: keys.tcp, kind: "net.Server" });
}

/** SO_REUSEADDR: connections of the daemon before may still be in TIME_WAIT. */
function boundSocket(p: Program, type: ReturnType<typeof named>, address: Ref): Slot {
  const socket = p.sys("socket", [named(f.AF_INET, "AF_INET"), type, 0], { note: "make a socket for names" });
  const on = p.words([1], "1");
  p.call("setsockopt", [socket, named(f.SOL_SOCKET, "SOL_SOCKET"), named(f.SO_REUSEADDR, "SO_REUSEADDR"), on, 4], {
    note: "whatever the daemon before has left",
  });
  p.call("bind", [socket, address, address.size], { note: `at ${dnsAddress}:${port}` });
  return socket;
}

/** struct sockaddr_in, ip(7). */
function socketAddress(p: Program): Ref {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(f.AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(dnsAddress.split(".").map(Number), 4);
  return p.bytes(bytes, `${dnsAddress}:${port}`);
}
