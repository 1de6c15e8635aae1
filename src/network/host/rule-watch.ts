import { named } from "../../kernel/block.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import { AF_NETLINK } from "../../kernel/flags.ts";
import { openNetlink } from "../../kernel/netlink/request.ts";
import { Program } from "../../kernel/program.ts";

const SOL_SOCKET = named(1, "SOL_SOCKET");
const SO_ATTACH_FILTER = named(26, "SO_ATTACH_FILTER");
const PR_SET_PDEATHSIG = named(1, "PR_SET_PDEATHSIG");
const SIGKILL = named(9, "SIGKILL");
const NFNLGRP_NFTABLES = 7;
const roomForOne = 64;
/** Milliseconds until the executor is asked again after it was lost. */
const pause = 1000;

/**
 * Tells when somebody deletes nf_tables rules: `nft flush ruleset`, of which a restart of Debian's nftables service begins,
 * takes all tables of the machine, ours too. A worker waits for the kernel's notices.
 *
 * Life: `start` once → `changed` is called any number of times → `close`. When the executor is lost it begins anew after a
 * while, and tells of a change: nobody knows what there was in between.
 */
export class RuleWatch {
  readonly #executor: Executor;
  readonly #changed: () => void;
  #started = false;
  #closed = false;
  #again: NodeJS.Timeout | undefined;
  #worker: { readonly session: Session; readonly pid: number } | undefined;

  constructor(executor: Executor, changed: () => void) {
    this.#executor = executor;
    this.#changed = changed;
  }

  /** Begins to watch; where that cannot be nobody is told anything, and the next call tries again. */
  async start(): Promise<void> {
    if (this.#started || this.#closed) return;
    this.#started = true;
    clearTimeout(this.#again);
    try {
      const session = await this.#executor.open();
      const { program, socket, pid } = subscription();
      const results = await session.run(program);
      this.#worker = { session, pid: results.value(pid) };
      session.unref();
      if (this.#closed) this.close();
      else void this.#wait(session, results.value(socket));
    } catch {
      this.#started = false;
    }
  }

  /** The worker waits in the kernel and would not see that nobody listens any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#again);
    const worker = this.#worker;
    this.#worker = undefined;
    if (!worker || worker.session.ended) return;
    try {
      process.kill(worker.pid, "SIGKILL");
    } catch {
      // It has ended by itself
    }
    worker.session.close();
  }

  async #wait(session: Session, socket: number): Promise<void> {
    try {
      for (;;) {
        const p = new Program("wait for changes of firewall rules");
        const buffer = p.buffer(roomForOne);
        const args = [socket, buffer, roomForOne, 0, 0, 0];
        p.in("network", () => p.call("recvfrom", args, { note: "wait", tolerate: ["ENOBUFS"] }));
        await session.run(p);
        this.#changed();
      }
    } catch {
      if (this.#worker?.session === session) this.#worker = undefined;
      this.#started = false;
      if (this.#closed) return;
      this.#again = setTimeout(() => void this.start().then(() => this.#changed()), pause).unref();
    }
  }
}

function subscription() {
  const program = new Program("watch the machine's firewall rules");
  return program.in("network", () => {
    const p = program;
    const pid = p.sys("getpid", [], { note: "who is to be ended" });
    p.call("prctl", [PR_SET_PDEATHSIG, SIGKILL], { note: "end with the executor" });
    const socket = openNetlink(p, "NETLINK_NETFILTER", "make a socket for notices");
    const filter = p.bytes(deletionsOnly(), "{ notices that begin with a deletion }");
    const fprog = p.words([deletionsOnly().length / 8, filter], "{ struct sock_fprog }");
    p.call("setsockopt", [socket, SOL_SOCKET, SO_ATTACH_FILTER, fprog, 16], { note: "published ports are no news" });
    p.call("bind", [socket, p.bytes(noticesOfRules(), "{ NFNLGRP_NFTABLES }"), 12], { note: "ask for notices" });
    return { program, socket, pid };
  });
}

/** struct sockaddr_nl. A socket without an address of its own gets no notices. */
function noticesOfRules(): Buffer {
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(1 << (NFNLGRP_NFTABLES - 1), 8);
  return address;
}

/**
 * Classic BPF on the first message's type: deletions of tables, chains, rules and sets pass. Elements come and go with our
 * own containers, and would wake the daemon for each. The kernel reports a transaction in its order, deletions of what is in
 * a table before the table's.
 */
function deletionsOnly(): Buffer {
  const NFNL_SUBSYS_NFTABLES = 10;
  const deletions = [2, 5, 8, 11]; // NFT_MSG_DELTABLE, _DELCHAIN, _DELRULE, _DELSET
  const code = Buffer.alloc((deletions.length + 3) * 8);
  const put = (line: number, operation: number, jumpTrue: number, k: number) => {
    code.writeUInt16LE(operation, line * 8);
    code[line * 8 + 2] = jumpTrue;
    code.writeUInt32LE(k, line * 8 + 4);
  };
  put(0, 0x28, 0, 4); // A ← the type, which BPF reads in the network's order: subsystem and message are swapped
  for (const [index, message] of deletions.entries())
    put(1 + index, 0x15, deletions.length - index, (message << 8) | NFNL_SUBSYS_NFTABLES);
  put(deletions.length + 1, 0x06, 0, 0);
  put(deletions.length + 2, 0x06, 0, 0xffff);
  return code;
}
