import { execFileSync } from "node:child_process";
import type { Executor, Session } from "../../src/kernel/executor.ts";
import { CLONE_NEWNET } from "../../src/kernel/flags.ts";
import { batch } from "../../src/kernel/netlink/batch.ts";
import type { Request } from "../../src/kernel/netlink/message.ts";
import { query } from "../../src/kernel/netlink/query.ts";
import { ask, openNetlink } from "../../src/kernel/netlink/request.ts";
import { Program } from "../../src/kernel/program.ts";

/** A session in a network namespace of its own: what tests send there is gone when it is closed. */
export interface NetworkNamespace extends Disposable {
  readonly session: Session;
  readonly pid: number;
  /** Numbers of the sockets' descriptors in the session. */
  readonly route: number;
  readonly netfilter: number;
  /** Sends the messages of a NETLINK_ROUTE request; rejects with the kernel's refusal, after which it is over. */
  send(requests: readonly Request[]): Promise<void>;
  /** As `send`, for bytes of a transaction on NETLINK_NETFILTER. */
  sendNetfilter(bytes: Uint8Array): Promise<void>;
  query(request: Request): Promise<Uint8Array>;
  queryNetfilter(request: Request): Promise<Uint8Array>;
  /** Standard output of a program that runs in the namespace. */
  run(program: string, ...args: string[]): string;
  /** A file of another namespace opened in the session: its descriptor. */
  open(path: string): Promise<number>;
}

export async function networkNamespace(executor: Executor): Promise<NetworkNamespace> {
  const session = await executor.open();
  const p = new Program("make a network namespace for a test");
  p.call("unshare", [CLONE_NEWNET], { note: "make it" });
  const route = openNetlink(p, "NETLINK_ROUTE", "open rtnetlink");
  const netfilter = openNetlink(p, "NETLINK_NETFILTER", "open nfnetlink");
  const self = p.sys("getpid", [], { note: "who am I" });
  const results = await session.run(p);
  const sockets = { route: results.value(route), netfilter: results.value(netfilter) };
  const pid = results.value(self);
  const transfer = async (socket: number, bytes: Uint8Array) => {
    const program = new Program("change the network of a test");
    ask(program, socket, bytes, { note: "send the messages" });
    await session.run(program);
  };
  return {
    session,
    pid,
    ...sockets,
    send: (requests) => transfer(sockets.route, batch(requests)),
    sendNetfilter: (bytes) => transfer(sockets.netfilter, bytes),
    query: (request) => query(session, sockets.route, request, "ask in a test"),
    queryNetfilter: (request) => query(session, sockets.netfilter, request, "ask in a test"),
    run: (program, ...args) =>
      execFileSync("nsenter", [`--net=/proc/${pid}/ns/net`, program, ...args], { encoding: "utf8" }),
    async open(path) {
      const program = new Program("open a file for a test");
      const fd = program.sys("openat", [-100, program.text(path), 0, 0], { note: "open it" });
      return (await session.run(program)).value(fd);
    },
    [Symbol.dispose]: () => session.close(),
  };
}
