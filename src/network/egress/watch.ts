import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../errors/index.ts";
import { named } from "../../kernel/block.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { batch } from "../../kernel/netlink/batch.ts";
import { decodeLogged, joinGroup, type Logged } from "../../kernel/netlink/nflog/index.ts";
import { ask, openNetlink } from "../../kernel/netlink/request.ts";
import { Program } from "../../kernel/program.ts";

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const datagramSize = 8192;
/** Datagrams that are read at a time, when there are so many. */
const most = 16;
/** A daemon that was killed leaves the group a moment later. */
const usual = 200;
const patience = [0, 50, 200, 500, 1000, 2000, 4000];
/** Milliseconds until the executor is asked again after it was lost. */
const untilAgain = 1000;

interface Reader {
  readonly session: Session;
  readonly socket: number;
  readonly pid: number;
}

/**
 * Receives the packets that rules log to a group: a worker of the executor waits for them, as long as somebody wants to know.
 * It ends with the executor, and so with the daemon; when the executor is lost alone it begins anew after a while.
 */
export class PacketWatch {
  readonly #executor: Executor;
  readonly #group: number;
  readonly #tell: (logged: Logged) => void;
  readonly #warn: (text: string) => void;
  #reader: Promise<Reader | undefined> | undefined;
  /** Each begin is another watch: what an earlier one still finds is not wanted. */
  #watch = 0;

  constructor(
    executor: Executor,
    group: number,
    { tell, warn }: { readonly tell: (logged: Logged) => void; readonly warn: (text: string) => void },
  ) {
    this.#executor = executor;
    this.#group = group;
    this.#tell = tell;
    this.#warn = warn;
  }

  /**
   * Resolves once packets are received, or when that takes too long. That they cannot be received is told, and changes
   * nothing else.
   */
  async begin(): Promise<void> {
    if (this.#reader === undefined) {
      this.#follow(++this.#watch);
    }
    await Promise.race([this.#reader, pause(usual, undefined, { ref: false })]);
  }

  async end(): Promise<void> {
    const reading = this.#reader;
    this.#reader = undefined;
    this.#watch++;
    const reader = await reading;
    if (reader) leave(reader);
  }

  #follow(watch: number): void {
    this.#reader = this.#join(watch);
    this.#reader.then((reader) => reader && this.#read(reader, watch));
  }

  async #join(watch: number): Promise<Reader | undefined> {
    for (const wait of patience) {
      await pause(wait, undefined, { ref: false });
      if (watch !== this.#watch) return undefined;
      try {
        return await this.#open();
      } catch (error) {
        if (error instanceof KernelError && error.errno === "EBUSY") continue;
        this.#warn(`What egress policies refuse is not told: ${messageOf(error)}`);
        return undefined;
      }
    }
    this.#warn(`What egress policies refuse is not told: another process has the NFLOG group ${this.#group}`);
    return undefined;
  }

  async #open(): Promise<Reader> {
    const session = await this.#executor.open();
    session.unref();
    const p = new Program("receive packets that egress policies refuse");
    const { socket, pid } = p.in("network", () => {
      p.call("prctl", [named(PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"), named(SIGKILL, "SIGKILL"), 0, 0, 0], {
        note: "end with the executor",
      });
      const made = openNetlink(p, "NETLINK_NETFILTER", "make a socket for logged packets");
      ask(p, made, batch([joinGroup(this.#group)]), { note: `join the group ${this.#group}` });
      return { socket: made, pid: p.sys("getpid", [], { note: "whom to end" }) };
    });
    const results = await session.run(p);
    return { session, socket: results.value(socket), pid: results.value(pid) };
  }

  async #read(reader: Reader, watch: number): Promise<void> {
    try {
      while (watch === this.#watch) {
        const received = await receive(reader);
        if (watch === this.#watch) for (const logged of received.flatMap(decodeLogged)) this.#tell(logged);
      }
    } catch (error) {
      if (watch !== this.#watch) return;
      this.#warn(`What egress policies refuse is not told for a moment: ${messageOf(error)}`);
      leave(reader);
      await pause(untilAgain, undefined, { ref: false });
      if (watch === this.#watch) this.#follow(watch);
    }
  }
}

/** Waits for a packet, and takes what else is there. */
async function receive({ session, socket }: Reader): Promise<Uint8Array[]> {
  const p = new Program("receive packets that egress policies refuse");
  const parts = p.in("network", () =>
    Array.from({ length: most }, (_, index) => {
      const buffer = p.buffer(datagramSize);
      const flags = index === 0 ? 0 : f.MSG_DONTWAIT;
      // ENOBUFS: there were more than fit, which are lost
      const options = { note: "receive logged packets", tolerate: ["EAGAIN", "ENOBUFS"] as const };
      return { buffer, size: p.sys("recvfrom", [socket, buffer, datagramSize, flags, 0, 0], options) };
    }),
  );
  const results = await session.run(p);
  return parts
    .filter(({ size }) => results.value(size) > 0)
    .map(({ buffer, size }) => results.bytes(buffer, results.value(size)));
}

/** It waits in the kernel, where a closed connection is not noticed. */
function leave({ session, pid }: Reader): void {
  if (!session.ended) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself
    }
  }
  session.close();
}
